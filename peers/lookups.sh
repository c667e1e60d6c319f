#!/usr/bin/env bash
# Records lookups of go-libp2p-kad-dht on testnets of kadscope: the data of crates/kad/tests/go_lookups.rs.
#
#   peers/lookups.sh KADSCOPE DIR [SIZE...]     KADSCOPE is the program, DIR gets a file for each network
#
# Takes some minutes: dead peers cost the library seconds. Everything is on loopback.
set -euo pipefail

[ $# -ge 2 ] || { echo "usage: lookups.sh KADSCOPE DIR [SIZE...]" >&2; exit 2; }
[ -x "$1" ] && [ -d "$2" ] || { echo "lookups.sh: $1 is no program, or $2 no folder" >&2; exit 2; }
kadscope=$(realpath "$1") dir=$(realpath "$2")
shift 2
cd "$(dirname "$0")"
[ -x bin/dhtlookups ] || { echo "lookups.sh: peers/build.sh go comes first" >&2; exit 3; }

. ./recording.sh

# record PEERS SCENARIO LOOKUPS CLIENTS
record() {
    on_testnet "$kadscope" "$1" "$2" bin/dhtlookups -network "$1 peers, ${2##*/}" -lookups "$3" -clients "$4" \
        -out "$work/lookups"
    mv "$work/lookups" "$dir/go-$1.ndjson"
}

for size in "${@:-3 60 200 1000}"; do
    for peers in $size; do
        case $peers in
            3) record 3 healthy 8 1 ;;
            60) record 60 "$PWD/lookups.toml" 72 9 ;;
            200) record 200 "$PWD/lookups.toml" 72 9 ;;
            1000) record 1000 "$PWD/lookups.toml" 72 9 ;;
            *) echo "lookups.sh: no network of $peers peers (3, 60, 200 or 1000)" >&2; exit 2 ;;
        esac
    done
done
