#!/usr/bin/env bash
# upgrade.sh and rollback.sh against a docker that is played: good upgrades pass, and each bad one is stopped at its step and
# leaves what ran. No container engine is needed.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/bin" "$work/repo/deploy"
cp -r "$root/deploy/scripts" "$work/repo/deploy/"
# Images are files that hold the version; `bad` in a version makes its services sick.
cat >"$work/bin/docker" <<'DOCKER'
#!/usr/bin/env bash
set -eu
echo "$*" >>"$STATE/calls"
image() { echo "$STATE/image-${1//[:\/]/_}"; }
case "$1 ${2:-}" in
  "compose version") ;;
  "build "*) [ "$FAIL" != build ] || exit 1; echo "$NEXT" >"$(image core-agent:next)" ;;
  "image inspect") [ -f "$(image "$3")" ] ;;
  "tag "*) cp "$(image "$2")" "$(image "$3")" ;;
  "compose run") [ "$FAIL" != config ] ;;
  "compose up") cp "$(image core-agent:latest)" "$STATE/running" ;;
  "compose logs") ;;
  "exec postgres") [ "$FAIL" = backup ] || echo dump ;;
  "inspect "*) grep -q bad "$STATE/running" && echo unhealthy || echo healthy ;;
  "run "*) cat "$(image core-agent:latest)" ;;
  *) echo "unplayed: $*" >&2; exit 9 ;;
esac
DOCKER
cat >"$work/bin/df" <<'DF'
#!/bin/sh
printf 'Use%%\n %s%%\n' "$DISK"
DF
chmod +x "$work"/bin/*
passed=0
try() { # name, FAIL, NEXT, DISK, script with arguments, exit code, what runs after
  rm -rf "$work/state"; mkdir "$work/state"
  echo v1 >"$work/state/image-core-agent_latest"; echo v1 >"$work/state/running"
  code=0
  PATH="$work/bin:$PATH" STATE=$work/state FAIL=$2 NEXT=$3 DISK=$4 READY_SECONDS=2 bash -c "cd '$work/repo' && $5" >"$work/out" 2>&1 || code=$?
  if [ "$code" != "$6" ] || [ "$(cat "$work/state/running")" != "$7" ]; then
    echo "FAILED: $1: exit code $code, $(cat "$work/state/running") runs" >&2; cat "$work/out" >&2; exit 1
  fi
  passed=$((passed + 1))
}
up=deploy/scripts/upgrade.sh
try "a good upgrade" none v2 10 "$up" 0 v2
try "good, and back" none v2 10 "$up && deploy/scripts/rollback.sh" 0 v1
try "a full disk" none v2 81 "$up" 1 v1
try "an image that cannot be built" build v2 10 "$up" 1 v1
try "a configuration that is refused" config v2 10 "$up" 1 v1
try "no backup" backup v2 10 "$up" 1 v1
try "no backup wanted" backup v2 10 "$up --no-backup" 0 v2
try "services that do not get healthy" none v2-bad 10 "$up" 1 v1
try "nothing to go back to" none v2 10 "deploy/scripts/rollback.sh" 1 v1
echo "upgrade and rollback: $passed passed"
