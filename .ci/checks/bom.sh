#!/usr/bin/env bash
# The ML-BOM of the demo tree and of the cases of testdata/asset is valid CycloneDX 1.6; a broken one is refused.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
shopt -s nullglob
for tree in testdata/demo testdata/asset ../shared/cases/ai; do
  [ -d "$tree" ] || continue
  target/release/meshgov assets --no-config --format cyclonedx "$tree" >"$work/$(basename "$tree").json"
done
target/ci-venv/bin/python .ci/bom_schema.py "$work"/*.json
sed 's/"machine-learning-model"/"model"/' "$work/asset.json" >"$work/broken.json"
if cmp -s "$work/asset.json" "$work/broken.json"; then
  echo "testdata/asset names no model"
  exit 1
fi
if target/ci-venv/bin/python .ci/bom_schema.py "$work/broken.json" >"$work/log"; then
  echo "a broken BOM passed"
  exit 1
fi
