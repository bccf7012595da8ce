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

# Fetches the base, where the checkout of depth 1 does not hold it; prints the commit. What cannot be fetched is printed as
# it was given, and `meshgov` says what to do.
base_commit() {
  local base=$1
  if git rev-parse --verify --quiet --end-of-options "$base^{commit}"; then return; fi
  if fetch "$base" || with_token fetch "$base"; then
    git rev-parse --verify --quiet 'FETCH_HEAD^{commit}' && return
  fi
  printf '%s\n' "$base"
}
fetch() { git fetch --quiet --no-tags --depth=1 -- origin "$1" 2>/dev/null; }
# The token goes through the environment, so that no process list shows it.
with_token() (
  [ -n "${MESHGOV_ACTION_TOKEN:-}" ] && [ -n "${GITHUB_SERVER_URL:-}" ] || exit 1
  basic=$(printf 'x-access-token:%s' "$MESHGOV_ACTION_TOKEN" | base64 | tr -d '\n')
  export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="http.$GITHUB_SERVER_URL/.extraheader"
  export GIT_CONFIG_VALUE_0="AUTHORIZATION: basic $basic"
  "$@"
)
# What the change means, as markdown.
comment() { # base file
  local config=()
  [ -z "${MESHGOV_ACTION_CONFIG:-}" ] || config=(--config "$MESHGOV_ACTION_CONFIG")
  "$MESHGOV_BIN" diff "${config[@]}" --base "$1" --format markdown --fail-on never --allow-empty -- "${paths[@]}" >"$2"
}

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

base=${MESHGOV_ACTION_BASE:-}
if [ -n "$base" ]; then
  base=$(base_commit "$base")
  args+=(--base "$base")
  [ "${MESHGOV_ACTION_NEW_ONLY:-true}" = false ] || args+=(--new-only)
fi

code=0
"$MESHGOV_BIN" check "${args[@]}" -- "${paths[@]}" || code=$?

comment_file=
if [ -n "$base" ] && [ -n "${MESHGOV_ACTION_COMMENT:-}" ]; then
  if comment "$base" "$MESHGOV_ACTION_COMMENT"; then
    comment_file=$MESHGOV_ACTION_COMMENT
  else
    echo "::warning title=meshgov::the comment could not be written"
  fi
fi

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
  printf 'comment-file=%s\n' "$comment_file"
  printf 'exit-code=%s\n' "$code"
} >>"$GITHUB_OUTPUT"
