#!/bin/sh
# Runs a TypeScript script of this repository on a fresh machine: packages first, then the pinned Node.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
# The lockfile that npm wrote last is kept beside the packages: equal means that nothing is to be installed.
if ! cmp -s package-lock.json node_modules/.radferry-lock.json; then
  echo "installing the packages of package-lock.json into node_modules" >&2
  npm ci --no-fund --no-audit --loglevel=error >&2
  cp package-lock.json node_modules/.radferry-lock.json
fi
# A clone that was brought up to date has another dashboard than the one that is built.
sh scripts/build-web.sh --if-stale >&2
PATH="$root/node_modules/.bin:$PATH"
export PATH
exec node_modules/.bin/node "$@"
