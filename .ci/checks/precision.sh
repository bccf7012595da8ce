#!/usr/bin/env bash
# The drawn precision sample of the real corpus has its verdicts, and no rule of the default set cries wolf.
set -euo pipefail
[ -d ../shared ] || { echo "no ../shared beside this clone: left out"; exit 0; }
python3 .ci/precision.py target/release/meshgov ../shared/corpus/real/plain testdata/precision/verdicts.txt
# The AI rules alone, of which the sample above draws few.
python3 .ci/precision.py target/release/meshgov ../shared/corpus/real/plain testdata/precision/verdicts.txt --only AI --least 110
