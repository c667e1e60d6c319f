//! What lookups and provides cost, beside go-libp2p-kad-dht on the same network of loopback peers: CPU time of a process that
//! makes many one after the other, its connections and its table warm.
//!
//! `cargo bench -p kadscope-dht --bench beside_go [-- ROUNDS [PEERS]]`; `peers/build.sh go` comes first. The network, and
//! each side of each round, is a process of its own; sides take turns. Our pool has room for connections to all of the 200 peers
//! that there are by default; of more than 256 it lets the longest idle go, and dials are measured as well.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark prints, and may fail")]

#[path = "beside_go/client.rs"]
mod client;

use std::{
    io::{BufRead, BufReader, Read as _},
    path::Path,
    process::{Child, Command, Stdio},
};

use client::Client;
use serde_json::{Value, json};
use testnet::{Scenario, WireTestnet};

/// How many lookups come before what is measured, and how many of each kind are.
const WARM: u64 = 50;
const COUNT: u64 = 100;

/// What is measured, as the name of its figure and for people.
const KINDS: [(&str, &str); 3] = [
    ("found_us", "a lookup that ends with the first provider"),
    ("unknown_us", "a lookup of what nobody provides"),
    ("provide_us", "a provide"),
];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    match args.split_first() {
        Some((mode, rest)) if mode == "--network" => runtime.block_on(be_the_network(&rest[0])),
        Some((mode, rest)) if mode == "--ours" => runtime.block_on(measure(&rest[0], &rest[1..])),
        _ => compare(&args),
    }
}

/// The network, until the input ends.
async fn be_the_network(peers: &str) {
    let peers = peers.parse().expect("a number");
    let scenario = Scenario::named("healthy").expect("built in").with_peers(peers);
    let testnet = WireTestnet::start(&scenario).await.expect("a testnet");
    let bootstrap: Vec<String> = testnet.bootstrap_addresses().iter().map(ToString::to_string).collect();
    println!("{}", bootstrap.join(" "));
    let end = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    end.await.expect("no panic").expect("an end");
    testnet.stop().await;
}

/// Our side of one round.
async fn measure(seed: &str, bootstrap: &[String]) {
    let key = |kind: &str, number| format!("{seed} {kind} {number}").into_bytes();
    let mut publisher = Client::join(bootstrap).await;
    for number in 0..COUNT {
        publisher.provide(key("found", number)).await;
    }
    drop(publisher);
    let mut client = Client::join(bootstrap).await;
    for number in 0..WARM {
        client.find_closest(key("warm", number)).await;
    }
    let (mut found, mut unknown) = (0, 0);
    let mut times = [client::spent(); 4];
    for number in 0..COUNT {
        found += client.find_provider(key("found", number)).await;
    }
    times[1] = client::spent();
    for number in 0..COUNT {
        unknown += client.find_provider(key("unknown", number)).await;
    }
    times[2] = client::spent();
    for number in 0..COUNT {
        client.provide(key("provide", number)).await;
    }
    times[3] = client::spent();
    assert_eq!(unknown, 0, "nobody provides it");
    let us = |n: usize| times[n + 1].saturating_sub(times[n]).as_secs_f64() * 1e6 / COUNT as f64;
    println!("{}", json!({ "found_us": us(0), "unknown_us": us(1), "provide_us": us(2), "found": found }));
}

/// Both sides in turns, and what they come to.
fn compare(args: &[String]) {
    let number = |n: usize, default| args.get(n).map_or(default, |text| text.parse().expect("a number"));
    let (rounds, peers) = (number(0, 11_u32), number(1, 200_u32));
    let go = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../peers/bin/dhtcost");
    assert!(go.exists(), "the other side is missing: build it with peers/build.sh go");
    let ours = std::env::current_exe().expect("a path");
    let mut network = Command::new(&ours)
        .args(["--network", &peers.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the network");
    let bootstrap = first_line(&mut network);
    let bootstrap: Vec<&str> = bootstrap.split_whitespace().collect();
    let mut answers: [Vec<Value>; 2] = [Vec::new(), Vec::new()];
    for round in 0..rounds {
        let (seed, count, warm) = (round.to_string(), COUNT.to_string(), WARM.to_string());
        answers[0].push(json_of(Command::new(&ours).args(["--ours", &seed]).args(&bootstrap)));
        let go_args = ["-seed", &seed, "-count", &count, "-warm", &warm];
        answers[1].push(json_of(Command::new(&go).args(go_args).args(&bootstrap)));
    }
    println!("{rounds} rounds, {peers} peers; medians of CPU time, and from the least to the most:\n");
    println!("| | ours | Go | Go / ours |");
    println!("|---|---|---|---|");
    for (name, what) in KINDS {
        let [ours, go] = answers.each_ref().map(|side| Spread::of(side, name));
        println!("| {what} | {ours} | {go} | {:.1} |", go.median / ours.median);
    }
    let found = answers.map(|side| side.iter().filter_map(|answer| answer["found"].as_u64()).sum::<u64>());
    println!("\nOf {} providers {} were found, by Go {}.", u64::from(rounds) * COUNT, found[0], found[1]);
    drop(network.stdin.take());
    network.wait().expect("it ends");
}

/// One figure over all rounds, in microseconds.
struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

impl Spread {
    fn of(side: &[Value], name: &str) -> Self {
        let mut all: Vec<f64> = side.iter().filter_map(|answer| answer[name].as_f64()).collect();
        all.sort_by(f64::total_cmp);
        let (least, most) = (all.first().copied().expect("a round"), all.last().copied().expect("a round"));
        Self { median: all[all.len() / 2], least, most }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = |us: f64| us / 1e3;
        write!(f, "{:.2} ms ({:.2} to {:.2})", ms(self.median), ms(self.least), ms(self.most))
    }
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
    line
}

fn json_of(command: &mut Command) -> Value {
    let output = command.stderr(Stdio::inherit()).output().expect("the program");
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}
