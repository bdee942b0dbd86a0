# What upgrade.sh and rollback.sh have in common; to be sourced. Changes nothing by itself.
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
image=core-agent
services=(core-agent log-analyzer)
ready_max=${READY_SECONDS:-180}

compose() { if docker compose version >/dev/null 2>&1; then docker compose "$@"; else docker-compose "$@"; fi; }
say() { echo "$(date -u +%H:%M:%S) $*"; }
stop() { say "STOPPED: $*" >&2; exit 1; }
exists() { docker image inspect "$1" >/dev/null 2>&1; }

# Whether every service of ours says that it is healthy within the time.
healthy() {
  local service state
  for _ in $(seq "$ready_max"); do
    state=ok
    for service in "${services[@]}"; do
      [ "$(docker inspect --format '{{.State.Health.Status}}' "$service" 2>/dev/null)" = healthy ] || state=waiting
    done
    [ $state = ok ] && return 0
    sleep 1
  done
  return 1
}
