#!/usr/bin/env bash
# Runs everything that must pass, from a fresh clone: sets up what the tests need, then formatting, lints, tests, docs.
#
#   scripts/test.sh
#
# Needs a Rust toolchain (https://rustup.rs). What else is missing is installed with apt-get, as root or by sudo; where
# neither is possible, it says what is missing and stops. Nothing asks for input, and nothing but package registries is
# reached. KADSCOPE_WITHOUT_GO=1 leaves out the peers of other implementations, which are written in Go.
set -euo pipefail
cd "$(dirname "$0")/.."

export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-auto}
if [ -n "${CI:-}" ]; then
    # Nothing is built twice there, so nothing is gained by being able to.
    export CARGO_INCREMENTAL=0
fi

fail() {
    echo "scripts/test.sh: $*" >&2
    exit 1
}

# step WHAT COMMAND...: runs it, and says what and how long.
step() {
    local what=$1 started=$SECONDS
    shift
    echo "==> $what"
    "$@"
    echo "==> $what: passed in $((SECONDS - started)) s"
}

# package COMMAND PACKAGE...: installs the packages unless the command is there.
package() {
    local command=$1
    shift
    if command -v "$command" >/dev/null; then
        return
    fi
    command -v apt-get >/dev/null || fail "$command is missing; install it (on Debian and Ubuntu: $*)"
    local as=()
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null || fail "$command is missing; run: sudo apt-get install $*"
        as=(sudo -n)
    fi
    echo "installing $*"
    "${as[@]}" apt-get update -qq
    "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null
}

# refresh: learns which packages there are.
refresh() {
    local as=()
    [ "$(id -u)" -eq 0 ] || as=(sudo -n)
    "${as[@]}" apt-get update -qq
}

# unpacked PACKAGE: unpacks a package below target/ unless its program is there. Installed, it would be a service that listens.
unpacked() {
    local package=$1 place=target/$1
    if command -v "$package" >/dev/null || [ -x "$place/usr/bin/$package" ]; then
        return
    fi
    command -v apt-get >/dev/null || fail "$package is missing; install it, or put it into $place/usr/bin"
    echo "unpacking $package"
    mkdir -p "$place"
    # A machine may not have heard yet which packages there are.
    (cd "$place" && { apt-get download -qq "$package" || { refresh && apt-get download -qq "$package"; }; } &&
        dpkg -x "$package"_*.deb . && rm "$package"_*.deb)
}

# component COMMAND NAME: adds a component of the Rust toolchain unless it is there.
component() {
    if cargo "$1" --version >/dev/null 2>&1; then
        return
    fi
    command -v rustup >/dev/null || fail "cargo $1 is missing; install the component $2 of your Rust toolchain"
    rustup component add "$2"
}

prepare() {
    command -v cargo >/dev/null || fail "cargo is missing; install Rust from https://rustup.rs"
    component fmt rustfmt
    component clippy clippy
    # SQLite and the primitives of aws-lc-rs are written in C; some tests mount small filesystems.
    package cc gcc libc6-dev
    package unshare util-linux
    package mount mount
    # The store is tried on a real PostgreSQL, which the tests start themselves.
    [ -n "$(compgen -G '/usr/lib/postgresql/*/bin/initdb')" ] || package initdb postgresql
    # The belly in DynamoDB is tried on moto, which is written in Python.
    package python3 python3 python3-venv
    python3 -c "import ensurepip" 2>/dev/null || package ensurepip python3-venv
    scripts/moto.sh
    # Queries of a dashboard are asked of a real Prometheus.
    unpacked prometheus
    # Kubo's scripts read JSON; one test makes interfaces in a namespace.
    package jq jq
    package ip iproute2
    # A testnet of a thousand peers and a crawl of it hold some thousands of descriptors.
    ulimit -n "$(ulimit -Hn)" 2>/dev/null || true
}

# tests FILE ARGUMENTS...: runs cargo test and keeps what it prints.
tests() {
    local log=$1
    shift
    cargo test --locked --no-fail-fast "$@" </dev/null 2>&1 | tee -a "$log"
}

# One line for all of cargo's "test result" lines in a file.
count() {
    awk '/^test result:/ { passed += $4; failed += $6; ignored += $8 }
         END { if (NR && passed + failed) printf "test result: %s. %d passed; %d failed; %d ignored\n", (failed ? "FAILED" : "ok"), passed, failed, ignored }' "$1"
}

peers() {
    if [ "${KADSCOPE_WITHOUT_GO:-0}" = 1 ]; then
        echo "left out, as KADSCOPE_WITHOUT_GO says"
        return
    fi
    command -v go >/dev/null ||
        fail "Go is missing (https://go.dev/dl/); KADSCOPE_WITHOUT_GO=1 leaves out the tests of other implementations' peers"
    peers/build.sh
    (cd peers/go && go vet ./... && go test ./...)
    (cd peers/ipni && go vet ./...)
}

# features FILE: what is left out by default builds too, and what only it has is tested; with it, crawls of other implementations' peers,
# and theirs of ours. One set of features for all of it, so that nothing is built once more.
features() {
    local all=kadscope-cli/full,kadscope-fuzz/full,kadscope-hydra/prometheus,kadscope-cli/prometheus interop=()
    if [ "${KADSCOPE_WITHOUT_GO:-0}" = 1 ]; then
        echo "tests with other implementations are left out, as KADSCOPE_WITHOUT_GO says"
    else
        all+=,kadscope-cli/interop
        interop=(--test interop)
    fi
    cargo clippy --workspace --all-targets --features "$all" --locked -- -D warnings
    tests "$1" --workspace --features "$all" --test profile --test postgres --test belly_postgres --test register_postgres --test dynamodb --test replay "${interop[@]}"
    tests "$1" --workspace --features "$all" --test heads --test command_line dashboard
}

log=$(mktemp)
# Whatever happens, the last line says how many tests ran.
trap 'count "$log"; rm -f "$log"' EXIT

step "setting up" prepare
step "formatting" cargo fmt --all --check
step "lints" cargo clippy --workspace --all-targets --locked -- -D warnings
step "docs" env RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --document-private-items --locked --quiet
step "peers of other implementations" peers
step "tests" tests "$log" --workspace
step "features that are left out by default, and other implementations" features "$log"
