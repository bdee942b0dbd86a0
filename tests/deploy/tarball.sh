#!/usr/bin/env bash
# The archive of a built program: tarball.sh PROGRAM. Packed twice, from another folder and at another time, it has the same bytes; its
# contents are those that it lists, owned by root, at one time; program, manual, completions and configuration are in it and work.
set -euo pipefail
built=$(realpath "$1")
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }
export SOURCE_DATE_EPOCH=1700000000 GZIP_LEVEL=1
program=$work/c0di3
strip --strip-debug -o "$program" "$built"
first=$("$root/deploy/scripts/package-tarball.sh" "$program" "$work/first")
mkdir -p "$work/copy"
cp -r "$root"/{README.md,RUNBOOK.md,SECURITY.md,CHANGELOG.md,LICENSE,rules,schemas,deploy} "$work/copy/"
find "$work/copy" -exec touch -d '2001-01-01' {} +
chmod -R go-rwx "$work/copy"
second=$(umask 077; cd / && "$work/copy/deploy/scripts/package-tarball.sh" "$program" "$work/second")
cmp "$first" "$second" || fail "two archives of one program differ"
tar -tvzf "$first" --numeric-owner >"$work/list"
grep -qv ' 0/0 ' "$work/list" && fail "an owner is not root"
[ "$(TZ=UTC awk '{print $4, $5}' "$work/list" | sort -u | wc -l)" = 1 ] || fail "times differ"
tar -xzf "$first" -C "$work"
name=$(basename "$first" .tar.gz)
[[ $name =~ ^c0di3-[0-9]+\.[0-9]+\.[0-9]+-[a-z0-9_]+-linux$ ]] || fail "name: $name"
cd "$work/$name"
sha256sum --quiet -c SHA256SUMS || fail "sums"
[ "$(find . -type f | wc -l)" = $(($(wc -l <SHA256SUMS) + 1)) ] || fail "a file is not listed"
for file in bin/c0di3 rules/README.md systemd/core-agent.service etc/c0di3.toml scripts/backup-db.sh doc/RUNBOOK.md share/man/man1/c0di3.1 share/completions/c0di3.fish; do
  [ -s "$file" ] || fail "$file is missing"
done
bin/c0di3 --version >/dev/null && bash -n share/completions/c0di3.bash || fail "what is in it does not work"
bin/c0di3 rules check rules >/dev/null 2>"$work/err" || fail "its rules: $(cat "$work/err")"
echo "tarball: $(wc -l <"$work/list") entries, the same bytes twice"
