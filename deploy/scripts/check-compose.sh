#!/usr/bin/env bash
# Checks Dockerfile and docker-compose.yml without a container engine: check-compose.sh TOOLS_FOLDER. Faults of Dockerfile and
# compose by hadolint and dclint (schema included), and what only we know: names, limits, health, settings that exist.
set -euo pipefail
cd "$(dirname "$0")/../.."
tools=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$tools/checkers/bin/hadolint" Dockerfile
# Variables by their defaults, as a fresh .env gives them.
sed -E 's/\$\{[A-Z_0-9]+:-([^}]*)\}/\1/g' docker-compose.yml >"$work/docker-compose.yml"
if grep -n '\${' "$work/docker-compose.yml"; then echo "docker-compose.yml: a variable has no default" >&2; exit 1; fi
"$tools/node/node_modules/.bin/dclint" --quiet -c deploy/scripts/dclint.yaml "$work/docker-compose.yml"
"$tools/checkers/bin/python" deploy/scripts/check-compose.py "$work/docker-compose.yml" .env.example
