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
. "$here/recording.sh"
on_testnet "$2" 200 healthy "$sweeps" -what live -count 100
