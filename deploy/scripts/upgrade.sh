#!/usr/bin/env bash
# Upgrades a compose installation to the state of this checkout: upgrade.sh [--no-backup]. Whatever goes wrong before the
# change stops it; where the new services do not get healthy, the old ones are put back. Exit code 0 only where the new ones run.
set -euo pipefail
# shellcheck source=deploy/scripts/compose.sh
. "$(dirname "$0")/compose.sh"

say "1. the disk"
used=$(df --output=pcent . | tail -1 | tr -dc 0-9)
[ "$used" -le 80 ] || stop "the disk is $used % full: make room first"

say "2. the new image, beside the old one"
docker build --build-arg "C0DI3_COMMIT=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)" -t "$image:next" . ||
  stop "the image cannot be built; nothing was changed"

say "3. the configuration, read by the new program"
CORE_AGENT_TAG=next compose run --rm --no-deps -T core-agent config check || stop "the configuration is refused; nothing was changed"

if [ "${1:-}" = --no-backup ]; then
  say "4. no backup, as asked for"
else
  say "4. a backup"
  mkdir -p backups
  name=backups/before_upgrade_$(date -u +%Y%m%dT%H%M%SZ).dump
  docker exec postgres pg_dump -U coreagent -F c core_agent >"$name.part" || { rm -f "$name.part"; stop "no backup could be made; nothing was changed"; }
  [ -s "$name.part" ] || { rm -f "$name.part"; stop "the backup is empty; nothing was changed"; }
  mv "$name.part" "$name"
  say "   $name"
fi

say "5. the change"
if exists "$image:latest"; then docker tag "$image:latest" "$image:backup"; fi
docker tag "$image:next" "$image:latest"
if compose up -d --no-build && healthy; then
  say "upgraded: $(docker run --rm "$image:latest" --version)"
  exit 0
fi
say "the new services are not healthy within $ready_max s; the old ones are put back" >&2
compose logs --tail=50 "${services[@]}" >&2 || true
exists "$image:backup" || stop "there is no image $image:backup to go back to"
deploy/scripts/rollback.sh >&2 || stop "the old services are not healthy either: RUNBOOK.md, Outage"
stop "the upgrade was taken back"
