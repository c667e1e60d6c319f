#!/usr/bin/env bash
# Builds the Go programs of this folder into bin/, and skips what is up to date.
#
#   peers/build.sh            everything
#   peers/build.sh go         dhtservers, dhtcrawl, dhtguest, dhtlookups, dhtprovides, dhtsweeps, dhtcost, dhtfirst and dhtload
#   peers/build.sh kubo       ipfs
#   peers/build.sh ipni       ipnipeer
#
# Exit codes: 0 built or up to date, 1 a build failed, 2 wrong arguments, 3 Go is missing or too old.
set -euo pipefail
cd "$(dirname "$0")"

# What Kubo needs, the strictest of the modules.
needs=1.26.5

say() { echo "peers/build.sh: $*" >&2; }

# stale TARGET SOURCE...: the target is missing, or a source file is newer.
stale() {
    local target=$1
    shift
    [ ! -e "$target" ] || [ -n "$(find build.sh "$@" \( -name build.sh -o -name '*.go' -o -name go.mod -o -name go.sum \) -newer "$target" -print -quit)" ]
}

require_go() {
    if ! command -v go >/dev/null; then
        say "cannot build $1: Go $needs is not installed (https://go.dev/dl/); tests against these peers cannot run without it"
        exit 3
    fi
    local have
    have=$(go env GOVERSION)
    if [ "$(printf '%s\n' "go$needs" "$have" | sort -V | head -n 1)" != "go$needs" ]; then
        say "cannot build $1: Go $needs or newer is needed, this is $have"
        exit 3
    fi
}

# build MODULE PACKAGE TARGET [LDFLAGS]: the target appears only when it is whole.
build() {
    local module=$1 package=$2 target=$3 started=$SECONDS
    require_go "$target"
    say "building $target"
    if ! (cd "$module" && nice go build -buildvcs=false -trimpath -ldflags="-s -w ${4:-}" -o "../bin/.$target.new" "$package"); then
        say "building $target failed"
        exit 1
    fi
    mv "bin/.$target.new" "bin/$target"
    say "built bin/$target in $((SECONDS - started)) s"
}

build_go() {
    local program
    for program in dhtservers dhtcrawl dhtguest dhtlookups dhtprovides dhtsweeps dhtcost dhtfirst dhtload; do
        if stale "bin/$program" go; then
            build go "./cmd/$program" "$program"
        fi
    done
}

build_ipni() {
    if stale bin/ipnipeer ipni; then
        build ipni . ipnipeer
    fi
}

build_kubo() {
    if stale bin/ipfs kubo; then
        # No collector to report to is built in.
        build kubo github.com/ipfs/kubo/cmd/ipfs ipfs \
            '-X github.com/ipfs/kubo/plugin/plugins/telemetry.defaultEndpoint='
    fi
}

mkdir -p bin
exec 9>bin/.lock
flock 9
case "${*:-all}" in
    all) build_go && build_ipni && build_kubo ;;
    go) build_go ;;
    ipni) build_ipni ;;
    kubo) build_kubo ;;
    *)
        say "unknown argument: $* (nothing, go, ipni or kubo)"
        exit 2
        ;;
esac
