#!/usr/bin/env bash
# Makes the Debian package of a built program: package-deb.sh PROGRAM [FOLDER]. Program, units, configuration, scripts, logrotate,
# manual pages and completions. The configuration is made at the first installation, and is nobody's but the operator's from then on:
# an upgrade asks nothing. Removal keeps configuration and data; purge removes what the package made, and keeps events and backups.
# The same program gives the same bytes (SOURCE_DATE_EPOCH).
set -euo pipefail
program=$(realpath "$1") out=$(realpath -m "${2:-.}")
cd "$(dirname "$0")/../.."
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
version=$("$program" --version | awk '{print $2}')
architecture=$(dpkg --print-architecture)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree
umask 022
put() { install -D -m "$1" "$2" "$tree$3"; }
put 755 "$program" /usr/bin/c0di3
# Names of functions stay in a file of their own build; the package holds the program alone.
strip --strip-debug "$tree/usr/bin/c0di3" 2>/dev/null || true
for unit in deploy/systemd/*.service deploy/systemd/*.timer; do put 644 "$unit" "/lib/systemd/system/$(basename "$unit")"; done
for script in deploy/scripts/*-db.sh; do put 755 "$script" "/usr/share/core-agent/$(basename "$script")"; done
put 644 deploy/scripts/db-place.sh /usr/share/core-agent/db-place.sh
for script in make-secrets.sh make-certificates.sh; do put 755 "deploy/scripts/$script" "/usr/share/core-agent/$script"; done
put 644 deploy/systemd/c0di3-tls.toml /usr/share/core-agent/c0di3-tls.toml
put 644 deploy/monitoring/prometheus/rules.yml /usr/share/core-agent/rules.yml
put 644 deploy/monitoring/prometheus/single-node.yml /usr/share/core-agent/prometheus.yml
put 644 deploy/systemd/c0di3.toml /usr/share/core-agent/c0di3.toml
for file in deploy/shippers/*; do put 644 "$file" "/usr/share/doc/core-agent/shippers/$(basename "$file")"; done
put 644 deploy/logrotate/core-agent /etc/logrotate.d/core-agent
for page in README.md RUNBOOK.md SECURITY.md CHANGELOG.md; do put 644 "$page" "/usr/share/doc/core-agent/$page"; done
if [ -f "$out/c0di3.cdx.json" ]; then put 644 "$out/c0di3.cdx.json" /usr/share/doc/core-agent/c0di3.cdx.json; fi
put 644 LICENSE /usr/share/doc/core-agent/copyright
mkdir -p "$tree/usr/share/man/man1" "$tree/usr/share/bash-completion/completions" "$tree/usr/share/zsh/vendor-completions" "$tree/usr/share/fish/vendor_completions.d"
"$program" man "$tree/usr/share/man/man1" 2>/dev/null
gzip -9n "$tree"/usr/share/man/man1/*.1
"$program" completions bash >"$tree/usr/share/bash-completion/completions/c0di3"
"$program" completions zsh >"$tree/usr/share/zsh/vendor-completions/_c0di3"
"$program" completions fish >"$tree/usr/share/fish/vendor_completions.d/c0di3.fish"
mkdir -p "$tree/DEBIAN"
cat >"$tree/DEBIAN/control" <<CONTROL
Package: core-agent
Version: $version
Architecture: $architecture
Maintainer: C0Di3 <root@localhost>
Section: admin
Priority: optional
Depends: adduser, libc6, libgcc-s1, libssl3, libstdc++6, zlib1g
Recommends: postgresql-client, logrotate, openssl, curl
Suggests: postgresql, redis-server, prometheus
Description: security logs in, findings with evidence out
 Reads syslog, web access logs, audit records and JSON lines, tells which lines are an attack, and keeps the proof.
CONTROL
printf '%s\n' /etc/logrotate.d/core-agent >"$tree/DEBIAN/conffiles"
cat >"$tree/DEBIAN/postinst" <<'POSTINST'
#!/bin/sh
# User, folders, and a restart of what runs. Starts nothing that was not running: the store has to be named first.
set -e
if [ "$1" = configure ]; then
  getent passwd c0di3 >/dev/null || adduser --system --group --home /var/lib/core-agent --no-create-home --shell /usr/sbin/nologin c0di3 >/dev/null
  install -d -m 750 -o c0di3 -g c0di3 /var/lib/core-agent /var/backups/core-agent
  install -d -m 755 /etc/core-agent
  install -d -m 700 /etc/core-agent/secrets
  [ -e /etc/core-agent/c0di3.toml ] || cp /usr/share/core-agent/c0di3.toml /etc/core-agent/c0di3.toml
  chgrp c0di3 /etc/core-agent/c0di3.toml && chmod 640 /etc/core-agent/c0di3.toml
  if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    for unit in log-analyzer core-agent; do systemctl try-restart "$unit.service" || true; done
  fi
fi
POSTINST
cat >"$tree/DEBIAN/prerm" <<'PRERM'
#!/bin/sh
# An upgrade leaves services running until the new program is there.
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  systemctl disable --now core-agent log-analyzer core-agent-backup.timer core-agent-drill.timer core-agent-retention.timer core-agent-vacuum.timer 2>/dev/null || true
fi
PRERM
cat >"$tree/DEBIAN/postrm" <<'POSTRM'
#!/bin/sh
# Purge takes configuration, secrets (the key of backups and that of the authority are not among them), spool and logs. The archive
# of events, backups, their key, certificates and the database are not ours to delete: RUNBOOK.md says how they go.
set -e
[ ! -d /run/systemd/system ] || systemctl daemon-reload || true
if [ "$1" = purge ]; then
  rm -rf /var/lib/core-agent/spool /var/log/core-agent /etc/core-agent/secrets
  rm -f /etc/core-agent/c0di3.toml
  rmdir --ignore-fail-on-non-empty /var/lib/core-agent /etc/core-agent 2>/dev/null || true
fi
POSTRM
chmod 755 "$tree"/DEBIAN/p*
find "$tree" -newermt "@$SOURCE_DATE_EPOCH" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
mkdir -p "$out"
package=$out/core-agent_${version}_$architecture.deb
dpkg-deb --root-owner-group -Z"${DEB_COMPRESSION:-xz}" -z"${DEB_LEVEL:-6}" --build "$tree" "$package" >/dev/null
echo "$package"
