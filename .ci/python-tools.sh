#!/usr/bin/env bash
# A virtual environment with the tools that the checks need, from PyPI, under target/.
set -euo pipefail
venv=target/ci-venv
[ -x "$venv/bin/pip" ] || python3 -m venv "$venv"
"$venv/bin/pip" --quiet --disable-pip-version-check install 'maturin>=1.7,<2' pre-commit zizmor pyyaml jsonschema 'cyclonedx-python-lib[json-validation]>=8,<12'
