#!/usr/bin/env bash
# Puts clients of shippers' protocols into FOLDER: test-clients.sh FOLDER. Python and Node.js packages at the versions that
# tests/clients names; shippers of Debian are unpacked, not installed, because they would replace the system's own. Quick when all is there.
set -euo pipefail
folder=$1
here=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$folder"
exec 9>"$folder/.lock"
flock 9
packages="rsyslog-elasticsearch rsyslog-gnutls rsyslog-relp librelp0 syslog-ng-core syslog-ng-mod-http syslog-ng-scl systemd-journal-remote
  libivykis0 libjson-c5 libmicrohttpd12 libnet1 libpcre3 libwrap0"
stamp=$(cat "$here/tests/clients/requirements.txt" "$here/tests/clients/package.json" "$0" | sha256sum)
[ "$(cat "$folder/.stamp" 2>/dev/null || true)" = "$stamp" ] && exit 0

echo "fetching clients of shippers' protocols for tests (about 150 MB)"
rm -rf "$folder/python" "$folder/node" "$folder/root"
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet --disable-pip-version-check -r "$here/tests/clients/requirements.txt"
mkdir -p "$folder/node" "$folder/root"
cp "$here/tests/clients/package.json" "$folder/node/"
npm install --silent --no-audit --no-fund --prefix "$folder/node"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck disable=SC2086
(cd "$work" && apt-get download -qq $packages)
for package in "$work"/*.deb; do dpkg -x "$package" "$folder/root"; done
echo "$stamp" >"$folder/.stamp"
