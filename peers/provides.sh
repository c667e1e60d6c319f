#!/usr/bin/env bash
# Records publications of go-libp2p-kad-dht on testnets of kadscope: the data of crates/kad/tests/go_provides.rs.
#
#   peers/provides.sh KADSCOPE DIR [NETWORK...]     KADSCOPE is the program, DIR gets a file for each network
#
# The networks are healthy, third-dead and half-dead, with 200 peers each. Takes some minutes: dead peers cost the library
# seconds. Everything is on loopback.
set -euo pipefail

[ $# -ge 2 ] || { echo "usage: provides.sh KADSCOPE DIR [NETWORK...]" >&2; exit 2; }
[ -x "$1" ] && [ -d "$2" ] || { echo "provides.sh: $1 is no program, or $2 no folder" >&2; exit 2; }
kadscope=$(realpath "$1") dir=$(realpath "$2")
shift 2
cd "$(dirname "$0")"
[ -x bin/dhtprovides ] || { echo "provides.sh: peers/build.sh go comes first" >&2; exit 3; }

. ./recording.sh

# record SCENARIO CLIENTS PROVIDES
record() {
    on_testnet "$kadscope" 200 "../scenarios/$1.toml" bin/dhtprovides -network "200 peers, $1" -clients "$2" -provides "$3" \
        -out "$work/provides"
    mv "$work/provides" "$dir/provides-$1.ndjson"
}

for network in "${@:-healthy third-dead half-dead}"; do
    for scenario in $network; do
        case $scenario in
            healthy | third-dead | half-dead) record "$scenario" 4 6 ;;
            *) echo "provides.sh: no network $scenario (healthy, third-dead or half-dead)" >&2; exit 2 ;;
        esac
    done
done
