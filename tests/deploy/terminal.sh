#!/usr/bin/env bash
# What people see on a terminal, and what programs read: terminal.sh PROGRAM. `script` plays the terminal.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
program=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
unset NO_COLOR PAGER LESS COLUMNS
export TERM=xterm
log="$root/deploy/sample-logs/auth.log"
fail() { echo "FAILED: $1" >&2; cat "$work/seen" >&2; exit 1; }
# A command on a terminal of so many rows and columns.
on() { local rows=$1 columns=$2; shift 2; script -qec "stty rows $rows cols $columns; $*" /dev/null </dev/null >"$work/seen" 2>&1 || true; }
table="$program replay --store none --out table $log"
# The bar on standard error clears its line; only colours are looked for.
escape=$(printf '\033') color=$(printf '\033')'\[[0-9;]*m'
on 100 200 "$table"
grep -q "${escape}\[31mP1 *${escape}\[0m" seen || fail "severities are coloured on a terminal"
NO_COLOR=1 on 100 200 "$table"
! grep -q "$color" seen || fail "NO_COLOR is heeded"
TERM=dumb on 100 200 "$table"
! grep -q "$color" seen || fail "a terminal without colours gets none"
on 100 200 "$table --color never"
! grep -q "$color" seen || fail "--color never"
$table >seen 2>/dev/null
! grep -q "$color" seen || fail "a pipe gets no colours"
$table --color always >seen 2>/dev/null
grep -q "$color" seen || fail "--color always"
$program replay --color always --store none --out ndjson "$log" >seen 2>/dev/null
! grep -q "$color" seen || fail "lines for programs are never coloured"
on 100 100 "$table --color never"
[ "$(tr -d '\r' <seen | grep '^P' | wc -L)" -le 100 ] || fail "rows end where the terminal does"
grep -q '…' seen || fail "what is cut is marked"
PAGER="sed s/^/PAGED:/" on 10 120 "$program formats"
[ "$(grep -c '^PAGED:' seen)" -gt 100 ] || fail "what is longer than the terminal goes through PAGER"
PAGER="sed s/^/PAGED:/" on 10 120 "$program formats --no-pager"
! grep -q 'PAGED:' seen || fail "--no-pager"
PAGER="sed s/^/PAGED:/" on 100 200 "$table"
! grep -q 'PAGED:' seen || fail "what fits is not paged"
PAGER="head -3" on 10 120 "$program config show; echo code \$?"
grep -q 'code 0' seen || fail "whoever leaves the pager early is no failure"
PAGER=/absent on 10 120 "$program formats; echo code \$?"
{ grep -q 'code 0' seen && [ "$(wc -l <seen)" -gt 100 ]; } || fail "without a pager everything is written to the terminal"
echo "the terminal: all as promised"
