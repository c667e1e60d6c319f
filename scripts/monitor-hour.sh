#!/usr/bin/env bash
# A monitor on the wire, in real time: a network on loopback whose peers come and go 60 times as fast as in IPFS, watched for an hour; the
# monitor is stopped for ten minutes (SIGSTOP), and killed in the middle and started again (SIGKILL). At the end sessions have to follow
# from the visits, and to be those of the network's own log (scripts/monitor-hour.py).
#
# usage: scripts/monitor-hour.sh [MINUTES]     60 by default; all times shrink with it
# KADSCOPE names the program, DIR where everything is left.
set -euo pipefail

minutes=${1:-60}
kadscope=${KADSCOPE:-target/release/kadscope}
dir=${DIR:-target/monitor-hour}
unit=$((minutes * 60 / 12)) # a twelfth of the time, in seconds
peers=200

[ -x "$kadscope" ] || { echo "$kadscope is no program: cargo build --release" >&2; exit 2; }
[ ! -e "$dir" ] || { echo "$dir is there already: move it away, or say DIR=ANOTHER" >&2; exit 2; }
mkdir -p "$dir"
monitor= testnet= checked=0
trap 'for pid in $monitor $testnet; do kill -CONT "$pid" 2>/dev/null || true; kill "$pid" 2>/dev/null || true; done' EXIT

"$kadscope" testnet --scenario churn --peers $peers --events "$dir/events.ndjson" --truth "$dir/truth.json" --json \
    >"$dir/testnet.json" 2>"$dir/testnet.log" &
testnet=$!
until [ -s "$dir/testnet.json" ]; do sleep 1; done
bootstrap=$(python3 -c 'import json, sys; print(",".join(json.loads(open(sys.argv[1]).readline())["bootstrap"]))' "$dir/testnet.json")
[ -n "$bootstrap" ] || { echo "the network has nobody to begin with" >&2; exit 1; }

# The schedule is 60 times as fast as usual, too.
start() {
    "$kadscope" monitor --addresses loopback --bootstrap "$bootstrap" --store "$dir/monitor.sqlite" --look-after 4500ms \
        --crawl-every 30s --dial-timeout 2s --json >>"$dir/monitor.json" 2>>"$dir/monitor.log" &
    monitor=$!
}
said() { echo "$(date -u +%H:%M:%S) $*" | tee -a "$dir/course.txt"; }

said "begins: $minutes minutes, $peers peers"
start
sleep $((2 * unit))
said "SIGSTOP for $((2 * unit)) s"
kill -STOP $monitor
sleep $((2 * unit))
kill -CONT $monitor
said "SIGCONT"
sleep $((3 * unit))
said "SIGKILL"
kill -KILL $monitor
wait $monitor || true
sleep 60
said "started again"
start
sleep $((5 * unit - 60))
kill -TERM $monitor
wait $monitor || true
monitor=
said "ended"
kill -TERM $testnet
wait $testnet || true
testnet=

"$kadscope" sessions --check --store "$dir/monitor.sqlite" | tee "$dir/check.txt" || checked=$?
"$kadscope" sessions --json --limit 10000000 --store "$dir/monitor.sqlite" >"$dir/sessions.json"
"$kadscope" export --rows observer_gap --tool monitor --privacy as-is --store "$dir/monitor.sqlite" --out - >"$dir/gaps.ndjson"
python3 scripts/monitor-hour.py "$dir"
exit "$checked"
