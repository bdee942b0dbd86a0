#!/usr/bin/env bash
# Installs the Debian or Ubuntu packages that are missing: setup.sh [test]. Without an argument what building needs, with
# `test` also the servers that tests talk to. Quick when all are there.
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
need pkg-config pkg-config
[ -e /usr/include/zlib.h ] || missing+=(zlib1g-dev)
[ -e /usr/include/openssl/ssl.h ] || missing+=(libssl-dev)
if [ "${1:-}" = test ]; then
  ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing+=(postgresql)
  need redis-server redis-server
  need rsyslogd rsyslog
  need logger bsdutils
  need python3 python3
  need node nodejs
  need npm npm
  need jq jq
  need openssl openssl
  need logrotate logrotate
  python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
  python3 -m pip --version >/dev/null 2>&1 || missing+=(python3-pip)
fi
[ "${#missing[@]}" -eq 0 ] && exit 0

echo "installing packages: ${missing[*]}"
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
"${as_root[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
