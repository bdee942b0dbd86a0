#!/usr/bin/env bash
# Puts the servers and attack tools of the mixed day into FOLDER: tools.sh FOLDER. Debian packages are unpacked there, not
# installed; Python tools come into a virtual environment. Leaves with 69 where a registry cannot be reached.
set -euo pipefail
folder=$1
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
exec 9>"$folder/.lock"
flock 9
debian="nginx-light openssh-server openssh-client hydra medusa ncrack nmap gobuster ffuf dirb"
python="sqlmap==1.10 wapiti3==3.2.3 arjun==2.2.7"
stamp="$debian $python"
[ "$(cat "$folder/.stamp" 2>/dev/null || true)" = "$stamp" ] && exit 0

unreachable() { echo "the $1 registry cannot be reached" >&2; exit 69; }
echo "fetching the servers and attack tools of the mixed day (about 150 MB) into $folder"
rm -rf "$folder/root" "$folder/debs" "$folder/python"
mkdir -p "$folder/root" "$folder/debs/partial"
read -ra packages <<<"$debian"
fetch() {
  apt-get -qq -o Dir::Cache::archives="$folder/debs" -o Debug::NoLocking=1 --download-only --reinstall -y \
    --no-install-recommends install "${packages[@]}" >/dev/null 2>"$folder/apt.log"
}
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
fetch || { "${as_root[@]}" apt-get update -qq && fetch; } || { cat "$folder/apt.log" >&2; unreachable Debian; }
for package in "$folder"/debs/*.deb; do dpkg -x "$package" "$folder/root"; done
rm -rf "$folder/debs"

read -ra wheels <<<"$python"
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet --disable-pip-version-check "${wheels[@]}" || unreachable Python
echo "$stamp" >"$folder/.stamp"
