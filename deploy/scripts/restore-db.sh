#!/usr/bin/env bash
# Restores a backup into an EMPTY store: restore-db.sh FILE. Stop agent and analyzer first. Where the store is, and what opens an
# encrypted backup: db-place.sh. It refuses a store that holds findings, unless FORCE=1 is set (`c0di3 db restore --force`): then
# everything in it is replaced; a file of an embedded store is kept as FILE.replaced. Tokens come back as the backup has them, those
# that were revoked since as well: it says so.
set -euo pipefail
file=${1:?usage: restore-db.sh FILE}
# shellcheck source=deploy/scripts/db-place.sh
. "$(dirname "$0")/db-place.sh"
[ -e "$file" ] || { folder=$(dirname "$file"); [ -x "$folder" ] || { echo "cannot look into $folder: $(id -un) may not" >&2; exit 1; }; echo "there is no $file" >&2; exit 1; }
for needed in "$file" "$file.sha256"; do
  [ ! -e "$needed" ] || [ -r "$needed" ] || { echo "cannot read $needed: it belongs to $(stat -c %U "$needed"), and $(id -un) may not read it" >&2; exit 1; }
done
[ -f "$file.sha256" ] || { echo "$file has no sum $file.sha256: it cannot be told whether it is whole" >&2; [ "${FORCE:-}" = 1 ] || exit 1; }
if [ -f "$file.sha256" ]; then
  (cd "$(dirname "$file")" && sha256sum --quiet --check "$(basename "$file").sha256" >/dev/null 2>&1) || { echo "$file is damaged" >&2; exit 1; }
fi
about_tokens() {
  [ -n "${OF_A_DRILL:-}" ] || echo "NOTE: tokens are as the backup has them; those that were revoked after it are valid again: c0di3 token list, c0di3 token revoke ID" >&2
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dump=$file
case $file in
  *.enc | *.age) decrypt "$file" "$work/dump" && dump=$work/dump ;;
esac
if [ -n "$embedded" ]; then
  gzip -dc "$dump" >"$work/store.db" 2>/dev/null || { echo "$file is no backup of an embedded store, or the key is wrong" >&2; exit 1; }
  counted=$(on_store "sqlite:$work/store.db" db check) || { echo "what $file holds does not add up: $counted" >&2; exit 1; }
  if [ -e "$embedded" ] && ! on_store "$url" db check 2>/dev/null | grep -q '"findings":0,' && [ "${FORCE:-}" != 1 ]; then
    echo "the store $embedded holds findings: restore into another place, or use --force (the script: FORCE=1) to replace them" >&2
    exit 1
  fi
  mkdir -p "$(dirname "$embedded")"
  [ ! -e "$embedded" ] || mv -f "$embedded" "$embedded.replaced"
  rm -f "$embedded-wal" "$embedded-shm"
  cp "$work/store.db" "$embedded.part" && sync "$embedded.part" && mv "$embedded.part" "$embedded"
  echo "restored: $counted"
  about_tokens
  exit 0
fi
pg_restore --list "$dump" >/dev/null 2>&1 || { echo "$file is no dump, or the key is wrong" >&2; exit 1; }
if [ "$(ask "SELECT to_regclass('findings') IS NOT NULL")" = t ]; then
  if [ "$(ask 'SELECT count(*) FROM findings')" != 0 ] && [ "${FORCE:-}" != 1 ]; then
    echo "the database $database holds findings: restore into an empty one, or use --force (the script: FORCE=1) to replace them" >&2
    exit 1
  fi
  ask 'SET client_min_messages = warning; DROP SCHEMA public CASCADE; CREATE SCHEMA public' >/dev/null
fi
pg_restore --dbname="$database" --no-owner --exit-on-error --single-transaction "$dump"
PGOPTIONS='-c client_min_messages=error' ask 'ANALYZE' >/dev/null
echo "restored: $(ask 'SELECT count(*) FROM findings') findings, $(ask 'SELECT count(*) FROM incidents') incidents"
about_tokens
