#!/usr/bin/env bash
# Whether speed has fallen: bench-ratios.sh PROGRAM TARGET_FOLDER [--write]. Compares ratios of one run with the committed baseline
# (benches/ratios.tsv), and fails where one is below 85 % of it; --write makes a new baseline. Times of machines differ, ratios
# of one run hardly do: each is the rate of all own rules over the rate of one trivial rule, without the start of the program.
set -euo pipefail
program=$1 folder=$2/corpora write=${3:-}
root=$(cd "$(dirname "$0")/../.." && pwd)
baseline=$root/benches/ratios.tsv
turns=${TURNS:-5} least=0.85
mkdir -p "$folder/trivial"

cat >"$folder/trivial/trivial.yml" <<'RULE'
title: A line that never comes
id: trivial
level: low
detection:
  selection:
    event.action: never-comes
  condition: selection
RULE
make_corpus() { # file kind megabytes [seed attacks]
  [ -s "$folder/$1" ] && return
  echo "writing $1" >&2
  cargo build --quiet --release --package benches --bin corpus
  "$2/release/corpus" "${@:3}" >"$folder/$1.part"
  mv "$folder/$1.part" "$folder/$1"
}
make_corpus ratio-access.log "$2" access 80 7 50
make_corpus ratio-sshd-1.log "$2" sshd 40 7 100
make_corpus ratio-sshd-5.log "$2" sshd 40 7 500
make_corpus ratio-flood.log "$2" flood 10 7

seconds() { # rules-option... file → user and system time of one replay
  /usr/bin/env time -f '%U %S' -o "$folder/took" "$program" replay --store none --archive none --out ndjson --jobs 1 "$@" \
    >"$folder/found" 2>"$folder/said" || { cat "$folder/said" >&2; exit 1; }
  awk '{ print $1 + $2 }' "$folder/took"
}
trivial=(--no-default-rules --rules "$folder/trivial")
median() { sort -n "$1" | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }

failed=0
fresh=$(mktemp)
trap 'rm -f "$fresh"' EXIT
printf '# rate with all own rules over the rate with one trivial rule; medians of %s interleaved turns\n' "$turns" >"$fresh"
for name in access sshd-1 sshd-5 flood; do
  log=$folder/ratio-$name.log
  head -n 1 "$log" >"$folder/one.log"
  for kind in own trivial own-start trivial-start; do : >"$folder/$kind.times"; done
  for _ in $(seq "$turns"); do
    seconds "$log" >>"$folder/own.times"
    seconds "${trivial[@]}" "$log" >>"$folder/trivial.times"
    seconds "$folder/one.log" >>"$folder/own-start.times"
    seconds "${trivial[@]}" "$folder/one.log" >>"$folder/trivial-start.times"
  done
  ratio=$(awk -v own="$(median "$folder/own.times")" -v start="$(median "$folder/own-start.times")" \
    -v trivial="$(median "$folder/trivial.times")" -v trivial_start="$(median "$folder/trivial-start.times")" \
    'BEGIN { printf "%.3f", (trivial - trivial_start) / (own - start) }')
  printf '%s\t%s\n' "$name" "$ratio" >>"$fresh"
  before=$(awk -v name="$name" '$1 == name { print $2 }' "$baseline" 2>/dev/null || true)
  verdict=ok
  if [ "$write" != --write ]; then
    if [ -z "$before" ]; then
      verdict="FAILED: the baseline has no $name" failed=1
    elif awk -v now="$ratio" -v before="$before" -v least="$least" 'BEGIN { exit !(now < before * least) }'; then
      verdict="FAILED: more than 15 % below the baseline" failed=1
    fi
  fi
  printf '%-8s %s (baseline %s) %s\n' "$name" "$ratio" "${before:-none}" "$verdict"
done
if [ "$write" = --write ]; then cp "$fresh" "$baseline"; fi
exit "$failed"
