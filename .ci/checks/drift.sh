#!/usr/bin/env bash
# The comment of the demo pull request renders, the pages show it, it is stable, and its SARIF is valid.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
meshgov=$PWD/target/release/meshgov
demo() { (cd testdata/cli/diff && "$meshgov" diff --no-config --base "$1" --head "$2" --format "$3" --fail-on "${4:-never}"); }

demo base head markdown >"$work/comment.md"
demo base head markdown >"$work/again.md"
cmp "$work/comment.md" "$work/again.md"
for page in README.md docs/drift.md; do
  sed -n '/<!-- diff:begin -->/,/<!-- diff:end -->/p' "$page" | sed '1d;$d' | cmp - "$work/comment.md"
done
grep -q '5 more callers can reach' "$work/comment.md"
grep -q 'mesh/llm.yaml:10' "$work/comment.md"
[ "$(grep -c '==>' "$work/comment.md")" = 5 ]

if demo base head human widened >/dev/null; then
  echo "a widened posture passed the gate"
  exit 1
fi
demo head base human widened >/dev/null
demo base base human any >/dev/null

demo base head sarif >"$work/drift.sarif"
.ci/sarif-check.sh "$work/drift.sarif"
grep -q '"ruleId":"DRIFT001"' "$work/drift.sarif" || grep -q '"ruleId": "DRIFT001"' "$work/drift.sarif"
