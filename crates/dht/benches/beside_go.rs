//! What lookups and provides cost, beside go-libp2p-kad-dht on the same network of loopback peers: CPU time of a process that
//! makes many one after the other, its connections and its table warm, in the program and in the kernel.
//!
//! `cargo bench -p kadscope-dht --bench beside_go [-- ROUNDS [PEERS]]`; `peers/build.sh go` comes first. The network, and
//! each side of each round, is a process of its own; sides take turns. Both keep every connection that they make (Go's closes
//! none that is younger than a minute), and say how many they made while they were measured. Ours has one thread, as whoever
//! makes one lookup at a time; with `-- ROUNDS PEERS 2` it has two, as a program that does more beside it.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark prints, and may fail")]

#[path = "beside_go/client.rs"]
mod client;
#[path = "beside_go/cost.rs"]
mod cost;

use std::{
    io::{BufRead, BufReader, Read as _},
    path::Path,
    process::{Child, Command, Stdio},
};

use client::Client;
use cost::{Meter, Spread};
use serde_json::{Value, json};
use testnet::{Scenario, WireTestnet};
use tokio::runtime::{Builder, Runtime};

/// How many lookups come before what is measured, and how many of each kind are.
const WARM: u32 = 50;
const COUNT: u32 = 100;

/// The most connections that our side keeps: more than there are peers.
const CONNECTIONS: usize = 1 << 14;

/// What is measured, by its name and for people.
const KINDS: [(&str, &str); 3] = [
    ("found", "a lookup that ends with the first provider"),
    ("unknown", "a lookup of what nobody provides"),
    ("provide", "a provide"),
];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.split_first() {
        Some((mode, rest)) if mode == "--network" => runtime(2).block_on(be_the_network(&rest[0])),
        Some((mode, rest)) if mode == "--ours" => {
            runtime(rest[0].parse().expect("a number")).block_on(measure(&rest[1], rest[2..].to_vec()));
        }
        _ => compare(&args),
    }
}

fn runtime(threads: usize) -> Runtime {
    let mut builder = if threads == 1 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    builder.worker_threads(threads).enable_all().build().expect("a runtime")
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
async fn measure(seed: &str, bootstrap: Vec<String>) {
    let key = |kind: &str, number| format!("{seed} {kind} {number}").into_bytes();
    let mut publisher = Client::join(&bootstrap, CONNECTIONS).await;
    for number in 0..COUNT {
        publisher.provide(key("found", number)).await;
    }
    drop(publisher);
    let mut client = Client::join(&bootstrap, CONNECTIONS).await;
    for number in 0..WARM {
        client.find_closest(key("warm", number)).await;
    }
    let (mut found, mut unknown) = (0, 0);
    let mut meter = Meter::new(client.connections());
    for number in 0..COUNT {
        found += client.find_provider(key("found", number)).await;
    }
    let found_cost = meter.lap(COUNT, client.connections());
    for number in 0..COUNT {
        unknown += client.find_provider(key("unknown", number)).await;
    }
    let unknown_cost = meter.lap(COUNT, client.connections());
    for number in 0..COUNT {
        client.provide(key("provide", number)).await;
    }
    let provide_cost = meter.lap(COUNT, client.connections());
    assert_eq!(unknown, 0, "nobody provides it");
    println!(
        "{}",
        json!({
            "found": found_cost, "unknown": unknown_cost, "provide": provide_cost,
            "providers": found, "connections": client.connections(),
        })
    );
}

/// Both sides in turns, and what they come to.
fn compare(args: &[String]) {
    let number = |n: usize, default| args.get(n).map_or(default, |text| text.parse().expect("a number"));
    let (rounds, peers, threads) = (number(0, 11_u32), number(1, 200_u32), number(2, 1_u32));
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
        let ours_args = ["--ours", &threads.to_string(), &seed];
        answers[0].push(json_of(Command::new(&ours).args(ours_args).args(&bootstrap)));
        let go_args = ["-seed", &seed, "-count", &count, "-warm", &warm];
        answers[1].push(json_of(Command::new(&go).args(go_args).args(&bootstrap)));
    }
    println!(
        "{rounds} rounds, {peers} peers, ours on {threads} threads; medians of CPU time, from the least to the"
    );
    println!("most, in brackets what of the median is the kernel's:\n");
    println!("| | ours | Go | Go / ours | dials of a round, ours and Go's |");
    println!("|---|---|---|---|---|");
    for (name, what) in KINDS {
        let [ours, go] = answers.each_ref().map(|side| Spread::of(side, name));
        let (ratio, dials) = (go.median / ours.median, (ours.dials, go.dials));
        println!("| {what} | {ours} | {go} | {ratio:.1} | {:.0}, {:.0} |", dials.0, dials.1);
    }
    let sum =
        |side: &Vec<Value>, name: &str| side.iter().filter_map(|answer| answer[name].as_u64()).sum::<u64>();
    let [found, kept] =
        ["providers", "connections"].map(|name| answers.each_ref().map(|side| sum(side, name)));
    let all = u64::from(rounds * COUNT);
    println!("\nOf {all} providers {} were found, by Go {}.", found[0], found[1]);
    let each = kept.map(|all| all / u64::from(rounds).max(1));
    println!("Connections in the end: {}, Go's {}.", each[0], each[1]);
    drop(network.stdin.take());
    network.wait().expect("it ends");
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
