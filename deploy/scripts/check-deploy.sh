#!/usr/bin/env bash
# Everything about deployments that can be checked without a container engine or a cluster: check-deploy.sh TOOLS_FOLDER. The
# checks run side by side; the first line of each tells what it looked at.
set -euo pipefail
cd "$(dirname "$0")/../.."
tools=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=$tools/checkers/bin/python
declare -A checks=(
  [monitoring]="$python deploy/monitoring/check.py $tools/promtool"
  [boards]="$python deploy/monitoring/grafana/dashboards.py --check"
  [compose]="deploy/scripts/check-compose.sh $tools"
  [kubernetes]="deploy/scripts/check-k8s.sh $tools"
  [upgrade]="tests/deploy/upgrade.sh"
  [images]="deploy/scripts/pin-images.sh --check"
  [pins]="tests/deploy/images.sh"
  [secrets]="tests/deploy/secrets.sh"
  [units]="deploy/scripts/check-units.sh"
)
declare -A running=()
for name in "${!checks[@]}"; do ${checks[$name]} >"$work/$name" 2>&1 & running[$name]=$!; done
failed=0
for name in "${!checks[@]}"; do
  wait "${running[$name]}" || { failed=1; echo "FAILED: $name" >&2; }
  cat "$work/$name"
done
exit $failed
