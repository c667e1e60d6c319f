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

work=$(mktemp -d)
# What runs, by its pid; ended in this order.
recorder= testnet=
end() {
    local pid
    for pid in $recorder $testnet; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    recorder= testnet=
}
trap 'end; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# record SCENARIO CLIENTS PROVIDES
record() {
    local scenario=$1 clients=$2 provides=$3
    mkfifo "$work/bootstrap"
    "$kadscope" testnet --scenario "../scenarios/$scenario.toml" --peers 200 >"$work/bootstrap" 2>"$work/testnet.log" &
    testnet=$!
    # Addresses come one a line, and all at once; the testnet keeps its end open.
    exec 3<"$work/bootstrap"
    local -a bootstrap=()
    local line
    read -r -u 3 line || { cat "$work/testnet.log" >&2; exit 1; }
    bootstrap+=("$line")
    while read -r -t 2 -u 3 line; do bootstrap+=("$line"); done
    bin/dhtprovides -network "200 peers, $scenario" -clients "$clients" -provides "$provides" \
        -out "$work/provides" "${bootstrap[@]}" &
    recorder=$!
    wait "$recorder"
    recorder=
    exec 3<&-
    end
    rm "$work/bootstrap"
    mv "$work/provides" "$dir/provides-$scenario.ndjson"
}

for network in "${@:-healthy third-dead half-dead}"; do
    for scenario in $network; do
        case $scenario in
            healthy | third-dead | half-dead) record "$scenario" 4 6 ;;
            *) echo "provides.sh: no network $scenario (healthy, third-dead or half-dead)" >&2; exit 2 ;;
        esac
    done
done
