#!/usr/bin/env bash
# What a crawl costs by one build of kadscope beside another: pairs of crawls of one network, whoever is first by turns.
#
#   scripts/pairs.sh OLD NEW [SCENARIO [PEERS [PAIRS]]]
#
# OLD and NEW are programs (build both with the same profile: dist), SCENARIO is the name or the file of one (healthy), of
# 2,000 PEERS, crawled by each 11 times (PAIRS). Prints for each pair the CPU time of both, user and system, and in the end
# the median of the ratios. OLD runs the network. All of it is on loopback sockets, and ends with this script, after half an
# hour at the latest. Needs jq.
set -euo pipefail
export LC_ALL=C

fail() {
    echo "scripts/pairs.sh: $*" >&2
    exit 1
}

[ $# -ge 2 ] && [ $# -le 5 ] || fail "usage: scripts/pairs.sh OLD NEW [SCENARIO [PEERS [PAIRS]]]"
old=$1 new=$2 scenario=${3:-healthy} peers=${4:-2000} pairs=${5:-11}
command -v jq >/dev/null || fail "jq is missing"
ulimit -n "$(ulimit -Hn)" 2>/dev/null || true

# Each crawl at most.
SECONDS_A_CRAWL=120
# Everything at most.
SECONDS_IN_ALL=1800

work=$(mktemp -d)
# The network ends when nobody holds the other end of its input.
trap 'exec 3>&- 4<&-; wait; rm -rf "$work"' EXIT
mkfifo "$work/hold" "$work/said"
timeout "$SECONDS_IN_ALL" "$old" testnet --json --until-eof --peers "$peers" --scenario "$scenario" \
    <"$work/hold" >"$work/said" 2>"$work/errors" &
exec 3>"$work/hold" 4<"$work/said"
read -r ready <&4 || fail "there is no network: $(cat "$work/errors")"
mapfile -t bootstrap < <(jq -r '.bootstrap[]' <<<"$ready")
[ ${#bootstrap[@]} -gt 0 ] || fail "the network names nobody to begin with"

# crawl PROGRAM FOUND: prints its CPU time in milliseconds; what it found is written to a file of that name.
crawl() {
    local TIMEFORMAT='%U %S'
    { time timeout "$SECONDS_A_CRAWL" "$1" crawl --addresses loopback --all-prefixes --seed 1 --store none --json \
        --bootstrap "${bootstrap[@]}" </dev/null >"$work/summary" 2>"$work/errors" 3>&- 4<&-; } 2>"$work/time" ||
        fail "$1 does not crawl: $(cat "$work/errors")"
    jq -r '"\(.peers.reachable) peers, \(.edges) edges"' "$work/summary" >"$work/$2"
    awk '{ printf "%.0f\n", ($1 + $2) * 1000 }' "$work/time"
}

# Who crawls first finds a network that has answered nobody yet.
crawl "$old" by-old >/dev/null
crawl "$new" by-new >/dev/null
for ((pair = 0; pair < pairs; pair++)); do
    [ "$SECONDS" -lt "$SECONDS_IN_ALL" ] || fail "it takes too long"
    if ((pair % 2 == 0)); then
        of_old=$(crawl "$old" by-old)
        of_new=$(crawl "$new" by-new)
    else
        of_new=$(crawl "$new" by-new)
        of_old=$(crawl "$old" by-old)
    fi
    echo "$of_old $of_new" >>"$work/pairs"
    echo "old $of_old ms ($(cat "$work/by-old")), new $of_new ms ($(cat "$work/by-new"))"
done

# median FIELD: of the lines of a file of numbers, those of one field in order.
median() {
    awk "{ print $1 }" "$work/pairs" | sort -n |
        awk '{ of[NR] = $1 } END { printf "%s %s %s\n", of[int((NR + 1) / 2)], of[1], of[NR] }'
}
read -r old_ms _ < <(median '$1')
read -r new_ms _ < <(median '$2')
read -r ratio least most < <(median '$2 / $1')
printf 'median of %s pairs: old %s ms, new %s ms, new / old %.3f (%.3f to %.3f)\n' \
    "$pairs" "$old_ms" "$new_ms" "$ratio" "$least" "$most"
