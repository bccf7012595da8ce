#!/usr/bin/env bash
# A real `pre-commit try-repo`: a bad commit is refused with the finding, a good one passes silently. Each try-repo builds
# the hook anew, so the built one runs once, and quickly built; the other runs take the binary on the PATH.
set -euo pipefail
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export MATURIN_PEP517_ARGS="--profile dev" CARGO_PROFILE_DEV_OPT_LEVEL=0
export PRE_COMMIT_HOME=$work/cache CARGO_TARGET_DIR=$root/target PATH=$root/target/release:$PATH
export GIT_AUTHOR_NAME=ci GIT_AUTHOR_EMAIL=ci@example.invalid GIT_COMMITTER_NAME=ci GIT_COMMITTER_EMAIL=ci@example.invalid
mkdir "$work/repo" && cd "$work/repo" && git init -q -b main
run() { "$root/target/ci-venv/bin/pre-commit" try-repo "$root" "$1" --all-files >"$work/out" 2>&1; }

cat >ok.yaml <<'YAML'
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: web}
data: {colour: blue}
YAML
git add -A
run meshgov-system || { cat "$work/out"; echo "the hook failed on a clean tree"; exit 1; }
git commit -q -m clean

cat >bad.yaml <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: assistant, namespace: web}
spec:
  template:
    spec:
      containers:
        - name: app
          image: ghcr.io/acme/assistant:1.0.0
          env: [{name: OPENAI_API_KEY, value: sk-demo-4f9c1a7e2b8d4c6fa0e3}]
YAML
git add -A
if run meshgov; then cat "$work/out"; echo "the hook passed a literal credential"; exit 1; fi
grep -q 'AIKEY001' "$work/out" || { cat "$work/out"; echo "the finding is not named"; exit 1; }
if grep -q 'sk-demo-4f9c' "$work/out"; then echo "the hook printed the credential"; exit 1; fi
run meshgov-system && { echo "the system hook passed a literal credential"; exit 1; }

# What is committed already is old: the next commit is judged by what it adds.
git commit -q -m "bad, past the hook"
sed -i 's/blue/green/' ok.yaml
git add -A
run meshgov-system || { cat "$work/out"; echo "the hook refused a commit for what was there before"; exit 1; }
run meshgov-tree && { echo "the hook for the whole tree passed a literal credential"; exit 1; }
code=0
"$root/target/release/meshgov" check --staged --quiet --no-progress >"$work/quiet" 2>&1 || code=$?
[ "$code" = 0 ] && [ ! -s "$work/quiet" ] || { cat "$work/quiet"; echo "the hook's command is not silent when nothing is wrong"; exit 1; }
echo "pre-commit: clean tree passed silently, a literal credential was refused and not printed, an old one passed"
