//! Heads of ours among peers of others: Kubo publishes and finds through them alone, and so do clients of go-libp2p-kad-dht; a crawl
//! sees exactly them.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::{
    crawl::Crawl,
    kubo::{ipfs, ipfs_line},
    program::{Network, command, kadscope, peer_program},
    truth::Generated,
    world::World,
};

/// How many heads live in the world: so many that some are among the twenty closest of every key.
const HEADS: usize = 30;

/// How many daemons.
const DAEMONS: usize = 2;

/// How many files Kubo publishes.
const FILES: usize = 6;

/// A world where nobody but guests keeps what he is given: the true closest take records as it seems, and have none.
const FORGETFUL: &str = "peers = 60\n[transports]\nboth = 1.0\n\
                         [[holders]]\nname = 'swallowing'\nshare = 1.0\nswallows = true\n";

/// How long it may take until heads are known of by those who live there.
const KNOWN_WITHIN: Duration = Duration::from_secs(300);

/// A hydra. Dropped, it is told to end, and waited for.
struct Heads {
    child: Child,
    announced: Value,
    _home: TempDir,
}

impl Heads {
    /// Starts it with a belly of its own, and waits until its heads listen.
    fn start(mut command: Command, words: &[&str]) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        command.arg("hydra").args(["--json", "--ui", "none", "--state"]).arg(home.path().join("state"));
        command.args(words);
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        stdout.read_line(&mut line).expect("a readable line");
        let announced = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        Self { child, announced, _home: home }
    }

    fn ids(&self) -> BTreeSet<String> {
        let heads = self.announced["heads"].as_array().expect("a list").iter();
        heads.map(|head| head["peer_id"].as_str().expect("an id").to_owned()).collect()
    }
}

impl Drop for Heads {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // It may have ended by itself.
            kill_process(pid, Signal::TERM).ok();
        }
        drop(self.child.wait());
    }
}

/// A seed of heads, so that the test is of the same ones each time.
const SEED: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Heads in a world, each in a range of its own.
fn heads_of(world: &World) -> Heads {
    let places: Vec<_> = (0..HEADS).map(|head| format!("18.{}.0.1", 20 + head)).collect();
    let bootstrap = world.bootstrap();
    let count = HEADS.to_string();
    let mut words = vec!["--heads", &count, "--belly", "memory", "--no-prefetch", "--port", "4001"];
    let places = places.join(",");
    words.extend(["--listen", &places, "--bootstrap"]);
    words.extend(bootstrap.iter().map(String::as_str));
    let mut command = world.command(kadscope().get_program());
    command.env("KADSCOPE_HYDRA_SEED", SEED);
    Heads::start(command, &words)
}

/// Files that a daemon has, by their CIDs.
fn files(home: &TempDir, repository: &Path) -> Vec<String> {
    let added = (0..FILES).map(|number| {
        let file = home.path().join(format!("file-{number}"));
        fs::write(&file, format!("a file of ours, the {number}th")).expect("a file");
        ipfs_line(repository, ["add", "-Q", file.to_str().expect("UTF-8")])
    });
    added.collect()
}

/// Which of these CIDs a daemon finds a provider of.
fn found_by(repository: &Path, cids: &[String]) -> BTreeSet<String> {
    let finds = |cid: &&String| {
        let mut ipfs = Command::new(peer_program("bin/ipfs"));
        ipfs.env("IPFS_PATH", repository);
        let output = ipfs.args(["--timeout", "15s", "routing", "findprovs", "-n", "1", cid]).output();
        let output = output.expect("ipfs starts");
        output.stdout.starts_with(b"12D3")
    };
    cids.iter().filter(finds).cloned().collect()
}

#[tokio::test]
async fn what_kubo_publishes_another_finds_through_heads_alone() {
    let world = World::of(FORGETFUL);
    let home = tempfile::tempdir().expect("a directory");
    let mut run = world.command(peer_program("kubo/run.sh"));
    run.arg(DAEMONS.to_string()).arg(home.path().join("daemons")).arg("18").args(world.bootstrap());
    let daemons = Network::start(&mut run);
    let [first, second] = ["1", "2"].map(|daemon| home.path().join("daemons").join(daemon));
    let cids = files(&home, &first);
    let publish = || {
        for cid in &cids {
            ipfs(&first, ["routing", "provide", cid]);
        }
    };
    publish();
    // One daemon may be among those to whom the other gave a record.
    let without = found_by(&second, &cids);
    assert!(without.len() < FILES, "somebody keeps records who should not: {without:?}");

    let heads = heads_of(&world);
    await_known(&world, &heads).await;
    publish();
    assert_eq!(found_by(&second, &cids), cids.iter().cloned().collect());
    // Its keys are found through them as well.
    let id = ipfs_line(&first, ["id", "-f", "<id>"]);
    ipfs(&first, ["name", "publish", "--lifetime", "1h", &format!("/ipfs/{}", cids[0])]);
    let resolved = ipfs_line(&second, ["name", "resolve", "--nocache", &id]);
    assert_eq!(resolved, format!("/ipfs/{}", cids[0]));
    drop((daemons, heads));
}

/// Crawls until all heads are known of, and nobody else is who should not be.
async fn await_known(world: &World, heads: &Heads) {
    let (start, ids) = (Instant::now(), heads.ids());
    loop {
        let crawled = Crawl::at_defaults(world.command(kadscope().get_program())).run();
        if ids.iter().all(|id| crawled.visits.contains_key(id)) {
            return;
        }
        let known = ids.iter().filter(|id| crawled.visits.contains_key(*id)).count();
        assert!(start.elapsed() < KNOWN_WITHIN, "{known} of {HEADS} are known: {}", crawled.summary);
        sleep(Duration::from_secs(1)).await;
    }
}

/// A network of some size.
const NETWORK: &str = "peers = 300\n[transports]\ntcp = 1.0\n";

#[tokio::test]
async fn a_crawl_of_a_network_with_heads_sees_exactly_them() {
    let home = tempfile::tempdir().expect("a directory");
    let (file, truth) = (home.path().join("scenario.toml"), home.path().join("truth.json"));
    fs::write(&file, NETWORK).expect("a file");
    let mut testnet = kadscope();
    testnet.args(["testnet", "--json", "--until-eof", "--scenario"]).arg(&file).arg("--truth").arg(&truth);
    let network = Network::start(&mut testnet);
    let bootstrap = network.bootstrap();
    let mut words =
        vec!["--heads", "20", "--belly", "memory", "--addresses", "loopback", "--listen", "127.0.0.1"];
    words.push("--bootstrap");
    words.extend(bootstrap.iter().map(String::as_str));
    let mut hydra = kadscope();
    hydra.env("KADSCOPE_HYDRA_SEED", SEED);
    let heads = Heads::start(hydra, &words);
    let expected: BTreeSet<_> = Generated::read(&truth).reachable().union(&heads.ids()).cloned().collect();
    let start = Instant::now();
    loop {
        let crawled = Crawl::new(&bootstrap, &[]).run();
        let seen: BTreeSet<_> = crawled.visits.keys().cloned().collect();
        assert!(seen.is_subset(&expected), "{:?}", seen.difference(&expected).collect::<Vec<_>>());
        if seen == expected {
            let is_head = |id: &&String| heads.ids().contains(*id);
            assert!(crawled.visits.values().all(schema::Visit::is_reachable), "{}", crawled.summary);
            // Each of them names peers of the network, and other heads.
            assert!(crawled.tables.iter().filter(|(id, _)| is_head(id)).all(|(_, table)| table.len() > 20));
            return;
        }
        assert!(start.elapsed() < KNOWN_WITHIN, "{}", crawled.summary);
        sleep(Duration::from_secs(1)).await;
    }
}

/// How many of so many keys clients of Go find a provider of, once they have been provided.
fn found_by_go(bootstrap: &[String], keys: u32) -> u64 {
    let mut first = command(peer_program("bin/dhtfirst"), ["-keys", &keys.to_string(), "-clients", "10"]);
    let output = first.args(bootstrap).output().expect("dhtfirst starts");
    assert!(output.status.success(), "{output:?}");
    let seen: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    seen["found"].as_u64().expect("a number")
}

#[tokio::test]
async fn clients_of_go_find_through_heads_what_nobody_else_keeps() {
    let home = tempfile::tempdir().expect("a directory");
    let file = home.path().join("scenario.toml");
    fs::write(&file, FORGETFUL).expect("a file");
    let mut testnet = kadscope();
    let network = Network::start(testnet.args(["testnet", "--json", "--until-eof", "--scenario"]).arg(&file));
    let all = network.bootstrap();
    let bootstrap = &all[..2];
    assert_eq!(found_by_go(bootstrap, 20), 0, "nobody keeps anything");
    let mut words =
        vec!["--heads", "30", "--belly", "memory", "--addresses", "loopback", "--listen", "127.0.0.1"];
    words.push("--bootstrap");
    words.extend(all.iter().map(String::as_str));
    let mut hydra = kadscope();
    hydra.env("KADSCOPE_HYDRA_SEED", SEED);
    let heads = Heads::start(hydra, &words);
    let start = Instant::now();
    while !heads.ids().is_subset(&Crawl::new(bootstrap, &[]).run().visits.keys().cloned().collect()) {
        assert!(start.elapsed() < KNOWN_WITHIN, "heads are not known of");
        sleep(Duration::from_secs(1)).await;
    }
    // A third of all servers are heads: each key has some among the twenty closest to it, and all is found once the servers around
    // it have heard of these. That a crawl meets them is the beginning of that.
    while found_by_go(bootstrap, 100) < 100 {
        assert!(start.elapsed() < KNOWN_WITHIN, "heads are not known of where keys belong to them");
    }
}
