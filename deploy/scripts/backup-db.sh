#!/usr/bin/env bash
# Backs the PostgreSQL store up: backup-db.sh FOLDER. Where the server is comes from POSTGRES_HOST, POSTGRES_PORT,
# POSTGRES_USER and POSTGRES_DB; the password from PGPASSWORD or ~/.pgpass. Backups older than KEEP_DAYS (30) are deleted,
# but never the last one that is left.
set -euo pipefail
folder=${1:?usage: backup-db.sh FOLDER}
host=${POSTGRES_HOST:-127.0.0.1} port=${POSTGRES_PORT:-5432} user=${POSTGRES_USER:-coreagent} database=${POSTGRES_DB:-core_agent}
keep_days=${KEEP_DAYS:-30}
mkdir -p "$folder"
name=backup_$(date -u +%Y%m%dT%H%M%SZ).dump
trap 'rm -f "$folder/$name.part"' EXIT
# The custom format is compressed already.
pg_dump --host="$host" --port="$port" --username="$user" --dbname="$database" --format=custom --file="$folder/$name.part"
# A dump that cannot be listed is no backup.
pg_restore --list "$folder/$name.part" >/dev/null
mv "$folder/$name.part" "$folder/$name"
(cd "$folder" && sha256sum "$name" >"$name.sha256")
find "$folder" -maxdepth 1 -name 'backup_*.dump' -mtime "+$keep_days" ! -name "$name" -exec sh -c 'rm -f "$1" "$1.sha256"' _ {} \;
echo "$folder/$name"
