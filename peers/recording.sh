# What the scripts share that record programs of go-libp2p-kad-dht on testnets of kadscope on loopback. Sourced by them.

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

# on_testnet KADSCOPE PEERS SCENARIO COMMAND...: runs a command beside a testnet, with the addresses to begin with behind its words.
on_testnet() {
    local kadscope=$1 peers=$2 scenario=$3
    shift 3
    mkfifo "$work/bootstrap"
    "$kadscope" testnet --scenario "$scenario" --peers "$peers" >"$work/bootstrap" 2>"$work/testnet.log" &
    testnet=$!
    # Addresses come one a line, and all at once; the testnet keeps its end open.
    exec 3<"$work/bootstrap"
    local -a bootstrap=()
    local line
    read -r -u 3 line || { cat "$work/testnet.log" >&2; exit 1; }
    bootstrap+=("$line")
    while read -r -t 2 -u 3 line; do bootstrap+=("$line"); done
    "$@" "${bootstrap[@]}" &
    recorder=$!
    wait "$recorder"
    recorder=
    exec 3<&-
    end
    rm "$work/bootstrap"
}
