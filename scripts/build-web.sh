#!/bin/sh
# Builds the dashboard into web/dist; with --if-stale only where that is missing or older than what it is made of.
# npm runs it after it installed the packages. Where those for development were left out there is nothing to build with.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
built=web/dist/index.html
if [ ! -e node_modules/.bin/vite ]; then
  [ -e "$built" ] || echo "radferry: without the packages for development the dashboard is not built" >&2
  exit 0
fi
if [ "${1:-}" = --if-stale ] && [ -e "$built" ] &&
  [ -z "$(find web/src web/public web/index.html vite.config.ts package-lock.json -newer "$built" | head -n 1)" ]; then
  exit 0
fi
PATH="$root/node_modules/.bin:$PATH"
export PATH
exec vite build --logLevel warn
