#!/usr/bin/env bash
# Installs the Debian or Ubuntu packages that building and testing need, if any is missing. Quick when all are there.
set -euo pipefail

command -v cargo >/dev/null || { echo "Rust is needed: install it with rustup, then run this again" >&2; exit 1; }

missing=()
need() { command -v "$1" >/dev/null || missing+=("$2"); }
need cc gcc
need c++ g++
need make make
need curl curl
need time time
need setpriv util-linux
need mkfifo coreutils
[ "${#missing[@]}" -eq 0 ] && exit 0

echo "installing packages: ${missing[*]}"
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
"${as_root[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
