#!/usr/bin/env bash
# Measures whole replays and memory: bench-replay.sh PROGRAM TARGET_FOLDER. Files are made from a seed and kept in the target folder.
set -euo pipefail
program=$1 folder=$2/corpora
mkdir -p "$folder"
cargo build --quiet --release --package benches
make_corpus() { [ -s "$folder/$3" ] || { echo "writing $3"; "$2/release/corpus" "$1" "$4" >"$folder/$3.part"; mv "$folder/$3.part" "$folder/$3"; }; }
make_corpus access "$2" access-440.log 440
make_corpus access "$2" access-4000.log 4000

run() { # jobs file → prints "events/s seconds peak-KB"
  /usr/bin/env time -f '%M' -o "$folder/peak" "$program" replay --store none --out ndjson --jobs "$1" "$folder/$2" \
    2>"$folder/said" >"$folder/found"
  sed -nE 's/.*seconds ([0-9.]+), events\/s ([0-9]+).*/\2 \1/p' "$folder/said" | tr '\n' ' '
  cat "$folder/peak"
}
best() { for _ in 1 2 3 4 5; do run "$1" "$2"; done | sort -rn | head -n 1; }

cat "$folder/access-440.log" >/dev/null
read -r one _ _ < <(best 1 access-440.log)
read -r two _ _ < <(best 2 access-440.log)
echo "replay 440 MB, all own rules, 1 job:  $one events/s (target 1,200,000)"
echo "replay 440 MB, all own rules, 2 jobs: $two events/s, $(awk "BEGIN{printf \"%.2f\", $two/$one}") times one job (target 1.8)"
read -r _ seconds peak < <(run 2 access-4000.log)
echo "replay 4 GB, 2 jobs: peak memory $((peak / 1024)) MB (target 400), $seconds s"
start=$(date +%s%N); "$program" rules check >/dev/null; end=$(date +%s%N)
echo "loading all own rules: $(((end - start) / 1000000)) ms (target 1000)"
