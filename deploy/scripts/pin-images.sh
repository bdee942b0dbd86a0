#!/usr/bin/env bash
# Names every image of others by the digest that its tag has now: pin-images.sh. Asks the registries through docker or skopeo, and writes
# Dockerfile, docker-compose.yml, k8s, .env.example and .env. Without a registry: `--check` fails where an image has no digest, `--list`
# prints the images. Images of our own have a digest once they are pushed (k8s/prod says how).
set -euo pipefail
cd "$(dirname "$0")/../.."
mode=${1:---write}
mapfile -t files < <(printf '%s\n' Dockerfile docker-compose.yml .env.example; find k8s -name '*.yaml' | sort; [ ! -f .env ] || echo .env)

# NAME:TAG, and @sha256:… where it is pinned.
images() {
  sed -nE 's/^FROM ([^ ]+).*/\1/p; s/.*\$\{[A-Z]+_IMAGE:-([^}]+)\}.*/\1/p; s/^[A-Z]+_IMAGE=(.+)$/\1/p; s/^ *(- )?image: *"?([^"$ ]+)"?$/\2/p' "${files[@]}" |
    grep -Ev '^core-agent|^\$|^build$' | sort -u
}
is_pinned() { [[ $1 =~ @sha256:[0-9a-f]{64}$ ]]; }
digest() {
  if docker buildx version >/dev/null 2>&1; then docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$1"
  else skopeo inspect --format '{{.Digest}}' "docker://$1"; fi
}

case $mode in
  --list) images ;;
  --check)
    open=0
    while read -r image; do is_pinned "$image" || { echo "no digest: $image" >&2; open=1; }; done < <(images)
    # One tag, one digest: everywhere the same.
    several=$(images | sed 's/@.*//' | uniq -d)
    [ -z "$several" ] || { echo "more than one digest: $several" >&2; open=1; }
    [ "$open" = 0 ] && echo "images: $(images | wc -l) of others, each by its digest"
    exit "$open" ;;
  --write)
    while read -r tag; do
      found=$(digest "$tag")
      [[ $found =~ ^sha256:[0-9a-f]{64}$ ]] || { echo "no digest of $tag: $found" >&2; exit 1; }
      written=${tag//./\\.}
      sed -i -E "s#(^|[ =\"-])$written(@sha256:[0-9a-f]{64})?([ }\"]|\$)#\1$tag@$found\3#" "${files[@]}"
      echo "$tag@$found"
    done < <(images | sed 's/@.*//' | sort -u) ;;
  *) echo "pin-images.sh [--check | --list]" >&2; exit 2 ;;
esac
