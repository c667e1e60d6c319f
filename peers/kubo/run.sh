#!/usr/bin/env bash
# Runs N Kubo daemons that talk to each other, or to a world, and to nobody else, until told to end.
#
#   run.sh N DIR            on 127.0.0.1: they form the LAN DHT, /ipfs/lan/kad/1.0.0
#   run.sh N DIR OCTET      on OCTET.1.0.1, OCTET.2.0.1, ...: they form the WAN DHT, /ipfs/kad/1.0.0;
#                           only in a network namespace that has nothing but loopback
#   run.sh N DIR OCTET ADDRESS...
#                           in a world, each in a house of its own (../house.sh) at such an address: they begin
#                           at ADDRESS and find each other by themselves
#
# Prints {"bootstrap":[...],"protocol":"..."} when the routing tables are complete and still; in a world as
# soon as every daemon has a table. Then it
# obeys lines on stdin: "truth" prints what truth.sh prints, "quit" or the end of stdin ends it, as do
# SIGTERM and SIGINT. The daemons' repositories and logs stay in DIR, which must not exist or be empty.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
ipfs=$here/../bin/ipfs
house=$here/../house.sh
# Beside the configuration: nothing is reported, whatever binary is used.
export IPFS_TELEMETRY=off DO_NOT_TRACK=1
start_s=60  # longest wait for a daemon
settle_s=90 # longest wait for full routing tables
still=4     # so many readings of all tables must be equal, 0.25 s and more apart
pids=()

say() { echo "run.sh: $*" >&2; }
fail() {
    say "$*"
    exit 1
}
wrong() {
    say "$*"
    say "usage: run.sh N DIR [OCTET [ADDRESS...]]"
    exit 2
}

finish() {
    trap - EXIT
    trap '' TERM INT
    local pid
    for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
    # A daemon that does not end in 10 s is killed.
    (sleep 10 && for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done) &
    local watchdog=$!
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    kill "$watchdog" 2>/dev/null || true
}

check_arguments() {
    [ $# -ge 2 ] || wrong "2 or more arguments are needed, not $#"
    # Up to 20 a bucket never overflows, so that full tables can be waited for.
    [[ $1 =~ ^[0-9]+$ ]] && [ "$1" -ge 2 ] && [ "$1" -le 20 ] || wrong "N is 2 to 20, not '$1'"
    [ ! -e "$2" ] || [ -d "$2" ] && [ -z "$(ls -A "$2" 2>/dev/null)" ] || wrong "$2 exists and is not an empty folder"
    [ -x "$ipfs" ] || fail "bin/ipfs is missing: run peers/build.sh kubo"
    command -v jq >/dev/null || fail "jq is not installed (Debian, Ubuntu: apt-get install jq)"
    # A daemon admits 8 connections of one IP, and without houses all come from one: room for a client is left.
    [ $# -ne 3 ] || [ "$1" -le 6 ] || wrong "N is 2 to 6 on public addresses, not '$1'"
    [ $# -eq 2 ] || check_closed "$3"
}

# check_closed OCTET: public addresses are used only where no packet can leave.
check_closed() {
    [[ $1 =~ ^[0-9]+$ ]] && [ "$1" -ge 1 ] && [ "$1" -le 223 ] || wrong "OCTET is 1 to 223, not '$1'"
    local others
    others=$(tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ' | grep -vx lo || true)
    [ -z "$others" ] || fail "refusing public addresses: this namespace has interfaces beside loopback ($(echo $others)); see README.md"
}

# own_addresses I: a JSON list of what daemon I listens on where it has no house.
own_addresses() {
    if [ -n "$octet" ]; then
        echo "[\"/ip4/$octet.$1.0.1/tcp/4001\",\"/ip4/$octet.$1.0.1/udp/4001/quic-v1\"]"
    else
        echo '["/ip4/127.0.0.1/tcp/0","/ip4/127.0.0.1/udp/0/quic-v1"]'
    fi
}

# list WORD...: as JSON.
list() { jq -cn '$ARGS.positional' --args -- "$@"; }

# What has to be set anywhere: that nobody outside is asked for anything, and that the daemon is a server before
# others have told it that it can be reached, which may take half a minute.
closed='
    .Bootstrap = $begin
    | .AutoConf.Enabled = false
    | .AutoTLS.Enabled = false
    | .DNS.Resolvers = {}
    | .Routing.DelegatedRouters = []
    | .Ipns.DelegatedPublishers = []
    | .Routing.Type = "dhtserver"
    | .Version.SwarmCheckEnabled = false
    | .Plugins.Plugins.telemetry.Config.Mode = "off"'

# In a house, where all ports are free, all else is as released. Its loopback is its own: it is told what to do by
# a socket in the file system.
housed="$closed"' | .Addresses.API = "/unix" + $repo + "/api.sock"'

# Elsewhere daemons share one address, or have only those of a private network.
homeless="$closed"'
    | .Addresses.API = "/ip4/127.0.0.1/tcp/0"
    | .Addresses.Gateway = "/ip4/127.0.0.1/tcp/0"
    | .Addresses.Swarm = $own
    | .Discovery.MDNS.Enabled = false
    | .Routing.LoopbackAddressesOnLanDHT = true
    | .Swarm.DisableNatPortMap = true
    | .Swarm.RelayClient.Enabled = false
    | .Swarm.EnableHolePunching = false
    | .HTTPRetrieval.Enabled = false'

# configure I: makes the repository of a daemon.
configure() {
    local repo=$dir/$1 settings=$homeless
    [ ${#begin[@]} -eq 0 ] || settings=$housed
    IPFS_PATH=$repo "$ipfs" init >"$dir/$1.log" 2>&1 || fail "ipfs init failed, see $dir/$1.log"
    jq --arg repo "$repo" --argjson own "$(own_addresses "$1")" --argjson begin "$(list "${begin[@]}")" \
        "$settings" "$repo/config" >"$repo/config.new"
    mv "$repo/config.new" "$repo/config"
}

start() {
    # If this script is killed, so are its daemons, where the system can do that.
    local before=()
    ! command -v setpriv >/dev/null || before=(setpriv --pdeathsig TERM)
    [ ${#begin[@]} -eq 0 ] || before+=("$house" "$octet.$1.0.1")
    IPFS_PATH=$dir/$1 "${before[@]}" "$ipfs" daemon >>"$dir/$1.log" 2>&1 </dev/null &
    pids+=($!)
    echo $! >"$dir/$1.pid"
}

await_daemon() {
    local deadline=$((SECONDS + start_s))
    until grep -q 'Daemon is ready' "$dir/$1.log"; do
        kill -0 "$(cat "$dir/$1.pid")" 2>/dev/null || fail "daemon $1 ended, see $dir/$1.log"
        [ $SECONDS -lt $deadline ] || fail "daemon $1 was not ready in $start_s s, see $dir/$1.log"
        sleep 0.1
    done
}

# addresses I: where daemon I can be dialled from elsewhere, if it is to be.
addresses() { IPFS_PATH=$dir/$1 "$ipfs" id | jq -r --arg own "/ip4/${octet:+$octet.$1.0.1}" '.Addresses[] | select(startswith($own))'; }

# connect I: to the half of the others that follow it in a ring, so that as many connections come in as go out.
connect() {
    local step known=()
    for ((step = 1; step <= n / 2; step++)); do
        known+=("$(addresses $((($1 - 1 + step) % n + 1)) | head -n 1)")
    done
    IPFS_PATH=$dir/$1 "$ipfs" swarm connect "${known[@]}" >>"$dir/$1.log" 2>&1 ||
        fail "daemon $1 could not connect to the others, see $dir/$1.log"
}

# await_tables: on loopback, until each table holds all the others. A WAN table may never: it takes 2 peers of
# one /16 at one depth and 3 in all, and where every address is local a peer that dialled is seen at the very
# address it dialled. There, until every daemon is in a table, none is empty, and none changes any more.
await_tables() {
    local deadline=$((SECONDS + settle_s)) same=0 before='' now
    until [ $same -ge $still ]; do
        [ $SECONDS -lt $deadline ] || fail "the routing tables were not complete in $settle_s s: $here/truth.sh $dir"
        now=$("$here/truth.sh" "$dir" | jq -c '[.peers[].routing_table]')
        if jq -e --argjson n "$n" "$complete" <<<"$now" >/dev/null && [ "$now" = "$before" -o $still -eq 1 ]; then
            same=$((same + 1))
        else
            same=0
        fi
        before=$now
        sleep 0.25
    done
}

obey() {
    local line
    while read -r line; do
        case $line in
            truth) "$here/truth.sh" "$dir" ;;
            quit) return ;;
            '') ;;
            *) say "'$line' is neither truth nor quit" ;;
        esac
    done
}

check_arguments "$@"
n=$1 octet=${3:-}
begin=("${@:4}")
mkdir -p "$2"
dir=$(cd "$2" && pwd)
if [ -n "$octet" ]; then
    echo wan /ipfs/kad/1.0.0 >"$dir/dht"
    complete='(add | unique | length) == $n and all(.[]; length > 0)'
    if [ ${#begin[@]} -gt 0 ]; then complete='all(.[]; length > 0)' still=1; fi
else
    echo lan /ipfs/lan/kad/1.0.0 >"$dir/dht"
    complete='all(.[]; length == $n - 1)'
fi
trap finish EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
for ((i = 1; i <= n; i++)); do
    configure "$i"
    start "$i"
done
for ((i = 1; i <= n; i++)); do await_daemon "$i"; done
if [ ${#begin[@]} -eq 0 ]; then
    for ((i = 1; i <= n; i++)); do connect "$i"; done
fi
await_tables
addresses 1 | jq -cRn --arg dht "$(cut -d' ' -f2 "$dir/dht")" '{bootstrap: [inputs], protocol: $dht}'
obey
