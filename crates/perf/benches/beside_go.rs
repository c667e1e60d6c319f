//! What publications and lookups cost by each strategy, and whom they reach, beside go-libp2p-kad-dht on the same network of loopback
//! peers: CPU time of a process that makes many one after the other, its connections and its table warm, in the program and in the
//! kernel; and how many of the closest peers have the record a second after the last.
//!
//! `cargo bench -p kadscope-perf --bench beside_go [-- ROUNDS [PEERS [SCENARIO]]]`; `peers/build.sh go` comes first. The network, and
//! each side of each round, is a process of its own; sides take turns. Both keep every connection that they make (Go's closes
//! none that is younger than a minute), and say how many they made while they were measured. Ours has one thread, as whoever
//! makes one operation at a time.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark prints, and may fail")]

#[path = "beside_go/cost.rs"]
mod cost;
#[path = "beside_go/holders.rs"]
mod holders;
#[path = "beside_go/network.rs"]
mod network;
#[path = "beside_go/ours.rs"]
mod ours;

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use cost::Spread;
use holders::Holding;
use network::Ground;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

/// How many lookups come before what is measured, and how many of each kind are.
const WARM: u32 = 50;
const COUNT: u32 = 100;

/// What is measured, by its name and for people.
const KINDS: [(&str, &str); 3] = [
    ("found", "a lookup that ends with the first provider"),
    ("unknown", "a lookup of what nobody provides"),
    ("provide", "a publication"),
];

/// What is compared: how ours publishes and how far it goes, and how Go's side does, if it can.
const PAIRS: [(&str, &str, Option<&str>); 6] = [
    ("default", "go", Some("default")),
    ("optprov", "go", Some("optprov")),
    ("optprov", "thorough", None),
    ("fullrt", "go", Some("fullrt")),
    ("fullrt", "thorough", None),
    ("sweep", "thorough", None),
];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.split_first() {
        Some((mode, rest)) if mode == "--network" => runtime(2).block_on(network::be_it(&rest[0], &rest[1])),
        Some((mode, rest)) if mode == "--ours" => runtime(1).block_on(ours::measure(rest)),
        _ => compare(&args),
    }
}

fn runtime(threads: usize) -> Runtime {
    let mut builder = if threads == 1 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    builder.worker_threads(threads).enable_all().build().expect("a runtime")
}

/// One side of one round: what it says, and whom its publications reached.
struct Side {
    said: Value,
    holding: Holding,
}

/// All sides in turns, and what they come to.
fn compare(args: &[String]) {
    let number = |n: usize, default| args.get(n).map_or(default, |text| text.parse().expect("a number"));
    let (rounds, peers) = (number(0, 5_u32), number(1, 80_u32));
    let scenario = args.get(2).map_or("healthy", String::as_str);
    let go = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../peers/bin/dhtcost");
    assert!(go.exists(), "the other side is missing: build it with peers/build.sh go");
    let ground = Ground::start(scenario, peers);
    println!(
        "{rounds} rounds, {peers} peers ({scenario}); medians of CPU time, from the least to the most, in"
    );
    println!(
        "brackets what of the median is the kernel's; holders: of the {} closest that live\n",
        kad::message::K
    );
    println!("| strategy | | ours | Go | Go / ours | holders, ours and Go's: mean (least) |");
    println!("|---|---|---|---|---|---|");
    for (number, (strategy, persistence, other)) in (0..).zip(PAIRS) {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            let seed = 2 * (round + number * rounds);
            ours.push(our_side(&ground, strategy, persistence, seed));
            theirs.extend(other.map(|other| go_side(&go, &ground, other, seed + 1)));
        }
        rows(&format!("{strategy}, {persistence}"), &ours, &theirs);
    }
    ground.stop();
}

fn our_side(ground: &Ground, strategy: &str, persistence: &str, seed: u32) -> Side {
    let mut command = Command::new(std::env::current_exe().expect("a path"));
    command.args(["--ours", strategy, persistence, &seed.to_string()]).arg(ground.file());
    Side::of(ground, command, seed)
}

fn go_side(go: &PathBuf, ground: &Ground, strategy: &str, seed: u32) -> Side {
    let (seed_text, count, warm) = (seed.to_string(), COUNT.to_string(), WARM.to_string());
    let mut command = Command::new(go);
    command.args(["-strategy", strategy, "-seed", &seed_text, "-count", &count, "-warm", &warm]);
    command.args(ground.bootstrap());
    Side::of(ground, command, seed)
}

impl Side {
    fn of(ground: &Ground, mut command: Command, seed: u32) -> Self {
        let output = command.stderr(Stdio::inherit()).output().expect("the program");
        let said: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
        let publisher = said["peer"].as_str().expect("an id").parse().expect("an id");
        let keys = (0..COUNT).map(|number| ours::key(seed, "provide", number)).collect();
        Self { said, holding: runtime(1).block_on(holders::read(ground.living(), publisher, keys)) }
    }
}

fn rows(strategy: &str, ours: &[Side], theirs: &[Side]) {
    let said = |sides: &[Side]| -> Vec<Value> { sides.iter().map(|side| side.said.clone()).collect() };
    let (our_words, their_words) = (said(ours), said(theirs));
    for (name, what) in KINDS {
        let ours_cost = Spread::of(&our_words, name);
        let theirs_cost = (!theirs.is_empty()).then(|| Spread::of(&their_words, name));
        let ratio = theirs_cost.as_ref().map(|cost| format!("{:.1}", cost.median / ours_cost.median));
        let holders = match name {
            "provide" => {
                let all =
                    |sides: &[Side]| Holding::of_all(sides.iter().map(|side| &side.holding)).to_string();
                [ours, theirs]
                    .map(|sides| if sides.is_empty() { "-".to_owned() } else { all(sides) })
                    .join(", ")
            }
            _ => String::new(),
        };
        let theirs_cost = theirs_cost.map_or("-".to_owned(), |cost| cost.to_string());
        let ratio = ratio.unwrap_or_else(|| "-".to_owned());
        println!("| {strategy} | {what} | {ours_cost} | {theirs_cost} | {ratio} | {holders} |");
    }
    let found = |words: &[Value]| words.iter().filter_map(|word| word["providers"].as_u64()).sum::<u64>();
    let dials = |words: &[Value]| -> u64 {
        words.iter().flat_map(|word| KINDS.map(|(name, _)| word[name]["dials"].as_u64().unwrap_or(0))).sum()
    };
    let all = u64::try_from(ours.len()).unwrap_or(u64::MAX) * u64::from(COUNT);
    println!(
        "| {strategy} | found of {all}; dials | {}; {} | {}; {} | | |",
        found(&our_words),
        dials(&our_words),
        found(&their_words),
        dials(&their_words)
    );
}
