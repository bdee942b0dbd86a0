#!/usr/bin/env bash
# Walks the operations runbook from top to bottom on a machine without a container engine: walk.sh PROGRAM. Processes stand in
# place of pods. A step is done here (PASS), or needs an engine or a cluster and is held by a static check (STATIC, with which).
# Ends with a line that counts; the first step that fails ends it with its output.
set -euo pipefail
program=$(realpath "$1")
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
# By a name of its own: others may run the same program at the same time.
ln -s "$program" "$work/c0di3"
program=$work/c0di3
chmod 755 "$work"
passed=0 static=0
scripts=$root/deploy/scripts
logs=$work/app/logs
mkdir -p "$work/pg" "$work/secrets" "$logs" "$work/analyzer-logs" "$work/backups"

port() { # a free port below those of outgoing connections
  local one
  for _ in $(seq 100); do
    one=$((20000 + RANDOM % 12000))
    (exec 3<>"/dev/tcp/127.0.0.1/$one") 2>/dev/null || { echo "$one"; return; }
  done
  return 1
}
pg_bin=$(dirname "$(find /usr/lib/postgresql -name initdb | sort -V | tail -1)")
as_postgres() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
agent='' analyzer='' redis=''
finish() {
  for one in $agent $analyzer $redis; do kill "$one" 2>/dev/null || true; done
  as_postgres "$pg_bin/pg_ctl" -D "$work/pg/data" -m immediate stop >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT

section() { echo; echo "## $1"; }
fail() { echo "FAILED  $1" >&2; sed 's/^/        /' "$work/said" >&2 || true; exit 1; }
step() { # name, command…
  local name=$1
  shift
  "$@" >"$work/said" 2>&1 || fail "$name"
  passed=$((passed + 1))
  echo "PASS    $name"
}
held() { # name, the file that holds the step, by which check
  [ -e "$root/$2" ] || { echo "$2 is not there" >"$work/said"; fail "$1"; }
  static=$((static + 1))
  echo "STATIC  $1: $2 ($3)"
}
until_true() { for _ in $(seq 150); do "$@" >/dev/null 2>&1 && return 0; sleep 0.1; done; echo "in vain: $*"; return 1; }
not() { ! "$@"; }
says() { # words, command…: the command's output, whatever its exit code, holds the words
  local words=$1 text
  shift
  text=$("$@" 2>&1 || true)
  grep -qE -- "$words" <<<"$text" || { echo "not said: $words"; echo "$text"; return 1; }
}

# --- What the pods would be -------------------------------------------------------------------------------------------------
api=$(port) health=$(port) ingest=$(port) syslog=$(port) pg=$(port) cache=$(port)
export POSTGRES_HOST=127.0.0.1 POSTGRES_PORT=$pg POSTGRES_USER=coreagent POSTGRES_DB=core_agent
"$scripts/make-secrets.sh" "$work/secrets" >/dev/null
[ "$(id -u)" != 0 ] || chown postgres "$work/pg"
cp "$work/secrets/postgres_password" "$work/pg/password"
chmod 644 "$work/pg/password"
as_postgres "$pg_bin/initdb" -D "$work/pg/data" --username=coreagent --auth=scram-sha-256 --pwfile="$work/pg/password" --no-sync -E UTF8 --locale=C >/dev/null
as_postgres "$pg_bin/pg_ctl" -D "$work/pg/data" -w -l "$work/pg/log" -o "-p $pg -k $work/pg -c listen_addresses=127.0.0.1" start >/dev/null
redis-server --port "$cache" --bind 127.0.0.1 --save '' --appendonly no --maxmemory 64mb --maxmemory-policy noeviction --dir "$work" >/dev/null 2>&1 &
redis=$!
export C0DI3_STORE_URL_FILE=$work/secrets/store_url
PGPASSWORD=$(cat "$work/secrets/postgres_password")
export PGPASSWORD
sql() { psql --host=127.0.0.1 --port="$pg" --username=coreagent --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --dbname="$1" --command "$2"; }
sql postgres 'CREATE DATABASE core_agent' >/dev/null
cat >"$work/c0di3.toml" <<TOML
[api]
listen = "127.0.0.1:$api"
health_listen = "127.0.0.1:$health"
[agent]
analyzer_url = "http://127.0.0.1:$ingest"
[analyzer]
listen = "127.0.0.1:$ingest"
[syslog]
tcp = "127.0.0.1:$syslog"
udp = "127.0.0.1:$syslog"
[spool]
folder = "$work/spool"
bytes_max = 134217728
reserve_bytes = 1048576
[cache]
url = "redis://127.0.0.1:$cache/"
[auth]
tokens = true
[health]
disk_warn_percent = 99
disk_fail_percent = 100
[log]
level = "info"
rotate_bytes = 0
TOML
export C0DI3_CONFIG=$work/c0di3.toml
cd "$work"
c0di3() { "$program" "$@"; }
start_agent() { C0DI3_LOG_FOLDER=$logs C0DI3_LOG_STDERR=true "$program" agent >>"$work/agent.out" 2>&1 & agent=$!; }
start_analyzer() { C0DI3_LOG_FOLDER=$work/analyzer-logs "$program" analyzer >>"$work/analyzer.out" 2>&1 & analyzer=$!; }
end() { kill "$1" 2>/dev/null || true; wait "$1" 2>/dev/null || true; }
ready() { curl -fs --max-time 3 "http://127.0.0.1:$api/ready" && curl -fs --max-time 3 "http://127.0.0.1:$ingest/ready"; }
token=
ask() { curl -s --max-time 10 -H "Authorization: Bearer $token" "$@"; }
code() { ask -o /dev/null -w '%{http_code}' "$@"; }
is_code() { local wanted=$1; shift; local got; got=$(code "$@"); [ "$got" = "$wanted" ] || { echo "answered $got, not $wanted"; return 1; }; }
count() { sql core_agent "SELECT count(*) FROM $1"; }

section "Deployment"
step "checklist: the change log is there" grep -q '^## ' "$root/CHANGELOG.md"
step "checklist: the configuration is checked (config check)" c0di3 config check
step "checklist: tables are brought up to date before the program (the migrations Job)" c0di3 db migrate
step "checklist: a token for the first login" c0di3 token create --role admin --name walk
token=$(c0di3 token create --role admin --name walker 2>/dev/null | tail -1)
step "checklist: resources and settings (doctor finds only what is not started yet)" says 'FAULT agent.analyzer_url' c0di3 doctor
step "checklist: a backup before the change" "$scripts/backup-db.sh" "$work/backups"
held "docker build -t core-agent:latest ." Dockerfile "check-compose.sh: hadolint, two stages, no root, HEALTHCHECK"
held "docker-compose down; docker-compose up -d" docker-compose.yml "check-compose.sh: schema, names, limits, health, settings"
start_analyzer
start_agent
step "the services get ready" until_true ready
step "curl :3000/health" says '"status":"(pass|warn)"' curl -s "http://127.0.0.1:$api/health"
step "docker-compose logs core-agent (standard error beside the files)" says 'the agent is listening' cat "$work/agent.out"
held "kubectl apply -f k8s/deployment.yaml" k8s/deployment.yaml "check-k8s.sh: schemas of three versions, policies"
held "kubectl rollout status, get pods, logs" k8s/base/deployment.yaml "check-k8s.sh: names deployment/core-agent in namespace core-agent"
step "rollback by tag, upgrade that is stopped (a played docker)" "$root/tests/deploy/upgrade.sh"
held "kubectl rollout undo deployment/core-agent" k8s/base/deployment.yaml "revisionHistoryLimit; tables are only ever added to"

section "Monitoring"
step "curl :3000/health | jq .checks" bash -c "curl -s http://127.0.0.1:$api/health | jq -e '.checks.postgres.status == \"pass\" and .checks.redis.status == \"pass\" and .checks.analyzer'"
step "curl :3000/ready" curl -fs "http://127.0.0.1:$api/ready"
step "health on its own port 3001" curl -fs "http://127.0.0.1:$health/live"
for metric in http_server_request_duration_seconds_bucket process_cpu_seconds_total process_cpu_limit_cores process_resident_memory_bytes \
  process_memory_limit_bytes db_client_connections_usage db_client_connections_max disk_used_ratio; do
  step "metric $metric" bash -c "curl -s http://127.0.0.1:$health/metrics | grep -q '^$metric'"
done
step "metric task_last_success_timestamp_seconds, as the backup wrote it" bash -c "curl -s http://127.0.0.1:$health/metrics | grep -q 'task_last_success_timestamp_seconds{task=\"backup\"}'"
step "metric spool_backlog_age_seconds" bash -c "curl -s http://127.0.0.1:$ingest/metrics | grep -q '^spool_backlog_age_seconds'"
held "warning and critical thresholds with their actions" deploy/monitoring/prometheus/rules.yml "check.py: promtool, each alert fires and clears"
held "boards" deploy/monitoring/grafana/dashboards/operations.json "check.py: every metric is one of the program"
for name in core-agent.log error.log access.log; do step "/app/logs/$name" test -e "$logs/$name"; done
step "access.log holds requests" grep -q 'GET /health' "$logs/access.log"

section "Incidents"
lines() { for at in $(seq 12); do echo "<38>1 2026-11-29T10:00:$((at + 10))Z gate sshd $at - - Failed password for root from 203.0.113.9 port 4000 ssh2"; done; }
lines >"$work/lines"
step "an attack is sent" is_code 200 --data-binary "@$work/lines" "http://127.0.0.1:$ingest/ingest"
found() { [ "$(count findings)" -ge 1 ] && [ "$(count incidents)" -ge 1 ]; }
step "detection: a finding and an incident" until_true found
incident=$(ask "http://127.0.0.1:$api/api/v1/incidents?limit=1" | grep -oE '"id":"[0-9a-f]{32}"' | head -1 | cut -d'"' -f4)
change() { is_code 200 -X PATCH -H 'If-Match: *' -H 'Content-Type: application/json' -d "$1" "http://127.0.0.1:$api/api/v1/incidents/$incident"; }
for severity in P3 P2 P1 P0; do step "severity $severity" change "{\"severity\":\"$severity\"}"; done
for stage in assessment communication investigation mitigation; do step "stage $stage" change "{\"stage\":\"$stage\"}"; done
step "stage resolution" change '{"stage":"resolution","verdict":"true_positive","status":"resolved"}'
step "stage post_mortem" change '{"stage":"post_mortem","post_mortem":"walked"}'
step "not starting: a missing value is named" says 'C0DI3_STORE_URL_FILE: cannot read' env C0DI3_STORE_URL_FILE=/absent "$program" agent
step "not starting: a wrong setting is named" says 'names no setting' env C0DI3_STORE_URLL=x "$program" agent
step "not starting: a port conflict is named" says "api.listen.*$api|$api.*in use" "$program" agent
step "not starting: no database" says 'FAULT store.url' env -u C0DI3_STORE_URL_FILE C0DI3_STORE_URL=postgres://x@127.0.0.1:1/x "$program" doctor
held "kubectl describe, logs --previous, configmap core-agent-config" k8s/base/configmap.yaml "check-k8s.sh: the name, and that every key is a setting"
step "slow: pg_stat_activity" says 'c0di3-ask' sql core_agent 'SELECT application_name, state FROM pg_stat_activity'
step "slow: redis-cli INFO stats" says 'total_commands_processed' redis-cli -p "$cache" INFO stats
held "slow: kubectl top, scale" k8s/base/scaling.yaml "check-k8s.sh: autoscaling on processor and lag"
step "slow: the cache is cleared" is_code 200 -X POST "http://127.0.0.1:$api/admin/cache/clear"
step "memory: resident bytes are watched" bash -c "curl -s http://127.0.0.1:$health/metrics | grep '^process_resident_memory_bytes'"
kill -USR2 "$agent"
profile() { ls "$logs"/heap-*.pb.gz; }
step "memory: kill -USR2 writes a heap profile" until_true profile

section "Backup and recovery"
step "the daily script" "$scripts/backup-db.sh" "$work/backups"
step "custom format, checked by its sum" bash -c "cd $work/backups && sha256sum --check --quiet ./*.sha256 && pg_restore --list \"\$(ls backup_*.dump | tail -1)\""
touch -d '31 days ago' "$work"/backups/*
sleep 1
step "older than 30 days goes, when a newer one is good" "$scripts/backup-db.sh" "$work/backups"
step "one is left" test "$(find "$work/backups" -name '*.dump' | wc -l)" = 1
step "by hand: pg_dump" bash -c "pg_dump -h 127.0.0.1 -p $pg -U coreagent core_agent >$work/backup.sql"
sql postgres 'CREATE DATABASE by_hand' >/dev/null
step "by hand: psql restores" bash -c "psql -h 127.0.0.1 -p $pg -U coreagent -q -v ON_ERROR_STOP=1 -d by_hand -f $work/backup.sql"
held "docker exec postgres pg_dump; kubectl exec postgres-0 -- pg_dump" docker-compose.yml "check-compose.sh: container_name postgres; k8s/dev: StatefulSet postgres"
step "configuration: tar of what is set" tar -czf "$work/config.tar.gz" -C "$root" .env.example docker-compose.yml k8s
held "kubectl get configmap,secret -o yaml; kubectl apply -f config-backup.yaml" k8s/base/configmap.yaml "check-k8s.sh"
step "the drill: restore, counts, checksums, a login" env C0DI3="$program" "$scripts/drill-db.sh" "$work/backups"
step "the drill leaves nothing running" test "$(pgrep -cf "^$program agent\$")" = 1

section "Maintenance"
c0di3_tasks() { says "^(done|LOOK|todo)  $2" env C0DI3_LOG_FOLDER="$logs" "$program" tasks "$1"; }
step "daily: error log" c0di3_tasks daily 'error log'
step "daily: health" c0di3_tasks daily 'health'
step "daily: backup" says 'done  backup: backup_' env C0DI3_LOG_FOLDER="$logs" "$program" tasks daily
step "daily: disk" c0di3_tasks daily 'disk'
step "weekly: the store adds up" says 'done  store: .* add up' "$program" tasks weekly
step "weekly: the drill was done" says 'done  restore: ' "$program" tasks weekly
step "monthly: capacity, tokens, audit" c0di3_tasks monthly 'capacity'
cat >"$work/logrotate" <<ROTATE
$logs/core-agent.log $logs/error.log $logs/access.log {
    rotate 3
    dateext
    dateformat -%Y%m%d-%s
    missingok
}
ROTATE
chmod 644 "$work/logrotate"
chmod 755 "$work/app" "$logs"
step "logrotate renames" logrotate --force --state "$work/rotated" "$work/logrotate"
fresh() { curl -s "http://127.0.0.1:$api/ready" && grep -q 'GET /ready' "$logs/access.log"; }
step "the service writes into the new file within a second" until_true fresh
sed -i 's/^level = "info"/level = "debug"/' "$work/c0di3.toml"
kill -HUP "$agent"
step "the level changes at run time (SIGHUP)" until_true grep -q 'SIGHUP: the log files are opened again' "$logs/core-agent.log"
step "VACUUM ANALYZE" "$scripts/vacuum-db.sh"
step "REINDEX, while the service runs" "$scripts/vacuum-db.sh" --reindex
step "REINDEX DATABASE core_agent, as the runbook writes it" sql core_agent 'REINDEX DATABASE core_agent'
step "ANALYZE" sql core_agent ANALYZE
step "retention tells what it would remove" says 'would be removed' "$scripts/retention-db.sh" --dry-run
step "redis-cli FLUSHDB" redis-cli -p "$cache" FLUSHDB
step "statistics come back" until_true bash -c "curl -s -H 'Authorization: Bearer $token' http://127.0.0.1:$api/api/v1/stats | jq -e '.complete'"
step "curl -X POST /admin/cache/clear" is_code 200 -X POST "http://127.0.0.1:$api/admin/cache/clear"

section "Emergencies: outage"
kill -KILL "$agent"
wait "$agent" 2>/dev/null || true
step "the agent is gone" not curl -fs --max-time 2 "http://127.0.0.1:$api/health"
step "events are taken meanwhile" is_code 200 --data-binary "@$work/lines" "http://127.0.0.1:$ingest/ingest"
start_agent
step "a restart brings it back" until_true ready

section "Emergencies: corruption of the database"
before=$(count findings)
"$scripts/backup-db.sh" "$work/backups" >/dev/null
end "$agent"
end "$analyzer"
step "nothing runs (scale to 0)" not ready
sql core_agent 'DELETE FROM incident_history; UPDATE incidents SET severity = 9' >/dev/null
step "db check names the damage" not c0di3 db check
step "PostgreSQL's own damage is looked for" "$pg_bin/pg_amcheck" --install-missing --host=127.0.0.1 --port="$pg" --username=coreagent core_agent
renamed() { sql postgres 'ALTER DATABASE core_agent RENAME TO core_agent_damaged' && sql postgres 'CREATE DATABASE core_agent'; }
step "the damaged database is kept beside a new one" renamed
newest=$(find "$work/backups" -name '*.dump' | sort | tail -1)
step "the latest backup is restored" "$scripts/restore-db.sh" "$newest"
step "the integrity is verified" c0di3 db check
step "nothing is missing" test "$(count findings)" = "$before"
start_analyzer
start_agent
step "it goes on (scale to 2)" until_true ready

section "Emergencies: breach"
held "isolate: an ingress cannot be scaled; it is deleted" k8s/base/network.yaml "check-k8s.sh: core-agent-ingress, and default deny"
step "isolate: one machine, stop the agent" end "$agent"
step "investigate: who logged in (access.log names the token)" grep -q 'walker' "$logs"/access.log*
for id in $(c0di3 token list 2>/dev/null | grep -oE '^[0-9a-f]{8,}'); do c0di3 token revoke "$id" >/dev/null 2>&1; done
"$scripts/make-secrets.sh" "$work/secrets" --rotate >/dev/null
sql core_agent "ALTER ROLE coreagent PASSWORD '$(cat "$work/secrets/postgres_password")'"
old=$PGPASSWORD
PGPASSWORD=$(cat "$work/secrets/postgres_password")
step "remediate: the old password opens nothing" not env PGPASSWORD="$old" psql -h 127.0.0.1 -p "$pg" -U coreagent -d core_agent -c 'SELECT 1'
end "$analyzer"
start_analyzer
start_agent
step "recover: the services run with the new secret" until_true ready
step "revoked tokens open nothing" is_code 401 "http://127.0.0.1:$api/api/v1/findings"
token=$(c0di3 token create --role admin --name after 2>/dev/null | tail -1)
step "a new token does" is_code 200 "http://127.0.0.1:$api/api/v1/findings"
step "the audit log tells of it" says 'token.create' ask "http://127.0.0.1:$api/api/v1/audit"
step "a drill from the clean backup" env C0DI3="$program" "$scripts/drill-db.sh" "$work/backups"

echo
echo "the runbook was walked: $passed steps passed here, $static are held by static checks"
