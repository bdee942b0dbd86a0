#!/usr/bin/env bash
# Builds the program of the release before, for tests of upgrades: previous.sh FOLDER [COMMIT] puts it into FOLDER/c0di3. Without a
# commit it is that of the last tag, or where there is none the one of a day ago. What is there of that commit is not built again.
set -euo pipefail
folder=$1 commit=${2:-}
cd "$(dirname "$0")/../.."
[ -n "$commit" ] || commit=$(git describe --tags --abbrev=0 HEAD^ 2>/dev/null || git rev-list -1 --before='1 day ago' HEAD)
[ -n "$commit" ] || commit=$(git rev-list --max-parents=0 HEAD | tail -1)
commit=$(git rev-parse --verify "$commit^{commit}")
mkdir -p "$folder"
[ "$(cat "$folder/commit" 2>/dev/null || true)" = "$commit" ] && [ -x "$folder/c0di3" ] && exit 0
rm -rf "$folder/source"
mkdir "$folder/source"
git archive "$commit" | tar -x -C "$folder/source"
echo "building the program of ${commit:0:10}, to upgrade from"
(cd "$folder/source" && CARGO_TARGET_DIR="$folder/target" C0DI3_COMMIT="${commit:0:10}" cargo build --quiet --locked --package c0di3)
cp "$folder/target/debug/c0di3" "$folder/c0di3"
echo "$commit" >"$folder/commit"
