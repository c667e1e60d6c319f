//! Whole crawls of networks on loopback sockets and of worlds: CPU, time and memory of the crawling process, beside the aim
//! of each line and, where `peers/bin/dhtcrawl` is built, beside the crawler of go-libp2p-kad-dht in the same run.
//!
//! `cargo bench -p kadscope-cli --bench crawl [-- ROW...]` runs the rows whose names contain one of the words.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark prints, and may fail")]

use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

// Beside this file it would be a benchmark of its own.
#[path = "crawl/world.rs"]
mod world;

/// One crawl to be measured.
struct Row {
    name: &'static str,
    scenario: &'static str,
    peers: u32,
    /// Seconds, microseconds of CPU for each reachable peer, megabytes: the most there should be.
    aims: [Option<f64>; 3],
    options: &'static [&'static str],
}

const NO_AIM: [Option<f64>; 3] = [None; 3];
const ALL: &[&str] = &["--all-prefixes", "--store", "none"];
const KEPT: &[&str] = &["--all-prefixes", "--neighbors", "--store", "kept.sqlite"];
const DEFAULTS: &[&str] = &["--store", "defaults.sqlite"];
const NOTHING_KEPT: &[&str] = &["--store", "none"];

const ROWS: &[Row] = &[
    Row {
        name: "tcp",
        scenario: "healthy",
        peers: 10_000,
        aims: [None, Some(400.0), Some(60.0)],
        options: ALL,
    },
    Row { name: "tcp-saving", scenario: "healthy", peers: 10_000, aims: NO_AIM, options: NOTHING_KEPT },
    Row {
        name: "tcp-kept",
        scenario: "healthy",
        peers: 10_000,
        aims: [None, Some(700.0), Some(250.0)],
        options: KEPT,
    },
    Row { name: "quic", scenario: "quic", peers: 10_000, aims: [None, Some(750.0), None], options: ALL },
    Row {
        name: "half-dead",
        scenario: "half-dead",
        peers: 20_000,
        aims: [Some(17.0), None, None],
        options: DEFAULTS,
    },
    Row { name: "delays", scenario: "delays", peers: 10_000, aims: NO_AIM, options: NOTHING_KEPT },
    Row { name: "go-tcp", scenario: "healthy", peers: 5_000, aims: NO_AIM, options: ALL },
    Row { name: "go-quic", scenario: "quic", peers: 3_000, aims: NO_AIM, options: ALL },
];

/// A healthy network that is reached over QUIC alone.
const QUIC: &str = "description = \"QUIC alone.\"\nseed = 11\npeers = 1000\n[transports]\nquic = 1.0\n";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let dir = TempDir::new().expect("a directory");
    std::fs::write(dir.path().join("quic.toml"), QUIC).expect("a file");
    println!(
        "{:<11} {:>6} {:>9} {:>8} {:>8} {:>9} {:>7} {:>11}  aims (s, us/peer, MB)",
        "row", "peers", "found", "wall s", "cpu s", "us/peer", "MB", "edges"
    );
    for row in ROWS
        .iter()
        .filter(|row| words.is_empty() || words.iter().any(|word| row.name.contains(word.as_str())))
    {
        measure(row, dir.path());
    }
    world::rows(&words, dir.path());
}

fn measure(row: &Row, dir: &Path) {
    let mut testnet = Testnet::start(row, dir);
    let beside = row.name.starts_with("go-");
    if beside {
        // Heads make their certificates when they are dialled for the first time: neither side is to wait for that.
        crawl(row, &testnet, dir);
    }
    let ours = crawl(row, &testnet, dir);
    let aims = row.aims.map(|aim| aim.map_or("-".to_owned(), |aim| aim.to_string()));
    ours.print(row.name, row.peers, &aims.join(", "));
    if beside {
        beside_go(row, &testnet, &ours);
    }
    testnet.end();
}

/// One crawl by this program.
fn crawl(row: &Row, testnet: &Testnet, dir: &Path) -> Figures {
    let mut crawl = Command::new(env!("CARGO_BIN_EXE_kadscope"));
    crawl
        .args(["crawl", "--addresses", "loopback", "--json", "--seed", "1"])
        .args(row.options)
        .arg("--bootstrap");
    let summary = json_of(crawl.args(&testnet.bootstrap).current_dir(dir));
    Figures {
        found: number(&summary["peers"]["reachable"]),
        wall_s: number(&summary["duration_s"]),
        cpu_s: number(&summary["cpu_s"]),
        megabytes: number(&summary["peak_rss_bytes"]) / 1e6,
        edges: number(&summary["edges"]),
    }
}

/// The same network again, by the crawler of go-libp2p-kad-dht.
fn beside_go(row: &Row, testnet: &Testnet, ours: &Figures) {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../peers/bin/dhtcrawl");
    if !program.exists() {
        println!("            the other side is missing: build it with peers/build.sh go");
        return;
    }
    let theirs = figures_of_go(&json_of(Command::new(program).args(&testnet.bootstrap)));
    theirs.print("  go", row.peers, "");
    print_ratio(ours, &theirs);
}

fn figures_of_go(answer: &Value) -> Figures {
    Figures {
        found: number(&answer["peers_ok"]),
        wall_s: number(&answer["wall_s"]),
        cpu_s: number(&answer["cpu_s"]),
        megabytes: number(&answer["peak_rss_bytes"]) / 1e6,
        edges: number(&answer["edges"]),
    }
}

fn print_ratio(ours: &Figures, theirs: &Figures) {
    println!(
        "            ratio: {:.1} times less CPU for each peer, {:.1} times faster, {:.1} times less memory",
        theirs.us_per_peer() / ours.us_per_peer(),
        theirs.wall_s / ours.wall_s,
        theirs.megabytes / ours.megabytes
    );
}

struct Figures {
    found: f64,
    wall_s: f64,
    cpu_s: f64,
    megabytes: f64,
    edges: f64,
}

impl Figures {
    fn us_per_peer(&self) -> f64 {
        self.cpu_s * 1e6 / self.found
    }

    fn print(&self, name: &str, peers: u32, aims: &str) {
        let Self { found, wall_s, cpu_s, megabytes, edges } = self;
        let us = self.us_per_peer();
        println!(
            "{name:<11} {peers:>6} {found:>9} {wall_s:>8.2} {cpu_s:>8.2} {us:>9.0} {megabytes:>7.0} {edges:>11}  {aims}"
        );
    }
}

/// A network in a process of its own.
struct Testnet {
    child: Child,
    _stdout: BufReader<ChildStdout>,
    bootstrap: Vec<String>,
}

impl Testnet {
    fn start(row: &Row, dir: &Path) -> Self {
        let scenario =
            if row.scenario == "quic" { dir.join("quic.toml") } else { PathBuf::from(row.scenario) };
        let mut child = Command::new(env!("CARGO_BIN_EXE_kadscope"))
            .args(["testnet", "--json", "--until-eof", "--peers", &row.peers.to_string(), "--scenario"])
            .arg(scenario)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("a line");
        let announced: Value = serde_json::from_str(&line).expect("the network's JSON");
        let bootstrap = announced["bootstrap"].as_array().expect("a list").iter();
        let bootstrap = bootstrap.filter_map(|addr| addr.as_str().map(str::to_owned)).collect();
        Self { child, _stdout: stdout, bootstrap }
    }

    /// The end of its input ends it.
    fn end(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().expect("it ends");
    }
}

impl Drop for Testnet {
    fn drop(&mut self) {
        // After `end` there is nothing left to kill.
        self.child.kill().ok();
    }
}

fn json_of(command: &mut Command) -> Value {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program");
    let mut text = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut text).expect("text");
    child.wait().expect("it ends");
    serde_json::from_str(&text).expect("one JSON object")
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}
