#!/usr/bin/env bash
# Makes the secrets of an installation, once: make-secrets.sh FOLDER [--rotate]. Files that are there stay, unless --rotate is
# given, which makes all anew and keeps the old ones beside them (NAME.old). HOST (postgres) is where the store is.
set -euo pipefail
folder=${1:?usage: make-secrets.sh FOLDER [--rotate]}
rotate=${2:-}
host=${POSTGRES_HOST:-postgres} port=${POSTGRES_PORT:-5432} user=${POSTGRES_USER:-coreagent} database=${POSTGRES_DB:-core_agent}
umask 077
mkdir -p "$folder"
random() { head -c 24 /dev/urandom | base64 | tr '+/' '-_'; }
# Compose hands the files to users of containers as they are: the folder keeps others out.
write() { printf '%s\n' "$2" >"$folder/$1.new"; chmod 444 "$folder/$1.new"; mv -f "$folder/$1.new" "$folder/$1"; echo "$folder/$1"; }
for name in postgres_password grafana_password; do
  if [ "$rotate" = --rotate ] && [ -f "$folder/$name" ]; then mv -f "$folder/$name" "$folder/$name.old"; fi
  [ -f "$folder/$name" ] || write "$name" "$(random)"
done
write store_url "postgres://$user:$(cat "$folder/postgres_password")@$host:$port/$database"
