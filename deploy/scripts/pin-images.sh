#!/usr/bin/env bash
# Names every image by the digest that its tag has now: pin-images.sh [.env]. Asks the registry through docker, and writes the
# lines *_IMAGE of the file anew; the Dockerfile's base images are printed.
set -euo pipefail
cd "$(dirname "$0")/../.."
file=${1:-.env}
[ -f "$file" ] || cp .env.example "$file"
digest() { docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$1"; }
while IFS='=' read -r name image; do
  tag=${image%@*}
  pinned="$tag@$(digest "$tag")"
  sed -i "s|^$name=.*|$name=$pinned|" "$file"
  echo "$name=$pinned"
done < <(grep -E '^[A-Z]+_IMAGE=' "$file")
awk '/^FROM/ {print $2}' Dockerfile | while read -r image; do echo "Dockerfile: $image@$(digest "${image%@*}")"; done
