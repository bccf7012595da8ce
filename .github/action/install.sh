#!/usr/bin/env bash
# Puts a meshgov binary on this runner and says where: built from this action's source, or a released archive whose
# SHA-256 stands in checksums.txt. Nothing else is trusted: no API call, no "latest".
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
table=${MESHGOV_ACTION_CHECKSUMS:-$here/checksums.txt}

fail() {
  printf '::error title=meshgov::%s\n' "$1"
  exit 2
}

if [ "${MESHGOV_ACTION_BUILD:-true}" = true ]; then
  command -v cargo >/dev/null || fail "build-from-source needs cargo on the runner; install Rust first (rustup)"
  target=${CARGO_TARGET_DIR:-$root/target}
  cargo build --release --locked --manifest-path "$root/Cargo.toml" --target-dir "$target" --bin meshgov
  printf 'bin=%s\n' "$target/release/meshgov" >>"$GITHUB_OUTPUT"
  exit 0
fi

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) triple=x86_64-unknown-linux-musl ;;
  Linux-aarch64 | Linux-arm64) triple=aarch64-unknown-linux-musl ;;
  Darwin-x86_64) triple=x86_64-apple-darwin ;;
  Darwin-arm64) triple=aarch64-apple-darwin ;;
  *) fail "no released binary for $(uname -s) $(uname -m); set build-from-source: true" ;;
esac

version=${MESHGOV_ACTION_VERSION:-}
if [ -z "$version" ]; then
  version=$(awk '$1 !~ /^#/ && NF == 3 { v = $1 } END { print v }' "$table")
  [ -n "$version" ] || fail "no release is listed in checksums.txt yet; set build-from-source: true"
fi
[[ "$version" =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]] || fail "version must look like 1.2.3"
sum=$(awk -v v="$version" -v t="$triple" '$1 == v && $2 == t { print $3 }' "$table")
[[ "$sum" =~ ^[0-9a-f]{64}$ ]] || fail "version $version for $triple has no checksum in checksums.txt"

cache=${RUNNER_TOOL_CACHE:-${TMPDIR:-/tmp}}/meshgov/$version/$triple/$sum
if [ ! -x "$cache/meshgov" ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  archive=meshgov-$triple.tar.gz
  curl --fail --silent --show-error --location --proto '=https,http' --retry 3 --output "$work/$archive" -- \
    "${MESHGOV_ACTION_URL%/}/v$version/$archive" || fail "cannot download $archive of version $version"
  actual=$( (sha256sum "$work/$archive" 2>/dev/null || shasum -a 256 "$work/$archive") | cut -d' ' -f1)
  [ "$actual" = "$sum" ] || fail "checksum of $archive is $actual, expected $sum: refusing to run it"
  mkdir -p "$cache"
  tar -xzf "$work/$archive" -C "$work" meshgov
  install -m 0755 "$work/meshgov" "$cache/meshgov"
fi
printf 'bin=%s\n' "$cache/meshgov" >>"$GITHUB_OUTPUT"
