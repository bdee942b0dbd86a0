#!/usr/bin/env bash
# The tarball that is given away: build-release.sh [FOLDER]. One commit gives the same bytes wherever it is built: versions are locked,
# paths are cut off, times are the commit's (SOURCE_DATE_EPOCH), order and owners are fixed. PROFILE (dist) names the profile of cargo.
# The program is static: C library, zlib, OpenSSL (Kafka's alone; the system's libssl-dev) and C++ library are in it, so that it runs on any Linux of x86-64. It is glibc's, not musl's:
# the allocator, librdkafka and SQLite are tested with it, and name resolution (files, dns) is built into it since 2.34.
set -euo pipefail
out=$(realpath -m "${1:-.}")
cd "$(dirname "$0")/../.."
root=$(pwd -P)
target=x86_64-unknown-linux-gnu
profile=${PROFILE:-dist}
cargo_home=$(realpath "${CARGO_HOME:-$HOME/.cargo}")
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export C0DI3_COMMIT=${C0DI3_COMMIT:-$(git rev-parse --short HEAD)}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}/static
export CARGO_INCREMENTAL=0 LIBZ_SYS_STATIC=1 OPENSSL_STATIC=1 LC_ALL=C TZ=UTC
# Names of functions stay, for profiles; where they stand in files is left out.
name=${profile^^}
export "CARGO_PROFILE_${name}_DEBUG=false" "CARGO_PROFILE_${name}_STRIP=debuginfo"
cut="-ffile-prefix-map=$root=. -ffile-prefix-map=$cargo_home=cargo"
export CFLAGS="$cut" CXXFLAGS="$cut"
# For the target alone: what runs while building stays as it is.
export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS="-C target-feature=+crt-static --remap-path-prefix=$root=. --remap-path-prefix=$cargo_home=cargo"
cargo build --locked --quiet --profile "$profile" --target "$target" --package c0di3
program=$CARGO_TARGET_DIR/$target/$profile/c0di3
! readelf -d "$program" | grep -q NEEDED || { echo "the program is not static" >&2; exit 1; }
deploy/scripts/package-tarball.sh "$program" "$out"
