#!/usr/bin/env bash
# Stops the service that `make run` started: stop.sh PID_FILE.
set -euo pipefail
pid_file=$1
[ -f "$pid_file" ] || { echo "nothing to stop"; exit 0; }
pid=$(cat "$pid_file")
rm -f "$pid_file"
if kill -TERM "$pid" 2>/dev/null; then
  for _ in $(seq 250); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
  echo "stopped process $pid"
else
  echo "process $pid was no longer running"
fi
