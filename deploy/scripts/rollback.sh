#!/usr/bin/env bash
# Puts the image before the last upgrade back: rollback.sh [TAG]. Tables are only ever added to, so the older program goes on
# with them; the database is not touched.
set -euo pipefail
# shellcheck source=deploy/scripts/compose.sh
. "$(dirname "$0")/compose.sh"
tag=${1:-backup}
exists "$image:$tag" || stop "there is no image $image:$tag; docker images $image lists what there is"
docker tag "$image:$tag" "$image:latest"
compose up -d --no-build
healthy || stop "the services are not healthy within $ready_max s: docker-compose logs core-agent log-analyzer"
say "back: $(docker run --rm "$image:latest" --version)"
