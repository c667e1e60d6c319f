#!/usr/bin/env bash
# Runs one Kubo daemon in a world with its configuration as released, but for where it begins, until told to end.
#
#   untouched.sh DIR IP ADDRESS...        inside `kadscope testnet --world`, IP in 18.0.0.0/8
#
# Prints {"bootstrap":["/ip4/IP/tcp/4001/p2p/ID"]} when the daemon is ready; whether it serves is its own to find
# out. The end of stdin ends it, as do SIGTERM and SIGINT. Its repository and log stay in DIR, which must not exist or be
# empty.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
ipfs=$here/../bin/ipfs
# Beside the configuration: nothing is reported, whatever binary is used.
export IPFS_TELEMETRY=off DO_NOT_TRACK=1
start_s=60 # longest wait for the daemon

fail() {
    echo "untouched.sh: $*" >&2
    exit 1
}

[ $# -ge 3 ] || {
    echo "usage: untouched.sh DIR IP ADDRESS..." >&2
    exit 2
}
dir=$1 ip=$2
shift 2
[ ! -e "$dir" ] || [ -z "$(ls -A "$dir" 2>/dev/null)" ] || fail "$dir exists and is not an empty folder"
[ -x "$ipfs" ] || fail "bin/ipfs is missing: run peers/build.sh kubo"
command -v jq >/dev/null || fail "jq is not installed (Debian, Ubuntu: apt-get install jq)"
mkdir -p "$dir"
export IPFS_PATH=$dir/repository
"$ipfs" init >"$dir/log" 2>&1 || fail "ipfs init failed, see $dir/log"
jq '.Bootstrap = $ARGS.positional' "$IPFS_PATH/config" --args -- "$@" >"$IPFS_PATH/config.new"
mv "$IPFS_PATH/config.new" "$IPFS_PATH/config"

"$here/../house.sh" "$ip" "$ipfs" daemon >>"$dir/log" 2>&1 </dev/null &
daemon=$!
finish() {
    trap - EXIT
    trap '' TERM INT
    kill -TERM "$daemon" 2>/dev/null || true
    # A daemon that does not end in 10 s is killed.
    (sleep 10 && kill -KILL "$daemon" 2>/dev/null || true) &
    local watchdog=$!
    wait "$daemon" 2>/dev/null || true
    kill "$watchdog" 2>/dev/null || true
}
trap finish EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
deadline=$((SECONDS + start_s))
until grep -q 'Daemon is ready' "$dir/log"; do
    kill -0 "$daemon" 2>/dev/null || fail "the daemon ended, see $dir/log"
    [ $SECONDS -lt $deadline ] || fail "the daemon was not ready in $start_s s, see $dir/log"
    sleep 0.1
done
jq -c --arg ip "$ip" '{bootstrap: ["/ip4/" + $ip + "/tcp/4001/p2p/" + .Identity.PeerID]}' "$IPFS_PATH/config"
while read -r _; do :; done
