//! The parts of the help that teach: examples, exit codes, the environment.

/// What the exit codes mean.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    unexpected error
  2    the command line, or a file that it names, is wrong
  3    the store could not be opened, read or written
  4    network: none of the bootstrap peers answered
  5    what was looked for was not found
  130  stopped by Ctrl-C, SIGTERM or SIGHUP; everything in hand was kept
With testnet --world -- COMMAND the exit code is the command's.";

/// Where to begin, and what else decides.
const BEGIN: &str = "\
Begin here:
  kadscope demo                      Crawl a network of 1,000 peers on this machine
  kadscope testnet --scenario demo   A network to try things on, until Ctrl-C
  kadscope networks                  The public networks that are known by name
  kadscope crawl --network NAME      Crawl one of them, or a network of your own
  kadscope crawls                    What was crawled
  kadscope lookup providers CID      Who provides content; with --dial, whether it can be retrieved
  kadscope health URL                Is a command well that stays up?
  kadscope ping PEER_ID              One peer, through each of its addresses
  kadscope watch --network NAME      A network live: who is there, who came and who left

Flags from a file:
  @FILE anywhere on a command line stands for the flags in that file, one or more on a line, such
  as --limit 100. A # begins a comment, quotes keep blanks together, and a file cannot name another
  one. What stands behind @FILE on the command line wins. A value that begins with @ is given as in
  --vantage=@home

Environment:
  Every option can be set by the variable that its help names; an option on the command line wins.
  Opt-out lists of both count.
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
  kadscope demo --world
  kadscope demo --scenario churn
  kadscope demo --hydra

The network runs in a process of its own, which ends with the demo: CPU and memory in the summary
are the crawl's alone. All packets stay on the loopback interface; no internet is needed.";

/// Below the help of `crawl`.
pub(crate) const CRAWL: &str = "\
Examples:
  The public DHT of IPFS, into ./kadscope.sqlite, by someone who can be asked about it:
    kadscope crawl --contact you@example.org
  Another network, the routing tables too, in a file of one's own:
    kadscope crawl --network polkadot --neighbors --store may.sqlite
  A network of one's own (begin with what `kadscope networks ipfs` prints):
    kadscope crawl --network my-network.toml
  A network on this machine (see `kadscope testnet`), nothing kept, the numbers as JSON:
    kadscope crawl --addresses loopback --store none --json --bootstrap ADDR
  The same options every night, from a file:
    kadscope crawl @night.flags

A crawl of a public network is traffic on other people's machines: docs/good-citizen.md says how
kadscope behaves there, and what it asks of you.

The summary goes to stdout, progress and errors to stderr. The first Ctrl-C stops the crawl and
keeps what is in hand, the second ends it at once.";

/// Below the help of `lookup`.
pub(crate) const LOOKUP: &str = "\
Examples:
  Whether content can be retrieved, from whom, and if not, why:
    kadscope lookup providers bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi --dial
  Where a peer is:
    kadscope lookup peer 12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN
  What a name leads to:
    kadscope lookup value /ipns/k51qzi5uqu5dgutdk6i1ynyzgkqngpha5xpgia3a5qqp4jsh0u4csozksxel2r
  Who is responsible for a key, and every request of the search in a file:
    kadscope lookup closest KEY --trace requests.ndjson

Each request is shown on stderr when it ends: who was asked and by whom it was named, how many bits
its key shares with the target (cpl), how long the dial and the answer took, and what came. The
answer goes to stdout; --store keeps the requests, as a run. docs/methodology/lookup.md says what the
rules are.

With --dial each provider is dialled and asked whether it has the block, by bitswap or over HTTP, and
the last line is the verdict. docs/methodology/lookup.md lists the verdicts.

Exit code 5: what was looked for was not found; with --dial: the content is not retrievable.";

/// Below the help of `provide`.
pub(crate) const PROVIDE: &str = "\
Examples:
  On a network of this machine (see `kadscope testnet`), and who has the record:
    kadscope provide CID --read-back --addresses loopback --bootstrap ADDR
  On the public DHT of IPFS, where the provider then stays reachable for ten minutes:
    kadscope provide CID --read-back --serve-for 10m --contact you@example.org
  Behind a router that forwards port 4001:
    kadscope provide CID --listen /ip4/0.0.0.0/tcp/4001 --announce /ip4/YOUR_IP/tcp/4001

A provider record says that somebody has content, and where. It is given to the 20 peers closest to
the CID, which keep it for up to 48 hours. kadscope has no content: who follows the record finds a
peer that says who it is. A public network is asked about before, or --yes says so.

Exit code 5: nobody has the record (without --read-back: nobody could be sent it).";

/// Below the help of `hydra`.
pub(crate) const HYDRA: &str = "\
Examples:
  Who ten heads of a seed would be, without a packet:
    kadscope hydra --heads 10 --seed-file seed --dry-run
  Two hydras of one seed and one database, on two machines:
    kadscope hydra --indices 0..200:2 --seed-file seed --belly postgres://me@db/belly --port 4001
    kadscope hydra --indices 1..200:2 --seed-file seed --belly postgres://me@db/belly --port 4001
  On a network of this machine (see `kadscope testnet`), nothing kept:
    kadscope hydra --heads 5 --state none --belly memory --addresses loopback --bootstrap ADDR

A head is a server of the network: it answers whoever asks, and keeps the records that it is
given in the belly that all heads share. Flags and variables of hydra-booster are read, too;
docs/hydra.md says what each became.

Without a seed, keys are random and kept in the directory of --state, as are the ports that the
system chose and the peers that the heads know. Ctrl-C and SIGTERM close the belly: nothing is
lost (exit code 0).";

/// Below the help of `perf fleet`.
pub(crate) const PERF_FLEET: &str = "\
Examples:
  kadscope perf fleet --store perf.sqlite
  kadscope perf fleet --store postgres://perf@db/parsec --parsec-compat --fleets default,optprov

A server is alive as long as its last heartbeat is at most two minutes old and nobody has called it
offline, starting until its first, and late when none came for longer. Schedulers ask those that
are alive.";

/// Below the help of `perf server`.
pub(crate) const PERF_SERVER: &str = "\
Examples:
  In a network of this machine (see `kadscope testnet`), in a register that schedulers read:
    kadscope perf server --fleet default --store perf.sqlite --addresses loopback --bootstrap ADDR
    kadscope perf server --fleet optprov --routing optprov --listen 127.0.0.1:7071 \\
      --store perf.sqlite --addresses loopback --bootstrap ADDR
  Alone, asked by hand:
    kadscope perf server --fleet mine --store none --addresses loopback --bootstrap ADDR
    curl -X POST 127.0.0.1:7070/provide -d '{\"Content\":\"aGVsbG8=\"}'
  One that publishes to an indexer and looks up there, and joins nobody's network:
    kadscope perf server --fleet indexer --routing indexer --indexer http://127.0.0.1:3000 \\
      --publisher 127.0.0.1:2020 --store perf.sqlite --addresses loopback
  A server that Parsec's schedulers find and use:
    kadscope perf server --fleet default --parsec-compat --store postgres://parsec@db/parsec \\
      --listen 10.0.0.7:7070 --listen-open

It publishes what it is told to, in the network that it is in. docs/perf.md says what the API is, and
how it differs from Parsec's. Ctrl-C and SIGTERM say in the register that it is away (exit code 0).";

/// Below the help of `perf health`.
pub(crate) const PERF_HEALTH: &str = "\
Examples:
  kadscope perf health 127.0.0.1:7070
  kadscope perf health [::1]:7070 --timeout 2s

Exit code 0 and OK if it is ready: it knows somebody in its network. 1 if it is not, or if nobody
answers in time. Servers of Parsec say always that they are.";

/// Below the help of `perf demo`.
pub(crate) const PERF_DEMO: &str = "\
Examples:
  kadscope perf demo
  kadscope perf demo --out week
  kadscope perf demo --peers 300 --days 3 --seed 5 --json

Nothing leaves this process: the network is simulated and time is virtual, so a week passes within a
minute. The servers and schedulers are the same code as on the wire. The same seed gives the same
report.";

/// Below the help of `perf explain`.
pub(crate) const PERF_EXPLAIN: &str = "\
Examples:
  kadscope perf explain --store perf.sqlite
  kadscope perf explain --store perf.sqlite --slowest 5
  kadscope perf explain --store perf.sqlite --failed --json
  kadscope perf explain --store perf.sqlite --operation 5f0c1d2e3a4b59687786950413223140

Without --operation, all operations are added up first: what they waited for, and who held up most.
The pieces of a path follow each other without a gap, and add up to what the operation took.
Servers of others tell nothing of what they do: their operations are not explained.";

/// Below the help of `report`.
pub(crate) const REPORT: &str = "\
Examples:
  All that the store has:
    kadscope report --out everything
  The week that was measured last, for others:
    kadscope report --period week --privacy without-ips --out week
  A time of one's own choice, of one network of several:
    kadscope report --network ipfs --from 2026-11-23 --to 2026-11-30 --out week-48

Stays of peers are those that a monitor kept; where none did they follow from the visits of crawls,
and are known no better than crawls are apart. DIR has index.html (one file, which asks nothing from
anywhere), README.md, report.json with every number, its interval and what it stands on, and each
figure as SVG, CSV and JSON. A report that stood there is replaced; a directory in which anything
else is, is left alone (exit code 2). docs/report.md says what each number means.";

/// Below the help of `perf report`.
pub(crate) const PERF_REPORT: &str = "\
Examples:
  kadscope perf report --store perf.sqlite --out week-48
  kadscope perf report --store perf.sqlite --from 2026-11-23 --to 2026-11-30 --out week-48

DIR has index.html (one file, which asks nothing from anywhere), README.md, report.json with every
number, its interval and what it stands on, and each figure as SVG, CSV and JSON. A report that
stood there is replaced; a directory in which anything else is, is left alone (exit code 2).";

/// Below the help of `perf scheduler`.
pub(crate) const PERF_SCHEDULER: &str = "\
Examples:
  A round a minute over the servers of one fleet, each looking twice:
    kadscope perf scheduler --fleets default --probes 2
  Four fleets, each publishing for each, on a database that others share:
    kadscope perf scheduler --fleets default,optprov,fullrt,sweep --pairing matrix \\
      --store postgres://me@db/perf
  Which rounds would be, without asking anybody:
    kadscope perf scheduler --fleets default --dry-run --seed 7
  Go's servers of Parsec, in Parsec's own tables:
    kadscope perf scheduler --fleets default --parsec-compat --store postgres://parsec@db/parsec

Servers are those that are registered in the store and say that they live (`kadscope perf server`).
Whoever is not ready, hangs or fails is a row like any other, and holds up nobody. Several
schedulers of one fleet take turns by leases: one measures, the others wait. docs/perf.md says what
a round is.

Ctrl-C and SIGTERM end the round that is under way; what was asked is kept (exit code 0, with
--rounds 130).";

/// Below the help of `hoard run`.
pub(crate) const HOARD_RUN: &str = "\
Examples:
  RFM17.1 again: 100 keys every 3 min for 50 min, by someone who can be asked about it:
    kadscope hoard run --preset rfm17.1 --contact you@example.org
  What a study would be, and a burden to whom, without publishing anything:
    kadscope hoard run --preset rfm17 --dry-run
  Does it matter whether the publisher stays? The same keys, looked at closely:
    kadscope hoard run --cids 50 --publisher closed,connected --same-keys --dense --for 1h
  Who keeps what somebody else has published:
    kadscope hoard run --keys cids.txt --foreign --every 1h --for 3d
  Go on after a restart:
    kadscope hoard run --resume latest

Each record is given to 20 strangers, who keep it for up to 48 hours: docs/good-citizen.md. Who
publishes and who looks are different peers. docs/hoard.md says what a round is; the figures are made
by `kadscope hoard report`.

Ctrl-C and SIGTERM end the rounds that are under way; what was seen is kept (exit code 130).";

/// Below the help of `hoard content`.
pub(crate) const HOARD_CONTENT: &str = "\
Examples:
  Which of the pages that a project links to can be retrieved, every hour for three days:
    kadscope hoard content --keys pages.txt --frame 'links of our pages' --contact you@example.org
  Of a million CIDs a sample, once; what it would be a burden to whom, without asking anybody:
    kadscope hoard content --keys all.txt --sample 1000 --frame 'pins of May' --every 2h --for 1h --dry-run
  Whether providers have the blocks, too:
    kadscope hoard content CID CID --frame 'two pages' --blocks --every 30m --for 1d
  Go on after a restart:
    kadscope hoard content --resume latest

Nothing is published. Each look asks everybody on the way to the key, and dials those who provide it.
A share says something of what its keys are a sample of, and of nothing else: so --frame has to say
what that is. docs/hoard.md has what counts as available; `kadscope hoard report` makes the figures.

Ctrl-C and SIGTERM end the looks that are under way; what was seen is kept (exit code 130).";
/// Below the help of `hoard report`.
pub(crate) const HOARD_REPORT: &str = "\
Examples:
  kadscope hoard report --store hoard.sqlite --run 5f0c1d2e3a4b59687786950413223140 --out study
  kadscope hoard report --store hoard.sqlite --run 5f0c1d2e3a4b59687786950413223140 \\
    --crawl 0413223140596877869550f0c1d2e3a4 --apart hydra-booster --out study

DIR has index.html (one file, which asks nothing from anywhere), README.md, report.json with every
number, its interval and what it stands on, and each figure as SVG, CSV and JSON: docs/hoard.md says
what each shows. A study that goes on is reported as far as it is. A report that stood there is
replaced; a directory in which anything else is, is left alone (exit code 2).";

/// Below the help of `hoard savings`.
pub(crate) const HOARD_SAVINGS: &str = "\
Examples:
  kadscope hoard savings 5f0c1d2e3a4b59687786950413223140 --store hoard.sqlite
  What if servers gave addresses for 2 or 12 hours, and callers waited for them half a second?
    kadscope hoard savings 5f0c1d2e3a4b59687786950413223140 --store hoard.sqlite \\
      --policy wait_for_addresses --wait 500ms --address-ttl 2h,12h --out savings

Every lookup for all providers that nothing cut short is a retrieval, decided anew under each change
by the answers that are kept. Those that were over early, or of which no request is kept, are counted
and left out; a study of which that is all has nothing to say (exit code 2). One lookup is in memory
at a time, and some 70 bytes of each. docs/hoard.md says what the numbers stand on.";

/// Below the help of `hoard demo`.
pub(crate) const HOARD_DEMO: &str = "\
Examples:
  kadscope hoard demo
  kadscope hoard demo --out study
  kadscope hoard demo --keep demo.sqlite
  kadscope hoard demo --peers 200 --cids 20 --seed 5 --json

Nothing leaves this process: the network is simulated and time is virtual, so 50 minutes pass in
seconds. Its holders forget addresses after 10, 15 or 30 minutes or 24 hours, and some keep nothing.
Who publishes, looks and estimates is the same code as on the wire. The same seed gives the same report.";

/// Below the help of `ping`.
pub(crate) const PING: &str = "\
Examples:
  kadscope ping 12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN
  kadscope ping --addresses any /ip4/192.168.1.7/tcp/4001/p2p/PEER_ID

Each address is dialled apart, those too that the peer names itself. The round trip is the smallest
that the transport saw; a ping is a request of Kademlia, which every server answers.

Exit code 5: one of the peers could not be reached.";

/// Below the help of `watch`.
pub(crate) const WATCH: &str = "\
Examples:
  kadscope watch --contact you@example.org
  kadscope watch --addresses loopback --bootstrap ADDRESS --look-every 5s
  kadscope watch --store kadscope.sqlite --json --every 1m

On a terminal it is a page: s sorts the list, r turns it round, / searches it, q leaves. Elsewhere it
is a line each period, as go-libp2p-crawler wrote it, or with --json one object.

Days are those of UTC. The daily churn is departures today for each distinct peer seen today.";

/// Below the help of `testnet`.
pub(crate) const TESTNET: &str = "\
Examples:
  kadscope testnet --peers 100
  kadscope testnet --scenario faults --truth truth.json
  kadscope testnet --scenario my-network.toml --json
  A world: a network of its own with public addresses and names, which nothing can leave, and a
  crawl, a shell or any other program in it:
    kadscope testnet --world -- kadscope crawl --store none
    kadscope testnet --world --scenario faults -- bash

Prints the addresses of the bootstrap peers, one a line, and serves until Ctrl-C (exit code 0). The
peers live on loopback addresses from 127.1.0.0 on, behind one port, or where this machine has only
127.0.0.1, on ports of their own there: any libp2p program on this machine can dial them, and no
packet from another one is answered.

A world is a network namespace of Linux, made without root where the system allows that. Its command
finds in its environment where to begin (KADSCOPE_BOOTSTRAP, which kadscope reads; for others
KADSCOPE_WORLD_BOOTSTRAP, as addresses, and KADSCOPE_WORLD_BOOTSTRAP_NAMES), the root certificate of
its names (SSL_CERT_FILE) and the truth file (KADSCOPE_WORLD_TRUTH). The world ends with the command, and kadscope
with its exit code: 128 and the number of a signal that ended it, 126 if it cannot be run, 127 if it
is not found. Without a command it says how to enter. More is in docs/world.md.";

/// Below the help of `crawls`.
pub(crate) const CRAWLS: &str = "\
Examples:
  kadscope crawls
  kadscope crawls --store may.sqlite --json
  kadscope crawls latest                 The summary of a crawl again
  kadscope crawls ID --delete            Ask, then delete it

States: running (its process is alive), succeeded, cancelled (by Ctrl-C or --limit), failed,
interrupted (its process is gone; the rows that it had written are there).";

/// Below the help of `monitor`.
pub(crate) const MONITOR: &str = "\
Examples:
  The public DHT of IPFS for a week, a crawl every half an hour, into ./kadscope.sqlite:
    kadscope monitor --for 7d --contact you@example.org
  A network on this machine (see `kadscope testnet`), for ten minutes:
    kadscope monitor --addresses loopback --store a.sqlite --crawl-every 1m --for 10m --bootstrap ADDR

What a look says of a peer and when a session is over: docs/methodology/sessions.md. Started again on its
store, also after a kill, it goes on where it was; `kadscope sessions` lists what it saw.";

/// Below the help of `runs`.
pub(crate) const RUNS: &str = "\
Examples:
  kadscope runs --tool crawl --since 90d
  kadscope runs latest --json            Parameters and summary of a run
  kadscope runs --peer PEER_ID           What all runs know of a peer
  kadscope runs ID --delete              Ask, then delete it

Crawls, lookups, pings and provides are runs; the last three are kept with --store alone.";

/// Below the help of `sessions`.
pub(crate) const SESSIONS: &str = "\
Examples:
  kadscope sessions --peer PEER_ID       The sessions of a peer
  kadscope sessions --uptime month       How long each peer was up
  kadscope sessions --check              Whether they follow from the visits

A session is known between looks: docs/methodology/sessions.md says what each time means.";

/// Below the help of `store`.
pub(crate) const STORE: &str = "\
Examples:
  kadscope store check
  kadscope store prune --keep-visits 90d
  kadscope store backup copy.sqlite

Of a pruned run its summary and peers stay, and how many visits it had; whatever is counted from
visits can be counted of those that are left.";

/// Below the help of `enrich`.
pub(crate) const ENRICH: &str = "\
Examples:
  kadscope enrich --city GeoLite2-City.mmdb --asn GeoLite2-ASN.mmdb
  kadscope enrich --city dbip-city-lite.mmdb --asn dbip-asn-lite.mmdb --store may.sqlite --json
  kadscope enrich --ranges ip-ranges.json --ranges cloud.json --ranges cloudflare=ips-v4
  kadscope enrich --city GeoLite2-City.mmdb --names

Only addresses are looked up that these very files were not asked for before. With newer files all
are looked up again, and both results stay. docs/enrich.md says where files are to be had.";

/// Below the help of `networks`.
pub(crate) const NETWORKS: &str = "\
Examples:
  kadscope networks
  kadscope networks ipfs > my-network.toml
  kadscope networks polkadot --json | jq .bootstrap
  kadscope networks my-network.toml      Does `crawl` take this file? If not, why?";

/// Below the help of `health`.
pub(crate) const HEALTH: &str = "\
Examples:
  kadscope health 127.0.0.1:9600               Does the program live?
  kadscope health http://127.0.0.1:9600/ready  Does it do what it is there for? If not, why?
  In a container file:
    HEALTHCHECK CMD [\"kadscope\", \"health\", \"127.0.0.1:9600\"]

Exit code 0 if it says so, 1 if not or if nobody answers within 5 s. docs/metrics.md says what else
can be asked there.";

/// Below the help of `export`.
pub(crate) const EXPORT: &str = "\
Examples:
  Everything of the last run, for oneself:
    kadscope export --privacy as-is --out may/
  All crawls of a month, as tables:
    kadscope export --privacy as-is --tool crawl --since 30d --format csv --out june/
  Visits for others, with pseudonyms in place of peers and addresses:
    openssl rand -hex 32 > may.key
    kadscope export --privacy pseudonymised --key-file may.key --rows visit --out visits.ndjson
  Who runs what, without addresses:
    kadscope export --privacy without-ips --rows visit --out - | jq -r .agent

docs/export.md documents each field, and what remains linkable at each level. A file is there once
it is whole. A file that is no export is replaced with --force alone. Who is on an opt-out list (--opt-out) is never exported.";

/// Below the help of `completions`.
pub(crate) const COMPLETIONS: &str = "\
Where each shell reads it when it starts, so that script and program are of one version:
  echo 'source <(kadscope completions bash)' >> ~/.bashrc
  echo 'source <(kadscope completions zsh)' >> ~/.zshrc
  echo 'kadscope completions fish | source' >> ~/.config/fish/config.fish

Options, networks, scenarios and the runs of a store are completed.";
