#!/usr/bin/env bash
# Packs a built program: package-tarball.sh PROGRAM [FOLDER]. Program, rules, schemas, units, configuration, scripts, rules of alerts, boards,
# manual pages and completions, in one folder of the name of the archive. The same program gives the same bytes (SOURCE_DATE_EPOCH).
set -euo pipefail
program=$(realpath "$1") out=$(realpath -m "${2:-.}")
cd "$(dirname "$0")/../.."
export LC_ALL=C TZ=UTC SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
version=$("$program" --version | awk '{print $2}')
name=c0di3-$version-$(uname -m)-linux
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/$name
umask 022
put() { install -D -m "$1" "$2" "$tree/$3"; }
put 755 "$program" bin/c0di3
for unit in deploy/systemd/*.service deploy/systemd/*.timer; do put 644 "$unit" "systemd/$(basename "$unit")"; done
for file in c0di3.toml c0di3-tls.toml; do put 644 "deploy/systemd/$file" "etc/$file"; done
put 644 deploy/logrotate/core-agent etc/logrotate.d/core-agent
put 644 deploy/seccomp.json etc/seccomp.json
for script in deploy/scripts/*-db.sh deploy/scripts/make-secrets.sh deploy/scripts/make-certificates.sh; do put 755 "$script" "scripts/$(basename "$script")"; done
put 644 deploy/scripts/db-place.sh scripts/db-place.sh
# The rules are in the program as well; here they are to be read, and to be copied and changed.
while read -r file; do put 644 "$file" "$file"; done < <(find rules schemas deploy/monitoring deploy/shippers -type f ! -name '*.pyc' | sort)
for page in README.md RUNBOOK.md SECURITY.md CHANGELOG.md LICENSE deploy/SIZING.md deploy/systemd/README.md; do put 644 "$page" "doc/${page#deploy/}"; done
if [ -f "$out/c0di3.cdx.json" ]; then put 644 "$out/c0di3.cdx.json" doc/c0di3.cdx.json; fi
mkdir -p "$tree/share/man/man1" "$tree/share/completions"
"$program" man "$tree/share/man/man1" 2>/dev/null
for shell in bash zsh fish; do "$program" completions "$shell" >"$tree/share/completions/c0di3.$shell"; done
(cd "$tree" && find . -type f ! -name SHA256SUMS -print0 | sort -z | xargs -0 sha256sum >"$work/sums" && mv "$work/sums" SHA256SUMS)
find "$tree" -type d -exec chmod 755 {} +
mkdir -p "$out"
tar --sort=name --format=ustar --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -C "$work" -cf - "$name" | gzip "-${GZIP_LEVEL:-9}n" >"$out/$name.tar.gz"
echo "$out/$name.tar.gz"
