#!/usr/bin/env bash
# Hostile input on the release and the debug binary: a clear answer within 2 s and 500 MB.
set -euo pipefail
# The debug binary is the one that the tests run; built alone it would be built anew.
cargo test --quiet --locked --no-run --test cli
python3 .ci/hostile.py target/release/meshgov target/debug/meshgov
