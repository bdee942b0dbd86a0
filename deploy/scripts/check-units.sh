#!/usr/bin/env bash
# Checks the units of systemd and the logrotate file without starting anything: exposure under 2.0 each, directives that exist.
set -euo pipefail
cd "$(dirname "$0")/../.."
if command -v systemd-analyze >/dev/null; then
  for unit in deploy/systemd/*.service; do
    line=$(systemd-analyze security --offline=true --threshold=20 "$PWD/$unit" 2>/dev/null | tail -1) || { echo "$unit: $line" >&2; exit 1; }
    echo "${line#→ }"
  done
  # The program is not installed here, and manuals are not asked for; everything else that is said is a fault.
  said=$(systemd-analyze verify --man=no "$PWD"/deploy/systemd/*.service "$PWD"/deploy/systemd/*.timer 2>&1 | grep -E "deploy/systemd|core-agent|log-analyzer" | grep -vE 'is not executable: No such file' || true)
  [ -z "$said" ] || { echo "$said" >&2; exit 1; }
else
  echo "NOTE: no systemd-analyze here: units were not checked"
fi
if command -v systemd-analyze >/dev/null; then deploy/scripts/seccomp.sh --check; fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/core-agent"
for name in core-agent error access; do echo "a line" >"$work/core-agent/$name.log"; done
# The file with its folders moved here, run for real: all three are renamed, by day.
sed -e "s|/app/logs/|$work/none/|g" -e "s|/var/log/core-agent/\*/|$work/core-agent/|g" deploy/logrotate/core-agent >"$work/logrotate"
chmod 644 "$work/logrotate"
(umask 022; logrotate --force --state "$work/state" "$work/logrotate" 2>"$work/said") || { cat "$work/said" >&2; exit 1; }
rotated=$(find "$work/core-agent" -name "*.log-*" | wc -l)
[ "$rotated" = 3 ] || { echo "logrotate renamed $rotated of 3 files" >&2; cat "$work/said" >&2; exit 1; }
echo "logrotate renames all three files"
