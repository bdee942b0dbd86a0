#!/usr/bin/env bash
# Removes what is older than RETENTION_DAYS (365) from the store: closed incidents, with their links and summaries; days of
# findings of which no incident that is left holds any, by dropping the day's partition; notices that were told. Open incidents
# and their days stay, whatever their age. The audit log keeps AUDIT_DAYS (400, at least 90: the store refuses to lose younger
# entries): months that lie wholly before are dropped, entries that stand in no month's table go a few thousand in each transaction,
# and that they went is an entry. --dry-run only tells. Where: db-place.sh.
set -euo pipefail
# shellcheck source=deploy/scripts/db-place.sh
. "$(dirname "$0")/db-place.sh"
days=${RETENTION_DAYS:-365} audit_days=${AUDIT_DAYS:-400} dry=${1:-}
case $days in '' | *[!0-9]* | 0) echo "RETENTION_DAYS must be a number of days above 0" >&2; exit 2 ;; esac
case $audit_days in '' | *[!0-9]* | ? | [1-8]?) echo "AUDIT_DAYS must be a number of days, at least 90" >&2; exit 2 ;; esac
if [ -n "$embedded" ]; then
  on_store "$url" db retention --days "$days" --audit-days "$audit_days" ${dry:+"$dry"}
  exit
fi
first=$(( $(date -u +%s) / 86400 - days )) # the first day that is kept
until_us=$((first * 86400 * 1000000))
closed="SELECT id FROM incidents WHERE status = 'closed' AND sort_time < $until_us"
incidents=$(ask "SELECT count(*) FROM ($closed) AS old")
if [ "$dry" != --dry-run ]; then
  # Nobody changes the layout meanwhile: the lock is the one that the program takes for new days.
  ask "BEGIN; SELECT pg_advisory_xact_lock(202183424);
    CREATE TEMPORARY TABLE gone ON COMMIT DROP AS $closed FOR UPDATE;
    DELETE FROM incident_findings WHERE incident_id IN (SELECT id FROM gone);
    DELETE FROM incident_history WHERE incident_id IN (SELECT id FROM gone);
    DELETE FROM incident_keys WHERE incident_id IN (SELECT id FROM gone);
    DELETE FROM incidents WHERE id IN (SELECT id FROM gone);
    DELETE FROM notices WHERE fanned_out = 1 AND created_at < $until_us
      AND NOT EXISTS (SELECT 1 FROM deliveries WHERE notice_id = notices.id AND state = 'pending');
    COMMIT" >/dev/null
fi
# Short looks for the lock, so that nobody queues up behind this one: dropping NAME STATEMENTS
dropping() {
  local try why
  for try in 1 2 3 4 5 6; do
    if why=$(ask "$2" 2>&1 >/dev/null); then return 0; fi
    [ "$try" = 6 ] || sleep 2
  done
  echo "$1 is in use, and dropped the next time: ${why//$'\n'/ }" >&2
  return 1
}
dropped=0 kept=0
for table in $(ask "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'findings'::regclass
    AND c.relname ~ '^findings_day_[0-9]+\$' AND substring(c.relname FROM 14)::int < $first ORDER BY 1"); do
  linked="SELECT 1 FROM $table f JOIN incident_findings l ON l.finding_id = encode(f.id, 'hex')"
  [ "$dry" != --dry-run ] || linked="$linked WHERE l.incident_id NOT IN ($closed)"
  if [ "$(ask "SELECT EXISTS ($linked)")" = t ]; then kept=$((kept + 1)); continue; fi
  if [ "$dry" != --dry-run ]; then
    dropping "$table" "SET lock_timeout = '2s'; BEGIN; SELECT pg_advisory_xact_lock(202183424);
      DELETE FROM finding_also WHERE finding_id IN (SELECT id FROM $table);
      DELETE FROM held_findings WHERE finding_id IN (SELECT encode(id, 'hex') FROM $table);
      DROP TABLE $table; COMMIT" || continue
  fi
  dropped=$((dropped + 1))
done
audit=0 months=0
for table in $(ask "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'audit'::regclass
    AND c.relname ~ '^audit_[0-9]{4}_[0-9]{2}\$' AND c.relname COLLATE \"C\" <
      to_char((now() - make_interval(days => $audit_days)) AT TIME ZONE 'UTC', '\"audit_\"YYYY_MM') ORDER BY 1"); do
  entries=$(ask "SELECT count(*) FROM $table")
  if [ "$dry" != --dry-run ]; then dropping "$table" "SELECT audit_month_drop('$table', $audit_days, 'retention-db.sh')" || continue; fi
  audit=$((audit + entries)) months=$((months + 1))
done
# Those that were written before there were months, or whose month could not have a table.
audit_until=$(( ($(date -u +%s) - audit_days * 86400) * 1000000 ))
single=$(ask "SELECT count(*) FROM ONLY audit WHERE at < $audit_until")
if [ "$dry" != --dry-run ] && [ "$single" -gt 0 ]; then
  while [ "$(ask "WITH old AS (SELECT id FROM ONLY audit WHERE at < $audit_until ORDER BY at LIMIT 5000),
      gone AS (DELETE FROM ONLY audit USING old WHERE audit.id = old.id RETURNING 1) SELECT count(*) FROM gone")" -gt 0 ]; do sleep 0.1; done
  ask "INSERT INTO audit (id, at, actor, actor_id, role, address, forwarded, action, method, route, target, outcome, status, request_id, count, detail)
    VALUES (md5(clock_timestamp()::text || random()::text), (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, 'retention-db.sh', '', '', '', '',
      'audit.retention', '', '', '', 'done', 0, '', 1, '$single entries older than $audit_days days were removed')" >/dev/null
fi
audit=$((audit + single))
words="$incidents closed incidents and $dropped days of findings older than $days days; $kept days stay for incidents that are kept"
words="$words; $audit entries of the audit log older than $audit_days days, among them $months whole months"
[ "$dry" = --dry-run ] && { echo "would be removed: $words"; exit 0; }
done_now retention "$words"
echo "removed: $words"
