#!/usr/bin/env bash
# Runs fuzz targets one after another: fuzz.sh SECONDS [TARGET...], all of them where none is named.
# Seeds are the test data; findings stay in tests/fuzz/artifacts. Ends with how often each target ran. How much processor time a text
# may take is checked by the targets themselves; the timeout is one by the clock, for what never ends.
set -euo pipefail
seconds=$1
shift
cargo fuzz --version >/dev/null 2>&1 || { echo "installing cargo-fuzz"; cargo install --quiet --locked cargo-fuzz; }
# Coverage instrumentation is an unstable compiler option; the stable compiler takes it with this variable.
export RUSTC_BOOTSTRAP=1
cd "$(dirname "$0")/../../tests/fuzz"
[ $# -gt 0 ] || { mapfile -t targets < <(cargo fuzz list --fuzz-dir .); set -- "${targets[@]}"; }
cargo fuzz build --fuzz-dir . --sanitizer none
table=()
failed=0
for target in "$@"; do
  seeds=corpus/$target
  mkdir -p "$seeds"
  case $target in
    rule_reader) mapfile -t files < <(find ../../rules -name '*.yml') ;;
    shape_reader) files=(../../schemas/json-shapes.yaml) ;;
    long_lines | event_log) files=() ;;
    *) files=(../../crates/parse/testdata/*/*.log) ;;
  esac
  for file in "${files[@]}"; do cp "$file" "$seeds/$(echo "${file#../../}" | tr / -)"; done
  echo "fuzzing $target for $seconds s"
  report=$(cargo fuzz run --fuzz-dir . --sanitizer none "$target" -- -max_total_time="$seconds" -max_len=65536 -timeout=25 -report_slow_units=25 \
    -rss_limit_mb=2048 -print_final_stats=1 2>&1 || true)
  grep -aE 'ERROR|panicked|SUMMARY|Test unit written' <<<"$report" || true
  units=$(grep -a 'stat::number_of_executed_units' <<<"$report" | grep -oE '[0-9]+$' || echo 0)
  if [ "$units" = 0 ] || compgen -G "artifacts/$target/*" >/dev/null; then
    echo "$target: did not run clean; see tests/fuzz/artifacts/$target" >&2
    tail -n 20 <<<"$report" >&2
    failed=1
  fi
  table+=("$(printf '%-18s %12s' "$target" "$units")")
done
printf '%s\n' "target                    units" "${table[@]}"
[ $failed = 0 ] && echo "fuzzing: nothing found"
exit $failed
