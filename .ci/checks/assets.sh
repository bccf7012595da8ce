#!/usr/bin/env bash
# Every asset of the real corpus is one, and differs from the reference scorer only where that is explained.
set -euo pipefail
[ -d ../shared ] || { echo "no ../shared beside this clone: left out"; exit 0; }
python3 .ci/assets_corpus.py target/release/meshgov ../shared/oracles/ai testdata/precision/assets.txt \
  ../shared/corpus/real/plain ../shared/corpus/real/gitops
