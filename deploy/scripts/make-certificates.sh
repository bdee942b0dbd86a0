#!/usr/bin/env bash
# Makes an authority of one's own and a certificate for this machine: make-certificates.sh FOLDER NAME… (host names and addresses
# by which clients call it). What is there stays: run it again before the certificate ends (397 days), with --renew as first name.
# Clients need FOLDER/ca.crt alone. Take FOLDER/ca.key away from the machine once certificates are made.
set -euo pipefail
folder=${1:?usage: make-certificates.sh FOLDER [--renew] NAME…}
shift
renew=
if [ "${1:-}" = --renew ]; then renew=1; shift; fi
[ $# -gt 0 ] || { echo "name this machine as clients call it" >&2; exit 2; }
umask 077
mkdir -p "$folder"
if [ -e "$folder/ca.crt" ] && [ ! -e "$folder/ca.key" ] && { [ -n "$renew" ] || [ ! -e "$folder/server.crt" ]; }; then
  echo "$folder/ca.key is not here, and nothing can be signed without it: bring it back for as long as this takes. Nothing was changed" >&2
  exit 1
fi
# What is not finished does not stay.
trap 'rm -f "$folder"/server.csr "$folder"/server.{crt,key}.new' EXIT
key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc)
if [ ! -e "$folder/ca.crt" ]; then
  openssl req -x509 "${key[@]}" -days 3650 -subj "/CN=core-agent authority of $1" -addext 'basicConstraints=critical,CA:true' \
    -addext 'keyUsage=critical,keyCertSign,cRLSign' -keyout "$folder/ca.key" -out "$folder/ca.crt" 2>/dev/null
fi
if [ ! -e "$folder/server.crt" ] || [ -n "$renew" ]; then
  names=
  for name in "$@" localhost 127.0.0.1; do
    case $name in *[!0-9.]*) case $name in *:*) kind=IP ;; *) kind=DNS ;; esac ;; *) kind=IP ;; esac
    names=$names${names:+,}$kind:$name
  done
  openssl req "${key[@]}" -subj "/CN=$1" -addext "subjectAltName=$names" -addext 'extendedKeyUsage=serverAuth' \
    -keyout "$folder/server.key.new" -out "$folder/server.csr" 2>/dev/null
  openssl x509 -req -in "$folder/server.csr" -CA "$folder/ca.crt" -CAkey "$folder/ca.key" -CAcreateserial -days 397 -copy_extensions copy \
    -out "$folder/server.crt.new" 2>/dev/null
  openssl verify -CAfile "$folder/ca.crt" "$folder/server.crt.new" >/dev/null
  # The key as last: the service looks for both, and takes them once they belong together.
  mv "$folder/server.crt.new" "$folder/server.crt"
  mv "$folder/server.key.new" "$folder/server.key"
fi
chmod 755 "$folder"
chmod 644 "$folder/ca.crt" "$folder/server.crt"
if getent group c0di3 >/dev/null && [ "$(id -u)" = 0 ]; then chgrp c0di3 "$folder/server.key" && chmod 640 "$folder/server.key"; fi
openssl x509 -in "$folder/server.crt" -noout -subject -enddate -ext subjectAltName
