#!/usr/bin/env bash
# The section "One hardened machine" of the runbook, walked with a package of this program: single-node.sh PROGRAM.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# A program for development is mostly names: without them, and packed quickly, this takes seconds.
strip --strip-debug -o "$work/c0di3" "$1"
export SOURCE_DATE_EPOCH=1700000000 DEB_COMPRESSION=gzip DEB_LEVEL=1
"$root/tests/runbook/single-node.sh" "$("$root/deploy/scripts/package-deb.sh" "$work/c0di3" "$work")" || { echo "the single machine does not stand" >&2; exit 1; }
