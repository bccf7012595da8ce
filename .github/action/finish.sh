#!/usr/bin/env bash
# Last step: annotations where code scanning did not take the findings, then the saved exit code. An upload that failed
# never turns the run red; findings do.
set -euo pipefail
if [ "${MESHGOV_ACTION_UPLOADED:-false}" != true ] && [ -s "${MESHGOV_ACTION_ANNOTATIONS:-}" ]; then
  cat "$MESHGOV_ACTION_ANNOTATIONS"
fi
exit "${MESHGOV_ACTION_EXIT:-2}"
