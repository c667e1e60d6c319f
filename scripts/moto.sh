#!/usr/bin/env bash
# Sets up moto, on which the belly in DynamoDB is tried: an environment of Python's in target/moto, with the versions of
# scripts/moto.txt. What is there already is left as it is. The tests start and end the server themselves.
#
#   scripts/moto.sh
set -euo pipefail
cd "$(dirname "$0")/.."

place=target/moto
wanted=$(cat scripts/moto.txt)
if [ "$(cat "$place/set-up" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi
command -v python3 >/dev/null || {
    echo "scripts/moto.sh: python3 is missing (on Debian and Ubuntu: python3 python3-venv)" >&2
    exit 1
}
rm -rf "$place"
python3 -m venv "$place"
"$place/bin/pip" install --quiet --disable-pip-version-check --no-input --requirement scripts/moto.txt
echo "$wanted" >"$place/set-up"
