#!/usr/bin/env bash
# The action's scripts as GitHub runs them: a released archive from a local file server, checked against the table; a
# wrong checksum and an unknown version refused; outputs, summary and annotations written; the saved exit code returned.
set -euo pipefail
trap 'echo "action: line $LINENO does not hold"' ERR
root=$PWD
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
# One assertion a line: what fails before `&&` does not stop the script.
triple=x86_64-unknown-linux-musl
[ "$(uname -m)" = x86_64 ] || triple=aarch64-unknown-linux-musl
mkdir -p "$work/www/v0.1.0" "$work/tools" "$work/tmp"
tar -C target/release -czf "$work/www/v0.1.0/meshgov-$triple.tar.gz" meshgov
sum=$(sha256sum "$work/www/v0.1.0/meshgov-$triple.tar.gz" | cut -d' ' -f1)
(cd "$work/www" && exec python3 -u -m http.server 0 --bind 127.0.0.1) >"$work/server" 2>&1 &
server=$!
for _ in $(seq 50); do
  port=$(sed -n 's/.*port \([0-9]*\).*/\1/p' "$work/server" | head -n 1)
  [ -n "$port" ] && break
  sleep 0.1
done
install_action() { # checksum-table version
  printf '%s\n' "$1" >"$work/table"
  : >"$work/output"
  env GITHUB_OUTPUT="$work/output" RUNNER_TOOL_CACHE="$work/tools" MESHGOV_ACTION_BUILD=false MESHGOV_ACTION_VERSION="$2" \
    MESHGOV_ACTION_URL="http://127.0.0.1:$port" MESHGOV_ACTION_CHECKSUMS="$work/table" bash .github/action/install.sh
}
install_action "0.1.0 $triple $(printf '0%.0s' $(seq 64))" "" >"$work/log" && { echo "a wrong checksum was accepted"; exit 1; }
grep -q 'refusing to run' "$work/log"
install_action "0.1.0 $triple $sum" 9.9.9 >"$work/log" && { echo "an unknown version was accepted"; exit 1; }
install_action "0.1.0 $triple $sum" '1.0.0; id' >"$work/log" && { echo "a malformed version was accepted"; exit 1; }
install_action "0.1.0 $triple $sum" ""
bin=$(sed -n 's/^bin=//p' "$work/output")
[ -x "$bin" ]

check_action() { # paths
  : >"$work/output" && : >"$work/summary"
  env GITHUB_OUTPUT="$work/output" GITHUB_STEP_SUMMARY="$work/summary" RUNNER_TEMP="$work/tmp" GITHUB_ACTIONS=true \
    MESHGOV_BIN="$bin" MESHGOV_ACTION_PATHS="$1" MESHGOV_ACTION_DIR="$root" bash .github/action/check.sh >"$work/log" 2>&1
}
finish_action() { # uploaded
  env MESHGOV_ACTION_UPLOADED="$1" MESHGOV_ACTION_ANNOTATIONS="$(sed -n 's/^annotations-file=//p' "$work/output")" \
    MESHGOV_ACTION_EXIT="$(sed -n 's/^exit-code=//p' "$work/output")" bash .github/action/finish.sh
}
check_action testdata/demo
cat "$work/output"
[ "$(sed -n 's/^exit-code=//p' "$work/output")" = 1 ]
[ "$(sed -n 's/^findings=//p' "$work/output")" -gt 0 ]
[ -s "$(sed -n 's/^sarif-file=//p' "$work/output")" ]
[ -s "$work/summary" ]
code=0
finish_action false >"$work/annotations" || code=$?
[ "$code" = 1 ]
grep -q '^::error file=' "$work/annotations"
code=0
finish_action true >"$work/annotations" || code=$?
[ "$code" = 1 ]
[ ! -s "$work/annotations" ]
check_action testdata/nowhere
[ "$(sed -n 's/^exit-code=//p' "$work/output")" = 2 ]
grep -qx 'sarif-file=' "$work/output"
grep -qx 'findings=0' "$work/output"
code=0
finish_action false >"$work/annotations" || code=$?
[ "$code" = 2 ]
[ ! -s "$work/annotations" ]

# A pull request in a clone of depth 1: the base is fetched, only what is new counts, the comment says what it means.
export GIT_AUTHOR_NAME=ci GIT_AUTHOR_EMAIL=ci@example.invalid GIT_COMMITTER_NAME=ci GIT_COMMITTER_EMAIL=ci@example.invalid
git init -q -b main "$work/origin" && cp -r testdata/demo "$work/origin/cluster"
(cd "$work/origin" && git add -A && git commit -q -m base && git switch -q -c change && echo "# more" >cluster/more.yaml && git add -A && git commit -q -m head)
sha=$(git -C "$work/origin" rev-parse main)
git -C "$work/origin" config uploadpack.allowAnySHA1InWant true
git clone -q --depth=1 --branch change "file://$work/origin" "$work/clone"
pull_request() { # new-only comment-file
  : >"$work/output" && : >"$work/summary"
  (export MESHGOV_ACTION_DIR=$work/clone MESHGOV_ACTION_BASE=$sha MESHGOV_ACTION_NEW_ONLY=$1 MESHGOV_ACTION_COMMENT=$2
   env GITHUB_OUTPUT="$work/output" GITHUB_STEP_SUMMARY="$work/summary" RUNNER_TEMP="$work/tmp" MESHGOV_BIN="$bin" \
     MESHGOV_ACTION_PATHS=cluster bash .github/action/check.sh >"$work/log" 2>&1)
}
pull_request true "$work/comment.md" || { cat "$work/log"; exit 1; }
[ "$(sed -n 's/^exit-code=//p' "$work/output")" = 0 ] || { cat "$work/log"; exit 1; }
grep -qx 'findings=0' "$work/output"
grep -qx "comment-file=$work/comment.md" "$work/output"
grep -q '<!-- meshgov diff -->' "$work/comment.md"
pull_request false ""
[ "$(sed -n 's/^exit-code=//p' "$work/output")" = 1 ]
grep -qx 'comment-file=' "$work/output"

: >"$work/output"
env GITHUB_OUTPUT="$work/output" MESHGOV_ACTION_BUILD=true CARGO_TARGET_DIR="$root/target" bash .github/action/install.sh
"$(sed -n 's/^bin=//p' "$work/output")" --version
echo "action: built from source; install refused three bad inputs; check wrote SARIF, summary, annotations; exit code kept"
