//! The parts of the help that teach: examples, exit codes, the environment.

/// What the exit codes mean.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    unexpected error
  2    the command line, or a file that it names, is wrong
  3    the store could not be opened, read or written
  4    network: none of the bootstrap peers answered
  130  stopped by Ctrl-C or SIGTERM; everything in hand was kept";

/// Where to begin, and what else decides.
const BEGIN: &str = "\
Begin here:
  kadscope demo                      Crawl a network of 1,000 peers on this machine
  kadscope testnet --scenario demo   A network to try things on, until Ctrl-C
  kadscope crawl --bootstrap ADDR    Crawl a network
  kadscope crawls                    What was crawled

Environment:
  Every option can be set by the variable that its help names; an option on the command line wins.
  KADSCOPE_LOG  What is logged to stderr: error, warn (default), info, debug, or a filter
  NO_COLOR      Set to anything: no colours";

/// Below the help of the program.
pub(crate) fn program() -> String {
    format!("{BEGIN}\n\n{EXIT_CODES}")
}

/// Below the help of `demo`.
pub(crate) const DEMO: &str = "\
Examples:
  kadscope demo
  kadscope demo --peers 5000 --dir /tmp/demo
  kadscope demo --json | jq .truth

The network runs in a process of its own, which ends with the demo: CPU and memory in the summary
are the crawl's alone. All packets stay on the loopback interface; no internet is needed.";

/// Below the help of `crawl`.
pub(crate) const CRAWL: &str = "\
Examples:
  Crawl from one peer, into ./kadscope.sqlite:
    kadscope crawl --bootstrap /ip4/IP/tcp/4001/p2p/PEER_ID
  Keep the routing tables too, in a file of one's own:
    kadscope crawl --neighbors --store may.sqlite --bootstrap ADDR1 ADDR2
  A network on this machine (see `kadscope testnet`), nothing kept, the numbers as JSON:
    kadscope crawl --addresses loopback --store none --json --bootstrap ADDR

The summary goes to stdout, progress and errors to stderr. The first Ctrl-C stops the crawl and
keeps what is in hand, the second ends it at once.";

/// Below the help of `testnet`.
pub(crate) const TESTNET: &str = "\
Examples:
  kadscope testnet --peers 100
  kadscope testnet --scenario faults --truth truth.json
  kadscope testnet --scenario my-network.toml --json

Prints the addresses of the bootstrap peers, one a line, and serves until Ctrl-C (exit code 0). The
peers live on loopback addresses from 127.1.0.0 on, behind one port: any libp2p program on this
machine can dial them.";

/// Below the help of `crawls`.
pub(crate) const CRAWLS: &str = "\
Examples:
  kadscope crawls
  kadscope crawls --store may.sqlite --json

States: running (its process is alive), succeeded, cancelled (by Ctrl-C or --limit), failed,
interrupted (its process is gone; the rows that it had written are there).";

/// Below the help of `completions`.
pub(crate) const COMPLETIONS: &str = "\
Examples:
  kadscope completions bash > ~/.local/share/bash-completion/completions/kadscope
  kadscope completions zsh > ~/.zfunc/_kadscope
  kadscope completions fish > ~/.config/fish/completions/kadscope.fish";
