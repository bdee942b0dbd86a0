#!/usr/bin/env bash
# pin-images.sh against registries that are played: every image gets the digest of its tag in every file, an old digest is replaced, a
# registry that answers nonsense changes nothing, and an image without a digest is found.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/docker" "$work/skopeo" "$work/repo/deploy/scripts"
cp "$root/deploy/scripts/pin-images.sh" "$work/repo/deploy/scripts/"
cp -r "$root/Dockerfile" "$root/docker-compose.yml" "$root/.env.example" "$root/k8s" "$work/repo/"
# The digest is that of the name.
cat >"$work/docker/docker" <<'DOCKER'
#!/usr/bin/env bash
set -eu
[ "$1" = buildx ] || exit 9
[ "$2" = version ] && exit "${NO_BUILDX:-0}"
[ "${NONSENSE:-}" = "${6}" ] && { echo "unauthorised"; exit 0; }
echo "sha256:$(printf %s "${6}" | sha256sum | cut -d' ' -f1)"
DOCKER
cat >"$work/skopeo/skopeo" <<'SKOPEO'
#!/usr/bin/env bash
set -eu
echo "sha256:$(printf %s "${4#docker://}" | sha256sum | cut -d' ' -f1)"
SKOPEO
chmod +x "$work"/*/docker "$work"/*/skopeo
cd "$work/repo"
pin() { deploy/scripts/pin-images.sh "$@"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
pin --check >/dev/null || fail "an image of the repository has no digest"
count=$(pin --list | wc -l)
[ "$count" -ge 8 ] || fail "$count images are found"
for tool in docker skopeo; do
  export NO_BUILDX=$([ "$tool" = docker ] && echo 0 || echo 1)
  PATH="$work/docker:$work/skopeo:$PATH" pin >"$work/written" || fail "$tool: not written"
  while read -r image; do
    tag=${image%@*} want=sha256:$(printf %s "${image%@*}" | sha256sum | cut -d' ' -f1)
    [ "$image" = "$tag@$want" ] || fail "$tool: $image"
  done < <(pin --list)
  [ "$(pin --list | wc -l)" = "$count" ] || fail "$tool: images came or went"
  pin --check >/dev/null || fail "$tool: not pinned everywhere"
  # Anything else than digests stays as it is.
  for file in Dockerfile docker-compose.yml .env.example; do
    diff <(sed -E 's/@sha256:[0-9a-f]{64}//' "$root/$file") <(sed -E 's/@sha256:[0-9a-f]{64}//' "$file") || fail "$tool: $file"
  done
  cp -r "$root/Dockerfile" "$root/docker-compose.yml" "$root/.env.example" "$root/k8s" .
done
export NO_BUILDX=0
first=$(pin --list | sed 's/@.*//' | head -1)
! NONSENSE=$first PATH="$work/docker:$PATH" pin >/dev/null 2>&1 || fail "nonsense is taken for a digest"
pin --check >/dev/null || fail "nonsense was written"
sed -i -E 's/(REDIS_IMAGE=[^@]+)@.*/\1/' .env.example
! pin --check 2>/dev/null || fail "an image without a digest is not found"
echo "image pins: $count images, two tools, nonsense refused"
