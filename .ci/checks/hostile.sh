#!/usr/bin/env bash
# Hostile input on the release and the debug binary: a clear answer within 2 s and 500 MB.
set -euo pipefail
cargo build --quiet --locked --bin meshgov
python3 .ci/hostile.py target/release/meshgov target/debug/meshgov
