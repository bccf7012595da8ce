#!/usr/bin/env bash
# The wheel builds, installs without an index into a fresh environment, and its binary runs the demo.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CARGO_TARGET_DIR=$PWD/target
target/ci-venv/bin/maturin build --release --locked --out "$work/wheels" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet install --no-index "$work"/wheels/*.whl
code=0
(cd "$work" && HOME=$work TMPDIR=$work env -u CARGO_HOME "$work/venv/bin/meshgov" demo >"$work/out") || code=$?
[ "$code" = 1 ] || { cat "$work/out"; echo "demo exited $code, expected 1 (findings)"; exit 1; }
grep -q 'MTLS' "$work/out" || { cat "$work/out"; echo "no finding printed"; exit 1; }
echo "wheel installed from $(ls "$work/wheels"), demo printed $(grep -c '' "$work/out") lines"
