#!/usr/bin/env bash
# The program needs no system call that deploy/seccomp.json refuses: seccomp.sh PROGRAM. It serves, takes events over HTTP and syslog,
# answers, writes a heap profile and ends, while its calls are counted (strace).
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
program=$(realpath "$1")
command -v strace >/dev/null || { echo "NOTE: no strace here: system calls were not counted"; exit 0; }
work=$(mktemp -d)
traced=
trap '[ -z "$traced" ] || kill -KILL "$traced" 2>/dev/null; rm -rf "$work"' EXIT
cd "$work"
free() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
api=$(free) health=$(free) ingest=$(free) syslog=$(free)
export C0DI3_API_LISTEN=127.0.0.1:$api C0DI3_API_HEALTH_LISTEN=127.0.0.1:$health C0DI3_ANALYZER_LISTEN=127.0.0.1:$ingest
export C0DI3_SYSLOG_TCP=127.0.0.1:$syslog C0DI3_SYSLOG_UDP=127.0.0.1:$syslog C0DI3_LOG_FOLDER=$work/logs C0DI3_TAIL_PATHS=$work/followed
echo 'a line' >followed
# As containers run it: SQLite changes owners where it is root.
as=()
if [ "$(id -u)" = 0 ]; then
  cp "$program" "$work/c0di3" && program=$work/c0di3
  chmod 755 "$work" && chown -R 65534:65534 "$work"
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups --)
fi
"${as[@]}" strace -f -c -qq -o calls "$program" serve >out 2>&1 &
traced=$!
until curl -fs --max-time 1 "http://127.0.0.1:$api/ready" >/dev/null; do kill -0 "$traced" || { cat out >&2; exit 1; }; sleep 0.2; done
curl -fs --data-binary "@$root/deploy/sample-logs/auth.log" "http://127.0.0.1:$ingest/ingest" >/dev/null
echo '<38>1 2026-11-29T10:00:00Z gate sshd 1 - - Failed password for root from 203.0.113.9 port 4000 ssh2' >"/dev/tcp/127.0.0.1/$syslog"
echo 'another line' >>followed
served=$(pgrep -P "$traced")
kill -USR2 "$served"
sleep 3
curl -fs "http://127.0.0.1:$api/api/v1/findings" | grep -q '"rule.id"' || { echo "nothing was found" >&2; exit 1; }
kill -TERM "$served"
wait "$traced" || true
traced=
# The table of strace: the name stands last, between two lines of dashes.
awk '/^-/ { inside = !inside; next } inside { print $NF }' calls | sort -u >used
refused=$(comm -23 used <(python3 -c "
import json
for group in json.load(open('$root/deploy/seccomp.json'))['syscalls']:
    print(*group['names'], sep='\n')" | sort -u))
[ -z "$refused" ] || { echo "calls that deploy/seccomp.json refuses: $refused" >&2; exit 1; }
[ "$(wc -l <used)" -gt 30 ] || { echo "too few calls were counted" >&2; cat calls >&2; exit 1; }
echo "the program used $(wc -l <used) system calls, and none that the profile refuses"
