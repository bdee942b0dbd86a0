#!/usr/bin/env bash
# The drill: drill-db.sh FOLDER restores the newest backup into a scratch database, and proves that it could be worked with: its
# sum, its counts against those told here, `c0di3 db check`, and a login with a token of its own. The scratch database goes at the
# end. The role needs CREATEDB; an embedded store needs room for a copy. C0DI3 (c0di3) is the program.
set -euo pipefail
folder=${1:?usage: drill-db.sh FOLDER}
here=$(dirname "$0")
# shellcheck source=deploy/scripts/db-place.sh
. "$here/db-place.sh"
maintenance=${MAINTENANCE_DB:-postgres} max_hours=${MAX_HOURS:-26}
[ -d "$folder" ] || { echo "there is no backup in $folder: it is no folder here, or $(id -un) may not look there" >&2; exit 1; }
if [ ! -r "$folder" ] || [ ! -x "$folder" ]; then echo "cannot read $folder: it belongs to $(stat -c %U "$folder"), and $(id -un) may not read it" >&2; exit 1; fi
newest=$(newest_in "$folder")
[ -n "$newest" ] || { echo "there is no backup in $folder" >&2; exit 1; }
if [ -z "$(find "$newest" -mmin "-$((max_hours * 60))")" ]; then echo "$newest, the newest backup, is older than $max_hours hours" >&2; exit 1; fi
scratch=drill_$(date -u +%s)_$$
work=$(mktemp -d)
served=
finish() {
  [ -z "$served" ] || { kill "$served" 2>/dev/null && wait "$served" 2>/dev/null || true; }
  [ -n "$embedded" ] || ask_in "$maintenance" "DROP DATABASE IF EXISTS $scratch WITH (FORCE)" >/dev/null 2>&1 || echo "NOTE: the database $scratch is left" >&2
  rm -rf "$work"
}
trap finish EXIT
if [ -n "$embedded" ]; then
  scratch_url=sqlite:$work/scratch.db
else
  ask_in "$maintenance" "CREATE DATABASE $scratch" >/dev/null
  account=$PGUSER${PGPASSWORD:+:$PGPASSWORD}
  scratch_url=postgres://$account@$PGHOST:$PGPORT/$scratch
fi
(umask 077; echo "$scratch_url" >"$work/store-url")
env -u C0DI3_STORE_URL C0DI3_STORE_URL_FILE="$work/store-url" OF_A_DRILL=1 "$here/restore-db.sh" "$newest" | sed 's/^/1. /'
run() { env -u C0DI3_STORE_URL C0DI3_STORE_URL_FILE="$work/store-url" "$@"; }
run "$program" db check >"$work/checked" || { echo "the restored store does not add up: $(cat "$work/checked")" >&2; exit 1; }
echo "2. db check: $(cat "$work/checked")"

# Rows of what only grows: the copy may lack what came since, never have more, and never be empty where the store is not.
if [ -n "$embedded" ]; then
  held() { sed -E "s/.*\"$1\":([0-9]+).*/\\1/" <<<"$2"; }
  live=$(on_store "$url" db check || true) copy=$(cat "$work/checked")
  for table in findings incidents; do
    of_live=$(held $table "$live") of_copy=$(held $table "$copy")
    if [ "$of_copy" = 0 ] && [ "$of_live" -gt 0 ]; then echo "$table: none were restored, $of_live are in the store" >&2; exit 1; fi
    echo "3. $table: $of_copy, and $of_live in the store"
  done
else
retained=$(ask "SELECT coalesce(max(at), 0) / 1000000 FROM tasks WHERE name = 'retention'")
if [ "$retained" -gt "$(stat -c %Y "$newest")" ]; then
  echo "3. NOTE: retention has removed rows since this backup: counts and checksums are not compared with the store"
else
  for table in findings incidents audit tokens; do
    live=$(ask "SELECT count(*) FROM $table") copy=$(ask_in "$scratch" "SELECT count(*) FROM $table")
    if [ "$copy" -gt "$live" ] || { [ "$copy" = 0 ] && [ "$live" -gt 0 ]; }; then
      echo "$table: $copy rows were restored, $live are in the store" >&2
      exit 1
    fi
    echo "3. $table: $copy of $live"
  done
  # Findings that were there when the newest one of the copy was made are the same in both.
  sum="SELECT md5(coalesce(string_agg(encode(id, 'hex') || rule_id, ',' ORDER BY id), '')) FROM findings WHERE created_at <= "
  until=$(ask_in "$scratch" 'SELECT coalesce(max(created_at), 0) FROM findings')
  [ "$(ask "$sum$until")" = "$(ask_in "$scratch" "$sum$until")" ] || { echo "findings of the copy differ from those of the store" >&2; exit 1; }
  echo "4. checksums of findings agree"
fi
fi

port=${DRILL_PORT:-$((20000 + $$ % 12000))}
token=$(run "$program" token create --role viewer --name drill --expires 1h 2>/dev/null | tail -1)
# Not by the function: its process would be the shell's, and the agent would outlive it.
env -u C0DI3_STORE_URL C0DI3_STORE_URL_FILE="$work/store-url" C0DI3_AUTH_TOKENS=true C0DI3_API_LISTEN=127.0.0.1:"$port" \
  C0DI3_API_HEALTH_LISTEN=127.0.0.1:0 C0DI3_LOG_LEVEL=error "$program" agent >"$work/agent" 2>&1 &
served=$!
for _ in $(seq 100); do curl -fs --max-time 2 "http://127.0.0.1:$port/ready" >/dev/null 2>&1 && break; sleep 0.2; done
printf 'header = "Authorization: Bearer %s"\n' "$token" | curl -fs --max-time 10 --config - "http://127.0.0.1:$port/api/v1/findings?limit=1" >"$work/answer" ||
  { echo "the restored store cannot be logged in to:" >&2; cat "$work/agent" >&2; exit 1; }
[ "$(curl -s -o /dev/null -w '%{http_code}' --max-time 10 "http://127.0.0.1:$port/api/v1/findings")" = 401 ] || { echo "the restored store lets anybody in" >&2; exit 1; }
echo "5. a login with a token works, without one it does not"
done_now drill "$(basename "$newest") restored and checked"
echo "the drill of $(basename "$newest") succeeded"
