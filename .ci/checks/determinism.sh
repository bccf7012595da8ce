#!/usr/bin/env bash
# Equal bytes in two runs and with the files named in reverse, in every format; no network, no home directory.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
meshgov=$PWD/target/release/meshgov
tree=testdata/demo
[ ! -d ../shared/corpus/real/plain ] || tree=../shared/corpus/real/plain/kserve__kserve
check() { # format, output, paths…
  local format=$1 out=$2
  shift 2
  "$meshgov" check --no-config --exit-zero --no-progress --today 2026-01-01 --color never --format "$format" -- "$@" >"$out" 2>&1
}
mapfile -t files < <(find "$tree" -name '*.yaml' | LC_ALL=C sort)
mapfile -t reversed < <(printf '%s\n' "${files[@]}" | tac)
for format in human concise json sarif github markdown; do
  check "$format" "$work/a" "$tree"
  check "$format" "$work/b" "$tree"
  cmp "$work/a" "$work/b" || { echo "$format: two runs differ"; exit 1; }
  check "$format" "$work/c" "${files[@]}"
  check "$format" "$work/d" "${reversed[@]}"
  cmp "$work/c" "$work/d" || { echo "$format: the order of the paths shows"; exit 1; }
done
echo "determinism: six formats equal in two runs and in reverse order of ${#files[@]} files"

# The tests again without network and without a home directory. Cargo itself must still find its registry and toolchain.
export CARGO_HOME=${CARGO_HOME:-$HOME/.cargo} RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
if unshare -rn true 2>/dev/null; then
  env -u HOME unshare -rn cargo test --quiet --offline --locked >"$work/tests" 2>&1 || { tail -n 40 "$work/tests"; exit 1; }
  echo "determinism: tests pass under unshare -n with HOME unset"
else
  echo "determinism: this machine does not allow unshare"; exit 1
fi
