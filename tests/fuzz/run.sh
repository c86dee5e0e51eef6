#!/bin/sh
# Builds one target with coverage but no sanitizer, which stable Rust can do, and runs it.
#   ./run.sh TARGET [SECONDS] [CORPUS…]
set -eu
cd "$(dirname "$0")"
target=$1
seconds=${2:-120}
shift; [ $# -gt 0 ] && shift
host=$(rustc -vV | sed -n 's/^host: //p')
RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module \
 -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
 -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares" \
    cargo build --release --target "$host" --bin "$target"
mkdir -p "corpus/$target"
exec "${CARGO_TARGET_DIR:-target}/$host/release/$target" -dict=words.dict -max_len=2048 \
    -max_total_time="$seconds" -rss_limit_mb=512 -timeout=5 "corpus/$target" "$@"
