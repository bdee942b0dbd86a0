#!/usr/bin/env bash
# Runs every fuzz target for some seconds: fuzz.sh SECONDS. Seeds are the test data; findings stay in tests/fuzz/artifacts.
set -euo pipefail
seconds=$1
cargo fuzz --version >/dev/null 2>&1 || { echo "installing cargo-fuzz"; cargo install --quiet --locked cargo-fuzz; }
# Coverage instrumentation is an unstable compiler option; the stable compiler takes it with this variable.
export RUSTC_BOOTSTRAP=1
cd tests/fuzz
for target in $(cargo fuzz list --fuzz-dir .); do
  seeds=corpus/$target
  mkdir -p "$seeds"
  case $target in
    rule_reader) find ../../rules -name '*.yml' -exec cp -t "$seeds" {} + ;;
    shape_reader) cp ../../schemas/json-shapes.yaml "$seeds" ;;
    *) for file in ../../crates/parse/testdata/*/*.log; do cp "$file" "$seeds/$(echo "${file#../../crates/parse/testdata/}" | tr / -)"; done ;;
  esac
  echo "fuzzing $target for $seconds s"
  cargo fuzz run --fuzz-dir . --sanitizer none "$target" -- -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=4096 -print_final_stats=1 2>&1 |
    grep -E 'stat::number_of_executed_units|ERROR|panicked|SUMMARY|Test unit written' || true
  if compgen -G "artifacts/$target/*" >/dev/null; then
    echo "$target: found something in tests/fuzz/artifacts/$target" >&2
    exit 1
  fi
done
echo "fuzzing: nothing found"
