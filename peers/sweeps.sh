#!/usr/bin/env bash
# Records what go-libp2p-kad-dht gives to whom where it knows many peers at once: the data of crates/kad/tests/go_sweeps.rs.
#
#   peers/sweeps.sh DIR                    DIR gets a file for fullrt and one for sweeps; peers are scripted, nothing is sent
#   peers/sweeps.sh live KADSCOPE          to how many of twenty fullrt sends its records on a testnet of 200 peers on loopback
#
# Takes a minute.
set -euo pipefail

[ $# -ge 1 ] || { echo "usage: sweeps.sh DIR | sweeps.sh live KADSCOPE" >&2; exit 2; }
here=$(dirname "$0")
sweeps=$(realpath "$here")/bin/dhtsweeps
[ -x "$sweeps" ] || { echo "sweeps.sh: peers/build.sh go comes first" >&2; exit 3; }

if [ "$1" != live ]; then
    [ -d "$1" ] || { echo "sweeps.sh: $1 is no folder" >&2; exit 2; }
    "$sweeps" -what fullrt -out "$1/fullrt.ndjson"
    "$sweeps" -what sweep -out "$1/sweep.ndjson"
    exit 0
fi

[ -x "${2:-}" ] || { echo "sweeps.sh: ${2:-nothing} is no program" >&2; exit 2; }
work=$(mktemp -d) testnet=
end() {
    if [ -n "$testnet" ]; then
        kill "$testnet" 2>/dev/null || true
        wait "$testnet" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap end EXIT
trap 'exit 130' INT TERM
mkfifo "$work/bootstrap"
"$2" testnet --scenario healthy --peers 200 >"$work/bootstrap" 2>"$work/testnet.log" &
testnet=$!
# Addresses come one a line, and all at once; the testnet keeps its end open.
exec 3<"$work/bootstrap"
bootstrap=()
read -r -u 3 line || { cat "$work/testnet.log" >&2; exit 1; }
bootstrap+=("$line")
while read -r -t 2 -u 3 line; do bootstrap+=("$line"); done
"$sweeps" -what live -count 100 "${bootstrap[@]}"
