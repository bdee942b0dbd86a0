#!/usr/bin/env bash
# Builds the release twice, in folders of different names, and compares: reproduce.sh [FOLDER]. Two whole builds: half an hour of two
# cores and more. PROFILE as build-release.sh has it.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(realpath -m "${1:-$(mktemp -d)}")
cd "$root"
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)} C0DI3_COMMIT=${C0DI3_COMMIT:-$(git rev-parse --short HEAD)}
unset CARGO_TARGET_DIR
for folder in a/here another/place/with/a/longer/name; do
  mkdir -p "$work/$folder"
  git archive HEAD | tar -x -C "$work/$folder"
  "$work/$folder/deploy/scripts/build-release.sh" "$work/$folder/out"
done
(cd "$work" && sha256sum -- */*/out/*.tar.gz */*/*/*/*/*/out/*.tar.gz 2>/dev/null | tee sums)
[ "$(cut -d' ' -f1 "$work/sums" | sort -u | wc -l)" = 1 ] && [ "$(wc -l <"$work/sums")" = 2 ] || { echo "the builds differ" >&2; exit 1; }
echo "two builds, one archive"
