#!/usr/bin/env bash
# Runs `meshgov check` once with every format the action needs. Never fails the step itself: finish.sh does, after the
# upload, with the exit code saved here.
set -euo pipefail
: "${MESHGOV_BIN:?install.sh sets it}"
cd "${MESHGOV_ACTION_DIR:-.}"

out=$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/meshgov.XXXXXX")
sarif=$out/meshgov.sarif
json=$out/meshgov.json
annotations=$out/annotations.txt
summary=$out/summary.md

args=(--format human --format "sarif=$sarif" --format "json=$json" --format "github=$annotations"
  --format "markdown=$summary" --sarif-category "${MESHGOV_ACTION_CATEGORY:-meshgov}" --no-progress)
[ -z "${MESHGOV_ACTION_CONFIG:-}" ] || args+=(--config "$MESHGOV_ACTION_CONFIG")
[ -z "${MESHGOV_ACTION_FAIL_ON:-}" ] || args+=(--fail-on "$MESHGOV_ACTION_FAIL_ON")
while IFS= read -r line; do
  [ -z "$line" ] || args+=("$line")
done <<<"${MESHGOV_ACTION_ARGS:-}"
paths=()
while IFS= read -r line; do
  [ -z "$line" ] || paths+=("$line")
done <<<"${MESHGOV_ACTION_PATHS:-.}"

code=0
"$MESHGOV_BIN" check "${args[@]}" -- "${paths[@]}" || code=$?

[ -s "$summary" ] && [ -n "${GITHUB_STEP_SUMMARY:-}" ] && cat "$summary" >>"$GITHUB_STEP_SUMMARY"
[ -s "$sarif" ] || sarif=""
findings=0
if [ -s "$json" ]; then
  findings=$(sed -n 's/^ *"findingsTotal": *\([0-9]*\).*/\1/p' "$json" | head -n 1)
fi
{
  printf 'sarif-file=%s\n' "$sarif"
  printf 'annotations-file=%s\n' "$annotations"
  printf 'findings=%s\n' "${findings:-0}"
  printf 'exit-code=%s\n' "$code"
} >>"$GITHUB_OUTPUT"
