#!/usr/bin/env bash
# Restores a backup into an EMPTY database: restore-db.sh FILE. Stop agent and analyzer first. Where the server is: db-place.sh;
# BACKUP_KEY_FILE opens an encrypted one. It refuses a database that holds findings, unless FORCE=1 is set: then everything in
# it is replaced.
set -euo pipefail
file=${1:?usage: restore-db.sh FILE}
# shellcheck source=deploy/scripts/db-place.sh
. "$(dirname "$0")/db-place.sh"
[ -f "$file" ] || { echo "there is no $file" >&2; exit 1; }
[ -f "$file.sha256" ] || { echo "$file has no sum $file.sha256: it cannot be told whether it is whole" >&2; [ "${FORCE:-}" = 1 ] || exit 1; }
if [ -f "$file.sha256" ]; then
  (cd "$(dirname "$file")" && sha256sum --quiet --check "$(basename "$file").sha256" >/dev/null 2>&1) || { echo "$file is damaged" >&2; exit 1; }
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dump=$file
if [ "${file%.enc}" != "$file" ]; then
  openssl enc -d "${cipher[@]}" -pass "file:${BACKUP_KEY_FILE:?names the key of an encrypted backup}" -in "$file" -out "$work/dump"
  dump=$work/dump
fi
pg_restore --list "$dump" >/dev/null 2>&1 || { echo "$file is no dump, or the key is wrong" >&2; exit 1; }
if [ "$(ask "SELECT to_regclass('findings') IS NOT NULL")" = t ]; then
  if [ "$(ask 'SELECT count(*) FROM findings')" != 0 ] && [ "${FORCE:-}" != 1 ]; then
    echo "the database $database holds findings: restore into an empty one, or set FORCE=1 to replace them" >&2
    exit 1
  fi
  ask 'SET client_min_messages = warning; DROP SCHEMA public CASCADE; CREATE SCHEMA public' >/dev/null
fi
pg_restore --dbname="$database" --no-owner --exit-on-error --single-transaction "$dump"
ask 'ANALYZE' >/dev/null
echo "restored: $(ask 'SELECT count(*) FROM findings') findings, $(ask 'SELECT count(*) FROM incidents') incidents"
