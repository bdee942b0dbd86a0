#!/usr/bin/env bash
# Restores a backup into an EMPTY database: restore-db.sh FILE. Stop agent and analyzer first. The server is named as for
# backup-db.sh. It refuses a database that holds findings, unless FORCE=1 is set: then everything in it is replaced.
set -euo pipefail
file=${1:?usage: restore-db.sh FILE}
host=${POSTGRES_HOST:-127.0.0.1} port=${POSTGRES_PORT:-5432} user=${POSTGRES_USER:-coreagent} database=${POSTGRES_DB:-core_agent}
to=(--host="$host" --port="$port" --username="$user" --dbname="$database")
if [ -f "$file.sha256" ]; then
  (cd "$(dirname "$file")" && sha256sum --quiet --check "$(basename "$file").sha256") || { echo "$file is damaged" >&2; exit 1; }
fi
ask() { psql "${to[@]}" --no-psqlrc --tuples-only --no-align --command "$1"; }
if [ "$(ask "SELECT to_regclass('findings') IS NOT NULL")" = t ]; then
  if [ "$(ask 'SELECT count(*) FROM findings')" != 0 ] && [ "${FORCE:-}" != 1 ]; then
    echo "the database $database holds findings: restore into an empty one, or set FORCE=1 to replace them" >&2
    exit 1
  fi
  ask 'DROP SCHEMA public CASCADE; CREATE SCHEMA public' >/dev/null
fi
pg_restore "${to[@]}" --no-owner --exit-on-error --single-transaction "$file"
ask 'ANALYZE' >/dev/null
echo "restored: $(ask 'SELECT count(*) FROM findings') findings, $(ask 'SELECT count(*) FROM incidents') incidents"
