#!/usr/bin/env bash
# Walks the section "One hardened machine" of RUNBOOK.md, line by line as it stands there: single-node.sh PACKAGE.deb. The machine is
# a throwaway copy of this one (an overlay in namespaces of its own, without a network); apt-get and systemctl are played: packages
# have to be here already, and units are started and stopped with their own user, environment, credentials and command, without the sandbox.
# Needs root. Ends with what was proved, and how long it took.
set -euo pipefail
package=$(realpath "${1:?usage: single-node.sh PACKAGE.deb}")
root=$(cd "$(dirname "$0")/../.." && pwd)
skip() { echo "NOTE: $1: the single machine was not walked"; exit 0; }
if [ -z "${WALK_INSIDE:-}" ]; then
  [ "$(id -u)" = 0 ] || skip "this needs root"
  for program in pg_ctlcluster redis-server prometheus ip logrotate openssl; do command -v "$program" >/dev/null || skip "no $program here"; done
  unshare --mount --net --pid --fork true 2>/dev/null || skip "no namespaces here"
  exec env WALK_INSIDE=1 unshare --mount --net --pid --fork --kill-child "$0" "$package"
fi
# --- inside: the copy of the machine ---------------------------------------------------------------------------------------
machine=$(mktemp -d)
mount -t tmpfs walk "$machine"
mkdir "$machine"/{upper,work,root}
mount -t overlay walk -o "lowerdir=/,upperdir=$machine/upper,workdir=$machine/work" "$machine/root" || skip "no overlay here"
at=$machine/root
mount -t proc proc "$at/proc"
mount --rbind /dev "$at/dev"
mount -t tmpfs tmp "$at/tmp" && chmod 1777 "$at/tmp"
mount -t tmpfs run "$at/run"
ip link set lo up
mkdir -p "$at/walk"
cp "$package" "$at/walk/"
awk '/^### One hardened machine/ { found = 1 } found && /^```sh/ { inside = 1; next } inside && /^```/ { exit } inside' "$root/RUNBOOK.md" >"$at/walk/steps.sh"
# Recipes for later, by the words in front of them: what is typed there in the first block.
recipe() { awk -v words="$1" 'index($0, words) { found = 1 } found && /^```sh/ { inside = 1; next } inside && /^```/ { exit } inside' "$root/RUNBOOK.md"; }
recipe 'The password of the database is rotated in one go' >"$at/walk/rotate.sh"
recipe 'On one hardened machine, as root:' >"$at/walk/restore.sh"
[ -s "$at/walk/rotate.sh" ] && [ -s "$at/walk/restore.sh" ] || { echo "RUNBOOK.md has no such recipe" >&2; exit 1; }
[ "$(wc -l <"$at/walk/steps.sh")" -gt 20 ] || { echo "RUNBOOK.md has no such section" >&2; exit 1; }
cat >"$at/usr/local/sbin/apt-get" <<'APT'
#!/bin/sh
# What is to be installed has to be here.
for one in "$@"; do case $one in install | -y) ;; prometheus-alertmanager) ;; *) dpkg -s "$one" >/dev/null 2>&1 || { echo "not here: $one" >&2; exit 1; } ;; esac; done
APT
cat >"$at/usr/local/sbin/systemctl" <<'SYSTEMCTL'
#!/usr/bin/env bash
# Plays systemd: starts what a unit starts, as whom, with which environment and credentials.
set -euo pipefail
verb=$1; shift; [ "${1:-}" != --now ] || shift
start() {
  local unit=/lib/systemd/system/$1.service value key
  case $1 in
    *.timer) [ -f "/lib/systemd/system/$1" ] && return ;;
    postgresql) for cluster in $(pg_lsclusters -h | awk '{print $1"-"$2}'); do pg_ctlcluster "${cluster%-*}" "${cluster#*-}" start; done; return ;;
    redis-server) install -d -o redis -g redis /run/redis; setpriv --reuid=redis --regid=redis --init-groups redis-server /etc/redis/redis.conf --daemonize yes >/dev/null; return ;;
    prometheus) . /etc/default/prometheus; prometheus $ARGS --config.file=/etc/prometheus/prometheus.yml --storage.tsdb.path=/tmp/tsdb >/tmp/prometheus.log 2>&1 & return ;;
  esac
  [ -f "$unit" ] || { echo "no unit $1" >&2; exit 5; }
  local credentials=/run/credentials/$1 environment=() user command folder
  get() { sed -nE "s/^$1=(.*)/\1/p" "$unit"; }
  user=$(get User) command=$(get ExecStart)
  install -d -m 700 -o "$user" "$credentials"
  for value in $(get LoadCredential); do install -m 400 -o "$user" "${value#*:}" "$credentials/${value%%:*}"; done
  for value in $(get LogsDirectory); do install -d -o "$user" "/var/log/$value"; done
  for value in $(get StateDirectory); do install -d -o "$user" "/var/lib/$value"; done
  for value in $(get Environment); do environment+=("${value//%d/$credentials}"); done
  for key in $(get EnvironmentFile); do [ ! -f "${key#-}" ] || while read -r value; do environment+=("$value"); done <"${key#-}"; done
  folder=$(get WorkingDirectory)
  cd "${folder:-/}"
  local run=(env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/ "${environment[@]}" setpriv --reuid="$user" --regid="$user" --init-groups --no-new-privs)
  if [ "$(get Type)" = oneshot ]; then "${run[@]}" $command; else "${run[@]}" $command >>"/tmp/$1.out" 2>&1 & echo $! >"/run/$1.pid"; fi
}
stop() {
  [ -f "/run/$1.pid" ] || return 0
  kill "$(cat "/run/$1.pid")" 2>/dev/null || true
  for _ in $(seq 200); do kill -0 "$(cat "/run/$1.pid")" 2>/dev/null || break; sleep 0.1; done
  rm "/run/$1.pid"
}
case $verb in
  daemon-reload | disable | try-restart) ;;
  stop) for one in "$@"; do stop "$one"; done ;;
  restart) for one in "$@"; do case $one in redis-server) redis-cli shutdown nosave 2>/dev/null || true; sleep 1 ;; esac; stop "$one"; start "$one"; done ;;
  enable | start) for one in "$@"; do start "$one"; done ;;
esac
SYSTEMCTL
chmod 755 "$at"/usr/local/sbin/{apt-get,systemctl}
cat >"$at/walk/proof.sh" <<'PROOF'
# What has to be true when the lines have been typed.
claim() { local words=$1; shift; "$@" >/tmp/said 2>&1 || { echo "FAILED: $words" >&2; cat /tmp/said >&2; tail -n 5 /tmp/*.out >&2; exit 1; }; echo "PROVED  $words"; }
ca=/etc/core-agent/tls/ca.crt api=https://$NODE:3000
not() { ! "$@"; }
claim "plain HTTP gets no answer from the API" not curl -fs --max-time 3 "http://$NODE:3000/api/v1/findings"
claim "without a token nobody is let in" test "$(curl -s -o /dev/null -w '%{http_code}' --cacert $ca "$api/api/v1/findings")" = 401
for at in $(seq 12); do echo "<38>1 2026-11-29T10:00:$((at + 10))Z gate sshd $at - - Failed password for root from 203.0.113.9 port 4000 ssh2"; done >/tmp/lines
send() { (while read -r line; do printf '%s %s' "${#line}" "$line"; done </tmp/lines; sleep 1) | timeout 20 openssl s_client -quiet -no_ign_eof -verify_return_error -CAfile $ca -connect "$NODE:6514"; }
claim "syslog over TLS is taken" send
found() { for _ in $(seq 50); do curl -s --cacert $ca -H "Authorization: Bearer $TOKEN" "$api/api/v1/findings" | grep -q 203.0.113.9 && return; sleep 0.2; done; return 1; }
claim "it becomes a finding" found
claim "the backup is encrypted, with its sum" bash -c 'cd /var/backups/core-agent && sha256sum -c --quiet backup_*.enc.sha256 && [ "$(head -c 6 backup_*.enc)" = Salted ]'
claim "the drill has succeeded" bash -c 'psql "$(cat /etc/core-agent/secrets/store_url)" -tAc "SELECT count(*) FROM tasks WHERE name IN ('"'backup', 'drill'"')" | grep -qx 2'
claim "secrets are read by root alone" not setpriv --reuid=c0di3 --regid=c0di3 --clear-groups cat /etc/core-agent/secrets/store_url
claim "alerts are loaded" bash -c 'curl -s localhost:9090/api/v1/rules | grep -q "\"type\":\"alerting\""'
claim "both services are scraped" bash -c 'for _ in $(seq 100); do [ "$(curl -s "localhost:9090/api/v1/query?query=sum(up)" | grep -o "\"2\"")" ] && exit; sleep 0.5; done; exit 1'
claim "only TLS listens beyond loopback" bash -c 'ss -ltnH | awk "{print \$4}" | grep -vE "^(127\.|\[::1\])" | grep -vE ":(3000|6514)$" | (! grep .)'
# Recipes of the runbook, as they stand there.
answers() { for _ in $(seq 100); do [ "$(curl -s -o /dev/null -w '%{http_code}' --cacert $ca -H "Authorization: Bearer $TOKEN" "$api/api/v1/findings")" = 200 ] && return; sleep 0.2; done; return 1; }
old=$(cat /etc/core-agent/secrets/postgres_password)
claim "the password of the database is rotated" bash -euo pipefail /walk/rotate.sh
claim "the old password opens nothing" not psql "postgres://coreagent:$old@127.0.0.1:5432/core_agent" -c 'SELECT 1'
claim "the services go on with the new one" answers
systemctl start core-agent-backup >/dev/null
c0di3 token create --role viewer --name late >/dev/null 2>&1
claim "a database that is damaged is put beside, and the newest backup is restored" bash -euo pipefail /walk/restore.sh
claim "the services go on with what was restored" answers
claim "what the backup knew is there, what came later is not" bash -c 'c0di3 token list 2>/dev/null | grep -q "	me	" && ! c0di3 token list 2>/dev/null | grep -q "	late	"'
claim "the findings are there" found
# The package goes over itself, is removed and purged: what is set and kept stays as long as it is said to.
echo '# ours' >>/etc/core-agent/c0di3.toml
data=$(find /var/lib/core-agent -type f -print -quit)
kept() { grep -q '^# ours' /etc/core-agent/c0di3.toml && [ -f "$data" ] && [ -f /etc/core-agent/secrets/store_url ] && ls /var/backups/core-agent/backup_*.enc; }
claim "a new shell works on the same store" bash -c 'unset C0DI3_CONFIG C0DI3_STORE_URL_FILE; cd /tmp && c0di3 token list 2>/tmp/named | grep -q "me" && grep -q "^store: postgres" /tmp/named'
claim "another user is told, and gets no store of its own" bash -c 'unset C0DI3_CONFIG C0DI3_STORE_URL_FILE; cd /tmp && ! setpriv --reuid=nobody --regid=nogroup --clear-groups c0di3 token create --role admin 2>/tmp/refused && grep -q "cannot read /etc/core-agent/c0di3.toml" /tmp/refused && [ ! -e /tmp/data ]'
archive=$(find /var/lib/core-agent/archive -name '*.parquet' -print -quit)
claim "an upgrade keeps configuration and data, and asks nothing" bash -c "$(declare -f kept); data=$data; dpkg -i /walk/core-agent_*.deb </dev/null && kept && c0di3 --version"
claim "removal keeps configuration and data" bash -c "$(declare -f kept); data=$data; dpkg -r core-agent && kept && [ ! -e /usr/bin/c0di3 ]"
claim "a purge keeps events, backups and their key alone" bash -c "archive=$archive; "'dpkg --purge core-agent && ls /var/backups/core-agent/backup_*.enc /etc/core-agent/backup.key && [ -f "$archive" ] && [ ! -e /var/lib/core-agent/spool ] && [ ! -e /etc/core-agent/secrets ] && [ ! -e /etc/core-agent/c0di3.toml ]'
PROOF
started=$(date +%s)
chroot "$at" /usr/bin/env -i PATH=/usr/local/sbin:/usr/bin:/bin:/usr/sbin:/sbin HOME=/root DEBIAN_FRONTEND=noninteractive bash -euo pipefail -c '
  cd /walk
  hostname() { echo node.example; }
  echo "127.0.0.1 localhost node.example" >/etc/hosts
  set -v; . ./steps.sh; set +v
  . /walk/proof.sh'
echo "the single machine stands after $(($(date +%s) - started)) s, of which nothing was waiting for a person"
