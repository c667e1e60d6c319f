//! Kubo daemons and peers of ours in one world: a node of ours stands in Kubo's own tables, and what either publishes the
//! other finds.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::{
    kubo::{ipfs, ipfs_line},
    program::{Network, kadscope, peer_program},
    world::World,
};

/// How many daemons.
const DAEMONS: usize = 2;

/// A world that is soon known by all who are in it.
const WORLD: &str = "peers = 60\n[transports]\nboth = 1.0\n";

/// How often our node refreshes its table, in seconds, where nothing else is said.
const REFRESH_S: u64 = 5;

/// How long it may take until our node stands in the daemons' tables: they are asked by it when it has heard of them.
const ADMITTED_WITHIN: Duration = Duration::from_secs(120);

/// Where our node and our provider live.
const NODE: &str = "18.9.0.1";
const PROVIDER: &str = "18.8.0.1";

/// For how long our provider stays.
const SERVES: &str = "5m";

/// A CID that nobody has.
const OURS: &str = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";

/// Daemons in a world. They end before it.
struct Daemons {
    network: Network,
    world: World,
    home: TempDir,
}

impl Daemons {
    fn start() -> Self {
        let world = World::of(WORLD);
        let home = tempfile::tempdir().expect("a directory");
        let mut run = world.command(peer_program("kubo/run.sh"));
        run.arg(DAEMONS.to_string()).arg(home.path().join("daemons")).arg("18").args(world.bootstrap());
        let network = Network::start(&mut run);
        Self { network, world, home }
    }

    /// The repository of a daemon, the first of which is 1.
    fn repository(&self, daemon: usize) -> PathBuf {
        self.home.path().join("daemons").join(daemon.to_string())
    }

    /// A program in a house of its own there.
    fn housed(&self, ip: &str, program: impl AsRef<Path>) -> Command {
        let mut command = self.world.command(peer_program("house.sh"));
        command.arg(ip).arg(program.as_ref());
        command
    }

    /// Our node, which begins at peers of the world alone.
    fn node(&self, refresh_s: u64) -> Network {
        let mut node = self.housed(NODE, env!("CARGO_BIN_EXE_interop-node"));
        let listen = format!("/ip4/{NODE}/tcp/4001,/ip4/{NODE}/udp/4001/quic-v1");
        Network::start(node.arg(refresh_s.to_string()).arg(listen).args(self.world.bootstrap()))
    }

    /// Who of the daemons has that peer in its table of the network, by its own word.
    fn listing(&mut self, peer: &str) -> BTreeSet<String> {
        let tables = self.network.truth().tables().into_iter();
        tables.filter(|(_, listed)| listed.contains(peer)).map(|(daemon, _)| daemon).collect()
    }

    /// Waits until all of them have it.
    fn await_admission(&mut self, peer: &str) {
        let start = Instant::now();
        while self.listing(peer).len() < DAEMONS {
            assert!(start.elapsed() < ADMITTED_WITHIN, "listed by {:?} only", self.listing(peer));
        }
    }

    /// Runs our program in the world, and reads the one object that it prints.
    #[track_caller]
    fn kadscope(&self, words: &[&str]) -> Value {
        self.kadscope_ends(words, 0)
    }

    /// The same of one that ends by that code.
    #[track_caller]
    fn kadscope_ends(&self, words: &[&str], code: i32) -> Value {
        let mut command = self.world.command(kadscope().get_program());
        let output = command.args(words).arg("--json").output().expect("kadscope starts");
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        serde_json::from_slice(&output.stdout).expect("JSON")
    }
}

/// A provider of ours, which stays until it is dropped.
struct Provider {
    child: Child,
    published: Value,
}

impl Provider {
    /// Starts it, and waits until it has published.
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        stdout.read_line(&mut line).expect("a readable line");
        let published = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        Self { child, published }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn id_of(network: &Network) -> String {
    network.announcement()["id"].as_str().expect("an id").to_owned()
}

fn texts(list: &Value) -> BTreeSet<&str> {
    list.as_array().expect("a list").iter().map(|text| text.as_str().expect("a text")).collect()
}

#[test]
fn a_node_of_ours_stands_in_kubos_own_tables_and_they_in_its() {
    let mut daemons = Daemons::start();
    let mut node = daemons.node(REFRESH_S);
    let own = id_of(&node);
    daemons.await_admission(&own);
    let table = node.obey("table");
    let ids: Vec<String> = daemons.network.truth().peers.into_iter().map(|daemon| daemon.id).collect();
    assert!(ids.iter().all(|id| texts(&table["table"]).contains(id.as_str())), "{ids:?}: {table}");
    // Kubo finds it as it finds anybody.
    let addresses = ipfs_line(&daemons.repository(1), ["routing", "findpeer", &own]);
    assert!(addresses.lines().any(|address| address == format!("/ip4/{NODE}/tcp/4001")), "{addresses}");
}

#[test]
fn what_kubo_publishes_our_lookups_find_and_what_we_provide_kubo_finds() {
    let daemons = Daemons::start();
    let [first, second] = [1, 2].map(|daemon| daemons.repository(daemon));
    let id = ipfs_line(&first, ["id", "-f", "<id>"]);
    let file = daemons.home.path().join("file");
    fs::write(&file, &id).expect("a file");
    let cid = ipfs_line(&first, ["add", "-Q", file.to_str().expect("UTF-8")]);
    ipfs(&first, ["routing", "provide", &cid]);

    let retrieval = ["lookup", "providers", &cid, "--dial"];
    let found = daemons.kadscope(&retrieval);
    let [provider] = &found["found"].as_array().expect("a list")[..] else { panic!("one provider: {found}") };
    assert_eq!(provider["peer"], id.as_str());
    let known = provider["addresses"].as_array().expect("a list").iter();
    let known: Value = known.map(|known| known["address"].clone()).collect();
    assert!(texts(&known).contains("/ip4/18.1.0.1/tcp/4001"), "{provider}");
    let dialled = &provider["dialled"];
    assert_eq!(
        (&dialled["reachable"], &dialled["asked_by"]),
        (&true.into(), &"bitswap".into()),
        "{provider}"
    );
    assert_eq!(
        (&dialled["has_block"], &found["retrieval"]["verdict"]),
        (&"yes".into(), &"retrievable".into())
    );

    let peer = daemons.kadscope(&["lookup", "peer", &id]);
    let [seen] = &peer["found"].as_array().expect("a list")[..] else { panic!("one peer: {peer}") };
    assert!(texts(&seen["addresses"]).contains("/ip4/18.1.0.1/tcp/4001"), "{seen}");

    let path = format!("/ipfs/{cid}");
    ipfs(&first, ["name", "publish", "--lifetime", "1h", &path]);
    let value = daemons.kadscope(&["lookup", "value", &format!("/ipns/{id}")]);
    assert!(value.to_string().contains(&path), "{value}");

    // It says so still when it has lost the block, and of what it never had nobody says anything.
    ipfs(&first, ["pin", "rm", &cid]);
    ipfs(&first, ["block", "rm", &cid]);
    let lost = daemons.kadscope_ends(&retrieval, 5);
    assert_eq!(lost["retrieval"]["verdict"], "no_block", "{lost}");
    let never = daemons.kadscope_ends(&["lookup", "providers", OURS, "--dial"], 5);
    assert_eq!(never["retrieval"]["verdict"], "no_record", "{never}");

    let mut provide = daemons.housed(PROVIDER, kadscope().get_program());
    let provider = Provider::start(provide.args(["provide", OURS, "--yes", "--json", "--serve-for", SERVES]));
    let published = &provider.published;
    let provider = published["provider"].as_str().expect("an id");
    let found = ipfs_line(&second, ["routing", "findprovs", "-n", "1", OURS]);
    assert_eq!(found, provider, "{published}");
}

/// Kubo's own times, which take up to an hour: by hand.
#[cfg(feature = "by-hand")]
mod by_hand {
    use kad::table::{REFRESH_INTERVAL, answer_grace};
    use tokio::time::sleep;

    use super::*;

    /// Between two looks at the daemons' tables.
    const PAUSE: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn a_node_of_ours_stays_in_kubos_tables_for_three_of_its_refreshes() {
        let mut daemons = Daemons::start();
        let node = daemons.node(REFRESH_INTERVAL.as_secs());
        let own = id_of(&node);
        daemons.await_admission(&own);
        let start = Instant::now();
        while start.elapsed() < 3 * REFRESH_INTERVAL + PAUSE {
            sleep(PAUSE).await;
            let listing = daemons.listing(&own);
            assert_eq!(listing.len(), DAEMONS, "listed by {listing:?} only after {:?}", start.elapsed());
        }
    }

    #[tokio::test]
    async fn a_node_of_ours_that_left_is_in_no_table_of_kubos_after_its_own_time() {
        let mut daemons = Daemons::start();
        let node = daemons.node(REFRESH_S);
        let own = id_of(&node);
        daemons.await_admission(&own);
        drop(node);
        let start = Instant::now();
        while !daemons.listing(&own).is_empty() {
            let listing = daemons.listing(&own);
            let most = answer_grace(20, 10, REFRESH_INTERVAL) + 2 * REFRESH_INTERVAL;
            assert!(start.elapsed() < most, "listed by {listing:?} still");
            sleep(PAUSE).await;
        }
    }
}
