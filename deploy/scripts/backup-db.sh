#!/usr/bin/env bash
# Backs the store up: backup-db.sh FOLDER. Where it is, and how backups are encrypted: db-place.sh. CONFIG_PATHS, separated by
# colons, are backed up beside the database. Backups older than KEEP_DAYS (30) are deleted, but never the last good one.
set -euo pipefail
folder=${1:?usage: backup-db.sh FOLDER}
# shellcheck source=deploy/scripts/db-place.sh
. "$(dirname "$0")/db-place.sh"
keep_days=${KEEP_DAYS:-30}
umask 077
mkdir -p "$folder"
exec 9>"$folder/.lock"
flock --nonblock 9 || { echo "another backup is being made in $folder" >&2; exit 1; }
now=$(date -u +%Y%m%dT%H%M%SZ)
trap 'rm -f "$folder"/*.part' EXIT
if [ -n "$embedded" ]; then
  name=backup_$now.db.gz
  # A copy of one moment, made while others write; one that does not add up is no backup.
  on_store "$url" db copy "$folder/$now.db.part"
  gzip -6 --stdout "$folder/$now.db.part" >"$folder/$name.part"
  gzip --test <"$folder/$name.part"
  rm "$folder/$now.db.part"
else
  name=backup_$now.dump
  # The custom format is compressed already. A dump that cannot be listed is no backup.
  pg_dump --dbname="$database" --format=custom --compress=6 --file="$folder/$name.part"
  pg_restore --list "$folder/$name.part" >/dev/null
fi
seal() { # FILE.part → FILE, FILE.enc or FILE.age, with its sum; prints the name
  local last=$1 ending
  if encrypts; then
    ending=$(encrypt "$folder/$1.part" "$folder/$1")
    [ -n "$ending" ] || { echo "$1 could not be encrypted" >&2; return 1; }
    rm "$folder/$1.part"
    last=$1$ending
  fi
  sync "$folder/$last.part"
  (cd "$folder" && sha256sum "$last.part" | sed 's/\.part$//' >"$last.sha256.part" && mv "$last.sha256.part" "$last.sha256" && mv "$last.part" "$last")
  echo "$last"
}
name=$(seal "$name")
if [ -n "${CONFIG_PATHS:-}" ]; then
  IFS=: read -ra paths <<<"$CONFIG_PATHS"
  tar --create --gzip --file="$folder/config_$now.tar.gz.part" --ignore-failed-read --absolute-names "${paths[@]}"
  seal "config_$now.tar.gz" >/dev/null
fi
# A good one is one whose sum is right. What was just made is one: older files may go, whatever they are.
(cd "$folder" && sha256sum --quiet --check "$name.sha256") || { echo "$folder/$name was not written as it was read" >&2; exit 1; }
find "$folder" -maxdepth 1 -type f \( -name 'backup_*' -o -name 'config_*' \) -mtime "+$keep_days" ! -name "$name*" -delete
done_now backup "$name, $(stat -c %s "$folder/$name") bytes"
echo "$folder/$name"
