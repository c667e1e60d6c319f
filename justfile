# An index of commands. `just` alone lists them.

set positional-arguments

[private]
default:
    @just --list --unsorted

# A testnet of a thousand peers, a crawl of it, and the summary beside the truth.
demo *ARGS:
    cargo run --release -- demo "$@"

# Everything that must pass.
test:
    scripts/test.sh

# Format, lints and the structure of the repository.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    cargo test --package kadscope-tidy --locked

# Every benchmark.
bench:
    cargo bench --workspace --locked

# What a request costs a process that answers it, and how many a core answers: words choose rows.
load *ARGS:
    cargo bench --package kadscope-hydra --bench load --locked -- "$@"

# Whether a study keeps its rounds: by `tcp` or `quic`, then how many keys, every how many seconds, how often, and among how many peers.
paced *ARGS:
    cargo bench --package kadscope-hoard --bench paced --locked -- "$@"

# What a crawl costs by one build beside another: OLD and NEW are programs, then a scenario, its peers, and how many pairs.
pairs OLD NEW *ARGS:
    scripts/pairs.sh "$@"

# RFM 17.1 beside DHT servers of Go in its own time: they keep records, and forget addresses 15 minutes after the publisher left (needs
# Go; takes an hour). `peers/hoard.sh` is the same by the program, with its store and report.
hoard-rfm17-1:
    cargo test --package kadscope-cli --features by-hand --test interop --locked -- hoard::by_hand --nocapture

# Fuzz one target for so many seconds (needs a nightly toolchain and cargo-fuzz).
fuzz TARGET SECONDS="120":
    mkdir -p target/fuzz/{{TARGET}}
    cargo +nightly fuzz run --sanitizer none {{TARGET}} target/fuzz/{{TARGET}} fuzz/corpus/{{TARGET}} -- -max_total_time={{SECONDS}}

# Add to the corpus of one target what fuzzing has found to reach more code.
fuzz-keep TARGET:
    cargo +nightly fuzz run --sanitizer none {{TARGET}} fuzz/corpus/{{TARGET}} target/fuzz/{{TARGET}} -- -merge=1

# The documentation of all crates, private items included.
doc:
    RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --document-private-items --locked --open

# Licences, sources and duplicates of dependencies (needs cargo-deny).
deny:
    cargo deny --locked check

# Peers of other implementations (needs Go).
peers:
    peers/build.sh

# Whether a node of ours stays in the tables of Kubo, which refreshes them every ten minutes, and is forgotten when it has
# left (needs Go; takes up to an hour).
kubo-refreshes:
    cargo test --package kadscope-cli --features by-hand --test interop --locked -- by_hand

# A monitor on the wire for an hour: stopped, killed, and judged by the network's own log.
monitor-hour MINUTES="60":
    cargo build --release
    scripts/monitor-hour.sh {{MINUTES}}
