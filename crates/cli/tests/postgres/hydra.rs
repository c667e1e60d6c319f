//! Two hydras over one database: what one is told the other answers, none of their heads is in both, and one that is killed while
//! it is given records comes back as it was.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use tokio::time::Instant;

use crate::server::{PASSWORD, Server};

/// The seed of both.
const SEED: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// How soon another process answers with what one was told.
const SHARED_WITHIN: Duration = Duration::from_secs(1);

/// How old a record is at least that a kill must not lose.
const KEPT_AFTER: Duration = Duration::from_secs(1);

/// A hydra, until it is killed.
struct Hydra {
    child: Child,
    announced: Value,
    _stdout: BufReader<ChildStdout>,
}

impl Hydra {
    /// Heads with these indices from that port on, over a database.
    fn start(indices: &str, port: u16, database: &str) -> Self {
        let mut command = program();
        command.args(["hydra", "--alone", "--state", "none", "--ui", "none", "--json", "--no-prefetch"]);
        command.args(["--addresses", "loopback", "--listen", "127.0.0.1", "--port", &port.to_string()]);
        command.args(["--indices", indices, "--belly", database]).env("KADSCOPE_HYDRA_SEED", SEED);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        Self { announced: serde_json::from_str(&line).unwrap(), child, _stdout: stdout }
    }

    fn ids(&self) -> BTreeSet<&str> {
        self.announced["heads"]
            .as_array()
            .unwrap()
            .iter()
            .map(|head| head["peer_id"].as_str().unwrap())
            .collect()
    }

    /// Where its first head is.
    fn address(&self) -> String {
        let head = &self.announced["heads"][0];
        let addrs = head["addrs"].as_array().unwrap();
        let tcp =
            addrs.iter().map(|addr| addr.as_str().unwrap()).find(|addr| addr.contains("/tcp/")).unwrap();
        let id = head["peer_id"].as_str().unwrap();
        if tcp.contains("/p2p/") { tcp.to_owned() } else { format!("{tcp}/p2p/{id}") }
    }
}

impl Drop for Hydra {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kadscope"));
    command.env_clear().env("PGPASSWORD", PASSWORD).stdin(Stdio::null());
    command
}

/// The number of a key that nobody else has.
fn key(number: u32) -> String {
    format!("0x1220{number:064x}")
}

fn provide(at: &Hydra, key: &str) -> bool {
    let mut command = program();
    command.args([
        "provide",
        key,
        "--yes",
        "--json",
        "--addresses",
        "loopback",
        "--bootstrap",
        &at.address(),
    ]);
    command.output().unwrap().status.success()
}

fn is_found(at: &Hydra, key: &str) -> bool {
    let mut command = program();
    command.args([
        "lookup",
        "providers",
        key,
        "--json",
        "--addresses",
        "loopback",
        "--bootstrap",
        &at.address(),
    ]);
    command.output().unwrap().status.success()
}

#[test]
fn what_one_of_two_hydras_is_told_the_other_answers_and_a_kill_loses_a_second_at_most() {
    let server = Server::start();
    let database = format!("postgres://postgres@127.0.0.1:{}/{}", server.socket().1, server.database());
    let even = Hydra::start("0..10:2", 21_400, &database);
    let odd = Hydra::start("1..10:2", 21_410, &database);
    assert!(even.ids().is_disjoint(&odd.ids()) && even.ids().len() == 5);

    assert!(provide(&even, &key(1)));
    let told = Instant::now();
    loop {
        let asked = told.elapsed();
        if is_found(&odd, &key(1)) {
            break;
        }
        assert!(asked < SHARED_WITHIN, "it is not there when it is asked for {asked:?} later");
    }
    assert!(!is_found(&odd, &key(2)));

    // Given records until it is killed.
    let mut given = Vec::new();
    for number in 10..20 {
        assert!(provide(&even, &key(number)));
        given.push((number, Instant::now()));
    }
    let before: Vec<String> = even.ids().into_iter().map(str::to_owned).collect();
    drop(even);
    let killed = Instant::now();
    let again = Hydra::start("0..10:2", 21_400, &database);
    assert_eq!(again.ids().into_iter().map(str::to_owned).collect::<Vec<_>>(), before);
    for (number, told) in given {
        if killed.duration_since(told) > KEPT_AFTER {
            assert!(is_found(&again, &key(number)), "record {number} is lost");
        }
    }
}
