//! Whole crawls in worlds: at the defaults of both crawlers, half of the peers dead in several ways; and how much memory
//! the process of a large world takes.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use super::{Figures, figures_of_go, number, print_ratio};

/// Peers over TCP, half of them dead: of these one half refuses, and one drops attempts to connect. Nebula took 171 s and
/// 44 s of CPU for such a world.
const HALF_DEAD: &str = r#"
description = "Half of the peers of a world are dead."
seed = 3
[[states]]
state = "refusing"
share = 0.25
[[states]]
state = "dropping"
share = 0.25
"#;

/// The same as public networks are: over TCP, QUIC or both, at up to four addresses each; of the dead two fifths each
/// refuse and drop attempts to connect, and to one fifth there is no route.
const MIXED: &str = r#"
description = "Half of the peers of a world are dead, in several ways."
seed = 13
[transports]
tcp = 0.2
quic = 0.1
both = 0.7
[addresses]
ip4 = 0.62
ip6 = 0.08
dual = 0.3
shared = 0.15
[[states]]
state = "refusing"
share = 0.2
[[states]]
state = "dropping"
share = 0.2
[[states]]
state = "unroutable"
share = 0.1
"#;

/// How long the other crawler may take, in seconds.
const GO_AT_MOST_S: &str = "600";

/// The rows whose names contain one of the words; all, if there are none.
pub(super) fn rows(words: &[String], dir: &Path) {
    let is_wanted = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    if is_wanted("world") {
        half_dead(dir, "world", HALF_DEAD, "17, -, -");
    }
    if is_wanted("world-mixed") {
        half_dead(dir, "world-mixed", MIXED, "-, -, -");
    }
    if is_wanted("world-50000") {
        large(dir);
    }
}

/// Both crawlers, one after the other.
fn half_dead(dir: &Path, name: &str, text: &str, aims: &str) {
    let scenario = dir.join(name).with_extension("toml");
    std::fs::write(&scenario, text).expect("a file");
    let world = World::start(&scenario, 20_000, dir);
    let ours = world.crawl(dir);
    ours.print(name, 20_000, aims);
    println!("            {} live peers; {}", world.live, world.memory());
    beside_go(&world, &ours);
}

/// The same world again, by the crawler of go-libp2p-kad-dht.
fn beside_go(world: &World, ours: &Figures) {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../peers/bin/dhtcrawl");
    if !program.exists() {
        println!("            the other side is missing: build it with peers/build.sh go");
        return;
    }
    let mut dhtcrawl = world.command(Path::new("timeout"));
    dhtcrawl.args(["--signal", "KILL", GO_AT_MOST_S]).arg(program).args(["-addresses", "any"]);
    let Some(answer) = json_of(dhtcrawl.args(&world.bootstrap)) else {
        println!("  go        not within {GO_AT_MOST_S} s");
        return;
    };
    let theirs = figures_of_go(&answer);
    theirs.print("  go", world.peers, "");
    print_ratio(ours, &theirs);
}

/// Aim: 1 GiB, whatever its peers are like.
fn large(dir: &Path) {
    let world = World::start(Path::new("world"), 50_000, dir);
    let idle = world.memory();
    let ours = world.crawl(dir);
    ours.print("world-50000", 50_000, "-, -, -; 1074 MB for the world");
    println!("            {} live peers; idle: {idle}; after the crawl: {}", world.live, world.memory());
}

/// A world in a process of its own, which ends with this value.
struct World {
    process: Child,
    bootstrap: Vec<String>,
    /// What goes before a command that is run in it.
    enter: Vec<String>,
    peers: u32,
    /// How many can be reached.
    live: usize,
}

impl World {
    fn start(scenario: &Path, peers: u32, dir: &Path) -> Self {
        let truth = dir.join("truth.json");
        let mut process = Command::new(env!("CARGO_BIN_EXE_kadscope"))
            .args(["testnet", "--world", "--json", "--until-eof", "--peers", &peers.to_string()])
            .arg("--truth")
            .arg(&truth)
            .arg("--scenario")
            .arg(scenario)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let announced: Value = serde_json::from_str(&line).expect("the world's JSON");
        let texts = |list: &Value| -> Vec<String> {
            list.as_array().expect("a list").iter().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let (bootstrap, enter) = (texts(&announced["bootstrap"]), texts(&announced["world"]["enter"]));
        Self { process, bootstrap, enter, peers, live: live(&truth) }
    }

    fn command(&self, program: &Path) -> Command {
        let (first, rest) = self.enter.split_first().expect("words");
        let mut command = Command::new(first);
        command.args(rest).arg(program);
        command
    }

    /// A crawl at defaults, but that its figures are printed and its rows kept out of the way.
    fn crawl(&self, dir: &Path) -> Figures {
        let mut crawl = self.command(Path::new(env!("CARGO_BIN_EXE_kadscope")));
        crawl.args(["crawl", "--json", "--seed", "1", "--store"]);
        crawl.arg(dir.join(format!("world-{}.sqlite", self.peers)));
        let summary = json_of(&mut crawl).expect("a summary");
        Figures {
            found: number(&summary["peers"]["reachable"]),
            wall_s: number(&summary["duration_s"]),
            cpu_s: number(&summary["cpu_s"]),
            megabytes: number(&summary["peak_rss_bytes"]) / 1e6,
            edges: number(&summary["edges"]),
        }
    }

    /// What the world's process takes now, and what it has taken at most.
    fn memory(&self) -> String {
        let file = PathBuf::from(format!("/proc/{}/status", self.process.id()));
        let status = std::fs::read_to_string(file).expect("Linux");
        let megabytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a field");
            let kib: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
            kib * 1024.0 / 1e6
        };
        format!("the world takes {:.0} MB, at most {:.0}", megabytes("VmRSS:"), megabytes("VmHWM:"))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // The end of its input ends it.
        drop(self.process.stdin.take());
        self.process.wait().ok();
    }
}

/// How many peers can be reached, by a truth file of hundreds of megabytes.
fn live(truth: &Path) -> usize {
    const TRUE: &[u8] = b"\"reachable\":true";
    let mut file = BufReader::new(File::open(truth).expect("a file"));
    let (mut count, mut part) = (0, Vec::new());
    // It says so once a peer, and not across a brace.
    while file.by_ref().read_until(b'}', &mut part).expect("a file") > 0 {
        count += usize::from(part.windows(TRUE.len()).any(|window| window == TRUE));
        part.clear();
    }
    count
}

/// What a program prints; `None` if it was ended before.
fn json_of(command: &mut Command) -> Option<Value> {
    let output = command.stderr(Stdio::null()).output().expect("the program");
    serde_json::from_slice(&output.stdout).ok()
}
