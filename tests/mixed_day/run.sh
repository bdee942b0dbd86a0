#!/usr/bin/env bash
# The mixed day: run.sh FOLDER PROGRAM [RULES]. Attack tools run for real against a web server and an sshd on 127.0.0.1, among
# benign traffic, for a few minutes; the c0di3 program then reads the logs. Tools and the last day are kept in FOLDER. Nothing
# is sent anywhere but to 127.0.0.0/8. Leaves with 1 when the findings are not as they must be; skips, and says so, where the
# registries cannot be reached.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
got=0
"$here/tools.sh" "$folder/tools" || got=$?
if [ "$got" -eq 69 ]; then
  echo "NOTE: the mixed day was NOT run: its tools come from registries that cannot be reached from here"
  exit 0
fi
[ "$got" -eq 0 ] || exit "$got"
rm -rf "$folder/day"
mkdir -p "$folder/day"
exec python3 "$here/day.py" "$folder/tools" "$folder/day" "${@:2}"
