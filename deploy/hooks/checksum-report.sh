#!/bin/sh
# A processing hook that changes nothing: it writes the checksums of a study's images into a report beside them.
# The hook's settings: outputs: files. Needs sha256sum.
set -eu
input="$1"
output="$2"
mkdir "$output/files"
cd "$input"
find . -type f -name '*.dcm' | sort | xargs sha256sum > "$output/files/checksums.txt"
