#!/usr/bin/env bash
# Replays the sample logs and leaves the service running: run.sh PROGRAM FOLDER. Used by `make run`.
set -euo pipefail
program=$1 folder=$2
api=${C0DI3_API_LISTEN:-127.0.0.1:3000}
mkdir -p "$folder/logs"
pid_file=$folder/serve.pid

export C0DI3_SPOOL_FOLDER=${C0DI3_SPOOL_FOLDER:-$folder/spool}
echo "replaying deploy/sample-logs (findings are kept in ${C0DI3_STORE_URL:-sqlite:$folder/c0di3.db})"
export C0DI3_STORE_URL=${C0DI3_STORE_URL:-sqlite:$folder/c0di3.db}
export C0DI3_ARCHIVE_FOLDER=${C0DI3_ARCHIVE_FOLDER:-$folder/archive}
"$program" replay --out table --archive "$C0DI3_ARCHIVE_FOLDER" deploy/sample-logs

ready() { curl -fs --max-time 5 "http://$api/ready" >/dev/null 2>&1; }
if [ -f "$pid_file" ] && kill -0 "$(cat "$pid_file")" 2>/dev/null && ready; then
  echo "the service is already running as process $(cat "$pid_file")"
else
  C0DI3_LOG_FOLDER=${C0DI3_LOG_FOLDER:-$folder/logs} setsid nohup "$program" serve >"$folder/serve.out" 2>&1 </dev/null &
  echo $! >"$pid_file"
  for _ in $(seq 100); do
    ready && break
    kill -0 "$(cat "$pid_file")" 2>/dev/null || { echo "the service did not start:" >&2; cat "$folder/serve.out" >&2; rm -f "$pid_file"; exit 1; }
    sleep 0.1
  done
  ready || { echo "the service does not answer on $api" >&2; exit 1; }
  echo "the service listens on $api as process $(cat "$pid_file"); its logs are in $folder/logs; 'make stop' ends it"
fi

top='SELECT source.ip, count(*) AS events FROM events WHERE source.ip IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 3'
echo "hunting the events: c0di3 hunt '$top'"
"$program" hunt "$top"

cat <<END

  curl 'http://$api/api/v1/findings?severity=P0,P1'                 what to look at first
  curl 'http://$api/api/v1/findings?source.ip=198.51.100.21'        everything about one address
  curl 'http://$api/api/v1/incidents'                               what belongs together
  curl 'http://$api/api/v1/stats'                                   counts by severity, rule and source
END
