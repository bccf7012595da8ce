#!/usr/bin/env bash
# `config render` prints what kubectl prints, as documents and as a list, for every leaf of the kustomize suite that kubectl
# builds, and refuses the others with field and place.
set -euo pipefail
[ -d ../shared ] || { echo "no ../shared beside this clone: left out"; exit 0; }
suite=../shared/suites/kustomize
for format in yaml json; do
  python3 "$suite/compare.py" target/release/meshgov config render {dir} --format "$format" --show-secrets
done
python3 .ci/kustomize_refusals.py target/release/meshgov "$suite"
# The cases of our own say what kubectl says.
if command -v kubectl >/dev/null; then
  python3 testdata/kustomize/verify.py
else
  echo "no kubectl here: testdata/kustomize is not compared with it"
fi
