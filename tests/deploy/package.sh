#!/usr/bin/env bash
# The Debian package of a program: package.sh PROGRAM. What is in it, its scripts, and that it is the same when made again.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# A program for development is mostly names: without them, and packed quickly, this takes seconds.
program=$work/c0di3
strip --strip-debug -o "$program" "$1"
export SOURCE_DATE_EPOCH=1700000000 DEB_COMPRESSION=gzip DEB_LEVEL=1
package=$("$root/deploy/scripts/package-deb.sh" "$program" "$work/first")
again=$("$root/deploy/scripts/package-deb.sh" "$program" "$work/second")
cmp "$package" "$again" || { echo "the package is another when it is made again" >&2; exit 1; }
dpkg-deb --contents "$package" >"$work/contents"
for path in usr/bin/c0di3 lib/systemd/system/core-agent.service lib/systemd/system/core-agent-backup.timer usr/share/core-agent/c0di3.toml \
  usr/share/doc/core-agent/shippers/rsyslog-tls.conf usr/share/doc/core-agent/shippers/README.md \
  etc/logrotate.d/core-agent usr/share/man/man1/c0di3.1.gz usr/share/bash-completion/completions/c0di3 usr/share/zsh/vendor-completions/_c0di3 \
  usr/share/fish/vendor_completions.d/c0di3.fish usr/share/core-agent/backup-db.sh usr/share/core-agent/drill-db.sh; do
  grep -q " \./$path\$" "$work/contents" || { echo "the package lacks $path" >&2; exit 1; }
done
dpkg-deb --extract "$package" "$work/tree"
dpkg-deb --control "$package" "$work/control"
for script in "$work"/control/p*; do sh -n "$script"; done
bash -n "$work/tree/usr/share/bash-completion/completions/c0di3"
"$work/tree/usr/bin/c0di3" --version
(cd "$work" && C0DI3_STORE_URL=sqlite:x.db "$work/tree/usr/bin/c0di3" --config "$work/tree/usr/share/core-agent/c0di3.toml" config check)
# What the operator writes is no file of the package: an upgrade would ask about it.
[ ! -e "$work/tree/etc/core-agent/c0di3.toml" ] && ! grep -q c0di3.toml "$work/control/conffiles" || { echo "the configuration is a file of the package" >&2; exit 1; }
# What the units start is in the package.
for file in $(sed -nE 's/^ExecStart=([^ ]+).*/\1/p' "$work"/tree/lib/systemd/system/*.service | sort -u); do
  [ -x "$work/tree$file" ] || { echo "a unit starts $file, which is not in the package" >&2; exit 1; }
done
echo "the package $(basename "$package") is whole: $(stat -c %s "$package") bytes"
