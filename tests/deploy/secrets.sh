#!/usr/bin/env bash
# Secrets and certificates as people make, rotate and renew them: secrets.sh. Nothing that works is overwritten, nothing half made
# stays, and what is refused says what to do.
set -euo pipefail
scripts=$(cd "$(dirname "$0")/../../deploy/scripts" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset "${!POSTGRES_@}"
fail() { echo "FAILED: $1" >&2; exit 1; }
refuses() { # words, command…
  local words=$1 said
  shift
  said=$("$@" 2>&1) && fail "was not refused: $*"
  grep -qF -- "$words" <<<"$said" || fail "not said: $words, but: $said"
}
secrets=$work/secrets
POSTGRES_HOST=127.0.0.1 POSTGRES_PORT=5433 "$scripts/make-secrets.sh" "$secrets" >/dev/null
first=$(cat "$secrets/postgres_password")
"$scripts/make-secrets.sh" "$secrets" --rotate >/dev/null
second=$(cat "$secrets/postgres_password")
[ "$(cat "$secrets/store_url")" = "postgres://coreagent:$second@127.0.0.1:5433/core_agent" ] || fail "the store is named elsewhere: $(cat "$secrets/store_url")"
[ "$first" != "$second" ] && [ "$(cat "$secrets/postgres_password.old")" = "$first" ] || fail "the old password is not kept"
refuses "ALTER ROLE" "$scripts/make-secrets.sh" "$secrets" --rotate
[ "$(cat "$secrets/postgres_password.old" "$secrets/postgres_password")" = "$first"$'\n'"$second" ] || fail "a second rotation changed something"
rm "$secrets"/*.old
"$scripts/make-secrets.sh" "$secrets" --rotate >/dev/null
[ "$(cat "$secrets/postgres_password.old")" = "$second" ] || fail "it does not rotate again"
"$scripts/make-secrets.sh" "$work/fresh" >/dev/null
grep -q '@postgres:5432/core_agent$' "$work/fresh/store_url" || fail "the first one names no host of its own"

tls=$work/tls
"$scripts/make-certificates.sh" "$tls" node.example >/dev/null
mv "$tls/ca.key" "$work/away"
before=$(cd "$tls" && sha256sum -- *)
refuses "ca.key is not here" "$scripts/make-certificates.sh" "$tls" --renew node.example
[ "$(cd "$tls" && sha256sum -- *)" = "$before" ] || fail "something was changed or left"
mv "$work/away" "$tls/ca.key"
"$scripts/make-certificates.sh" "$tls" --renew node.example >/dev/null
[ "$(cd "$tls" && sha256sum -- *)" != "$before" ] || fail "it was not renewed"
[ -z "$(find "$tls" -name '*.new' -o -name '*.csr')" ] || fail "something half made is left"

# What cannot be read is not called damaged. Root reads everything: the question is put by somebody else.
backups=$work/backups
mkdir "$backups"
echo dump >"$backups/backup_20260101T000000Z.dump"
(cd "$backups" && sha256sum backup_*.dump >backup_20260101T000000Z.dump.sha256 && chmod 600 backup_*.dump)
chmod 755 "$work" "$backups"
if [ "$(id -u)" = 0 ]; then
  mkdir -m 755 "$work/scripts" && cp "$scripts"/*-db.sh "$scripts/db-place.sh" "$work/scripts/"
  refuses "cannot read $backups/backup_20260101T000000Z.dump" setpriv --reuid=nobody --regid=nogroup --clear-groups "$work/scripts/restore-db.sh" "$backups/backup_20260101T000000Z.dump"
  chmod 700 "$backups"
  refuses "cannot read $backups" setpriv --reuid=nobody --regid=nogroup --clear-groups "$work/scripts/drill-db.sh" "$backups"
fi
echo "secrets rotate, certificates are renewed, and nothing that works is lost"
