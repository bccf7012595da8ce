#!/usr/bin/env bash
# The workflows and the action are clean under zizmor, offline.
set -euo pipefail
target/ci-venv/bin/zizmor --offline .github action.yml
