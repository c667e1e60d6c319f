#!/usr/bin/env bash
# RFM 17.1 beside DHT servers of Go: for 50 minutes, who keeps provider records and gives the addresses of their provider, and the
# report of it.
#
#   peers/hoard.sh KADSCOPE DIR [SERVERS [OPTION...]]   KADSCOPE is the program, DIR gets the store, the log and the report
#
# There are 120 servers unless told otherwise, in one process of 1 GB: more than 130 need more than 20,000 descriptors. Further
# options are those of `kadscope hoard run`, which goes by its preset rfm17.1 else. Everything is on loopback. The servers keep what they are given for 48 hours, and mean to give addresses for 24.
set -euo pipefail

fail() {
    echo "hoard.sh: $*" >&2
    exit 2
}

[ $# -ge 2 ] || fail "usage: hoard.sh KADSCOPE DIR [SERVERS [OPTION...]]"
[ -x "$1" ] || fail "$1 is no program"
mkdir -p "$2"
kadscope=$(realpath "$1") dir=$(realpath "$2") servers=${3:-120}
shift $(($# > 2 ? 3 : 2))
[ ! -e "$dir/study.sqlite" ] || fail "$dir has a study already"
cd "$(dirname "$0")"
[ -x bin/dhtservers ] || fail "bin/dhtservers is missing: run peers/build.sh go"
command -v jq >/dev/null || fail "jq is not installed (Debian, Ubuntu: apt-get install jq)"

# The servers end with their standard input: with this script at the latest.
coproc network { exec bin/dhtservers -n "$servers" -transport tcp -security noise -settle 30m -agent kadscope-dhtservers/1 2>"$dir/servers.log"; }
read -r -u "${network[0]}" said || fail "the servers did not stand, see $dir/servers.log"
bootstrap=$(jq -r '.bootstrap | join(",")' <<<"$said")
[ -n "$bootstrap" ] || fail "the servers say nothing to begin with"

store="sqlite:$dir/study.sqlite"
"$kadscope" hoard run --preset rfm17.1 --addresses loopback --bootstrap "$bootstrap" --listen /ip4/127.0.0.1/tcp/0 --yes \
    --store "$store" "$@" </dev/null >"$dir/summary.txt" 2>"$dir/study.log" || fail "the study failed, see $dir/study.log"
run=$("$kadscope" runs --tool hoard --json --store "$store" | jq -r '.runs[0].run_id // empty')
[ -n "$run" ] || fail "$store has no study"
"$kadscope" hoard report --store "$store" --run "$run" --out "$dir/report" >>"$dir/summary.txt" 2>>"$dir/study.log" ||
    fail "there is no report, see $dir/study.log"
cat "$dir/summary.txt"
