//! The network in which both sides are measured: a process of its own, and what it says of who lives in it.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use kad::{Contact, Multiaddr};
use serde_json::{Value, json};
use testnet::{Scenario, State, WireTestnet, World};

/// The network, until the input ends.
pub(crate) async fn be_it(scenario: &str, peers: &str) {
    let peers = peers.parse().expect("a number");
    let scenario = Scenario::named_or_load(scenario).expect("a scenario").with_peers(peers);
    let testnet = WireTestnet::start(&scenario).await.expect("a testnet");
    println!("{}", described(testnet.world()));
    let end = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    end.await.expect("no panic").expect("an end");
    testnet.stop().await;
}

/// Where it begins, and who answers.
fn described(world: &World) -> Value {
    let texts = |addrs: Vec<Multiaddr>| addrs.iter().map(ToString::to_string).collect::<Vec<_>>();
    let living = world.peers().filter(|&peer| matches!(world.state(peer), State::Online));
    let living: Vec<Value> = living
        .map(|peer| json!({ "peer": world.peer_id(peer).to_string(), "addrs": texts(world.addresses(peer)) }))
        .collect();
    json!({ "bootstrap": texts(world.bootstrap_addresses()), "living": living })
}

/// The process, and what it said.
pub(crate) struct Ground {
    process: Child,
    file: PathBuf,
    said: Value,
}

impl Ground {
    /// Begins it.
    pub(crate) fn start(scenario: &str, peers: u32) -> Self {
        let mut process = Command::new(std::env::current_exe().expect("a path"))
            .args(["--network", scenario, &peers.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the network");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let file = std::env::temp_dir().join(format!("kadscope-network-{}.json", process.id()));
        std::fs::write(&file, &line).expect("room for a file");
        Self { process, file, said: serde_json::from_str(&line).expect("one JSON object") }
    }

    /// What it said, in a file.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// The addresses to begin with.
    pub(crate) fn bootstrap(&self) -> impl Iterator<Item = &str> {
        self.said["bootstrap"].as_array().expect("a list").iter().map(|text| text.as_str().expect("a text"))
    }

    /// Who answers, and where.
    pub(crate) fn living(&self) -> Vec<Contact> {
        living(&self.said)
    }

    /// Ends it.
    pub(crate) fn stop(mut self) {
        drop(self.process.stdin.take());
        self.process.wait().expect("it ends");
        std::fs::remove_file(&self.file).expect("it was there");
    }
}

/// Who answers, and where, as the network says it.
pub(crate) fn living(said: &Value) -> Vec<Contact> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let contact = |entry: &Value| Contact {
        peer: text(&entry["peer"]).parse().expect("an id"),
        addrs: entry["addrs"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|addr| text(addr).parse().expect("an address"))
            .collect(),
    };
    said["living"].as_array().expect("a list").iter().map(contact).collect()
}
