#!/usr/bin/env bash
# Makes the secrets of an installation, once: make-secrets.sh FOLDER [--rotate]. Files that are there stay, unless --rotate is
# given, which makes all anew and keeps the old ones beside them (NAME.old); it does nothing while old ones are there, since one of
# them may be the only one that the database knows. POSTGRES_HOST and the like say where the store is; what is not said stays as the
# present store_url has it, or is postgres:5432.
set -euo pipefail
folder=${1:?usage: make-secrets.sh FOLDER [--rotate]}
rotate=${2:-}
case $rotate in '' | --rotate) ;; *) echo "usage: make-secrets.sh FOLDER [--rotate]" >&2; exit 2 ;; esac
present=
[ ! -f "$folder/store_url" ] || present=$(cat "$folder/store_url")
part() { [[ $present =~ ^postgres(ql)?://([^:@/]+)(:[^@]*)?@([^:/]+)(:([0-9]+))?/(.+)$ ]] && printf '%s' "${BASH_REMATCH[$1]}"; }
user=${POSTGRES_USER:-$(part 2 || true)} host=${POSTGRES_HOST:-$(part 4 || true)} port=${POSTGRES_PORT:-$(part 6 || true)} database=${POSTGRES_DB:-$(part 7 || true)}
user=${user:-coreagent} host=${host:-postgres} port=${port:-5432} database=${database:-core_agent}
if [ "$rotate" = --rotate ]; then
  for old in "$folder"/*.old; do
    [ -e "$old" ] || continue
    echo "$old is there, from a rotation before this one: once the database has the new password (ALTER ROLE, RUNBOOK.md) remove $folder/*.old," >&2
    echo "or move them back over the new ones where it never got it; then call this again. Nothing was changed" >&2
    exit 1
  done
fi
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
