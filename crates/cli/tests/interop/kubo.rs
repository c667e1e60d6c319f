//! Kubo daemons: a private network of them in a namespace of its own, and guests of a world of ours.

use std::{collections::BTreeSet, fs, path::Path, process::Command, time::Duration};

use serde_json::json;

use crate::{
    crawl::{Crawl, Crawled, while_still},
    program::{Network, kadscope, peer_program},
    space::Space,
    truth::{Generated, Peer, Truth},
    world::World,
};

const DAEMONS: usize = 5;

/// What each of them says that it is.
const AGENT: &str = "kubo/0.43.0";

/// Their DHT, where all of them have private addresses.
const PROTOCOL: &[&str] = &["--protocol", "/ipfs/lan/kad/1.0.0"];

#[test]
fn a_network_of_kubo_daemons_is_seen_as_it_is() {
    let space = Space::new();
    let home = tempfile::tempdir().expect("a directory");
    let mut network = space.command(peer_program("kubo/run.sh"));
    network.arg(DAEMONS.to_string()).arg(home.path());
    let mut network = Network::start(&mut network);
    let crawl = |begin: &[String]| Crawl::by(space.command(kadscope().get_program()), begin, PROTOCOL);

    let begin = network.bootstrap();
    let (truth, crawled) = while_still(&mut network, |_| crawl(&begin));
    crawled.assert_equals(&truth);
    assert_eq!(crawled.summary["agents"], json!({AGENT: DAEMONS}));

    for (part, transport, security) in [("/tcp/", "tcp", "noise"), ("/quic-v1", "quic", "tls")] {
        // All begin at once, so that no other address is known of any of them.
        let (truth, crawled) = while_still(&mut network, |truth| crawl(&truth.addresses_with(part)));
        crawled.assert_equals(&truth);
        assert_eq!(crawled.summary["transports"], json!({transport: DAEMONS}));
        assert_eq!(crawled.summary["security"], json!({security: DAEMONS}));
    }
}

/// A world whose peers do not say that they are these daemons, though some say that they are others.
pub(crate) const WORLD: &str = r#"
peers = 300
[transports]
tcp = 0.3
quic = 0.2
both = 0.5
[addresses]
ip4 = 0.6
dual = 0.4
shared = 0.2
[[agents]]
name = "kubo/0.39.0/desktop"
share = 0.6
protocols = ["/ipfs/bitswap/1.2.0"]
[[agents]]
name = "rust-libp2p/0.57.0"
share = 0.4
protocols = []
"#;

/// How long the daemons may take to be known of by some peers of the world.
const KNOWN_WITHIN: Duration = Duration::from_secs(90);

/// Asks a daemon, which has a minute.
pub(crate) fn ipfs<const N: usize>(repository: &Path, args: [&str; N]) -> Vec<u8> {
    let mut ipfs = Command::new(peer_program("bin/ipfs"));
    let output = ipfs.env("IPFS_PATH", repository).args(["--timeout", "60s"]).args(args).output();
    let output = output.expect("ipfs starts");
    assert!(output.status.success(), "{args:?}: {output:?}");
    output.stdout
}

pub(crate) fn ipfs_line<const N: usize>(repository: &Path, args: [&str; N]) -> String {
    String::from_utf8(ipfs(repository, args)).expect("UTF-8").trim().to_owned()
}

/// Crawls, at our defaults, until all daemons are known of.
fn crawl_until_known(world: &World, daemons: &BTreeSet<&String>) -> Crawled {
    let start = tokio::time::Instant::now();
    loop {
        let crawled = Crawl::at_defaults(world.command(kadscope().get_program())).run();
        if daemons.iter().all(|id| crawled.visits.contains_key(*id)) {
            return crawled;
        }
        assert!(start.elapsed() < KNOWN_WITHIN, "{}", crawled.summary);
    }
}

/// Whether everybody was seen as they are: nobody else, and nobody under another name.
#[track_caller]
fn assert_sees_exactly(crawled: &Crawled, virtual_peers: &Generated, daemons: &Truth) {
    let names = virtual_peers.peers.iter().map(|peer| (&peer.id, &peer.agent));
    let names = names.chain(daemons.peers.iter().map(|peer| (&peer.id, &peer.agent)));
    let names: BTreeSet<_> = names.collect();
    let seen =
        crawled.visits.iter().map(|(id, visit)| (id, visit.met.agent_version.as_ref().expect("an agent")));
    assert_eq!(seen.collect::<BTreeSet<_>>(), names);
    assert!(crawled.visits.values().all(schema::Visit::is_reachable), "{}", crawled.summary);
    assert_eq!(crawled.summary["agents"][AGENT], json!(DAEMONS));

    let is_guest = |id: &String| daemons.peers.iter().any(|peer| peer.id == *id);
    let mut tables = crawled.tables.clone();
    tables.retain(|id, _| !is_guest(id));
    for table in tables.values_mut() {
        table.retain(|id| !is_guest(id));
    }
    assert_eq!(tables, virtual_peers.tables());
}

#[test]
fn kubo_daemons_live_in_our_world_and_a_crawl_sees_exactly_them() {
    let world = World::of(WORLD);
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path().join("daemons");
    let ids: BTreeSet<String> = world
        .bootstrap()
        .iter()
        .filter_map(|address| Some(address.rsplit_once("/p2p/")?.1.to_owned()))
        .collect();
    let begin = ids.iter().map(|id| format!("{}/p2p/{id}", world.bootstrap_name()));
    let mut run = world.command(peer_program("kubo/run.sh"));
    run.arg(DAEMONS.to_string()).arg(&dir).arg("18").args(begin);
    let mut network = Network::start(&mut run);
    assert_eq!(network.announcement()["protocol"], kad::message::AMINO_PROTOCOL);
    let daemons = network.truth();
    assert!(daemons.peers.len() == DAEMONS && daemons.peers.iter().all(|peer| peer.agent == AGENT));

    let [first, third] = ["1", "3"].map(|daemon| dir.join(daemon));
    let file = home.path().join("file");
    fs::write(&file, ids.first().expect("an id")).expect("a file");
    let cid = ipfs_line(&first, ["add", "-Q", file.to_str().expect("UTF-8")]);
    ipfs(&first, ["routing", "provide", &cid]);
    let provider = ipfs_line(&third, ["routing", "findprovs", "-n", "1", &cid]);
    assert_eq!(provider, ipfs_line(&first, ["id", "-f", "<id>"]));
    assert_eq!(ipfs(&third, ["cat", &cid]), fs::read(&file).expect("a file"));

    let crawled = crawl_until_known(&world, &daemons.peers.iter().map(|peer| &peer.id).collect());
    assert_sees_exactly(&crawled, &world.truth(), &daemons);
    // Having begun at peers of the world alone, they know of each other; those who came last at the least.
    let knows_others = |daemon: &Peer| {
        let mut others = daemons.peers.iter().filter(|other| other.id != daemon.id);
        others.any(|other| crawled.tables[&daemon.id].contains(&other.id))
    };
    assert!(daemons.peers.iter().any(knows_others), "{:?}", crawled.tables);
}

#[test]
fn a_gateway_of_kubo_is_asked_over_http_for_what_it_has() {
    let space = Space::new();
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path().join("daemons");
    let mut run = space.command(peer_program("kubo/run.sh"));
    let network = Network::start(run.arg("2").arg(&dir));
    let daemon = dir.join("1");
    let gateway = fs::read_to_string(daemon.join("gateway")).expect("where its gateway is");
    let port = gateway.trim().rsplit(':').next().expect("a port").trim_end_matches('/').to_owned();
    let file = home.path().join("file");
    fs::write(&file, "a block").expect("a file");
    let mut add = space.command(peer_program("bin/ipfs"));
    let added = add.env("IPFS_PATH", &daemon).args(["add", "-Q"]).arg(&file).output().expect("ipfs starts");
    assert!(added.status.success(), "{added:?}");
    let has = String::from_utf8(added.stdout).expect("UTF-8").trim().to_owned();
    let has_not = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";

    let bootstrap = network.bootstrap().join(",");
    let kadscope = |words: &[&str]| {
        let mut command = space.command(kadscope().get_program());
        command.args(words).args(PROTOCOL).args([
            "--json",
            "--addresses",
            "loopback",
            "--bootstrap",
            &bootstrap,
        ]);
        let output = command.output().expect("kadscope starts");
        let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code(), said, output)
    };
    let at = format!("/ip4/127.0.0.1/tcp/{port}/http");
    for (cid, code, verdict) in [(has.as_str(), 0, "retrievable"), (has_not, 5, "no_block")] {
        let (provided, _, output) = kadscope(&["provide", cid, "--announce", &at]);
        assert_eq!(provided, Some(0), "{output:?}");
        let (ended, said, output) = kadscope(&["lookup", "providers", cid, "--dial"]);
        assert_eq!((ended, &said["retrieval"]["verdict"]), (Some(code), &verdict.into()), "{output:?}");
        // Of what it has it says itself that it provides it, too.
        let providers = said["found"].as_array().expect("a list").iter();
        let mut gateways = providers.filter(|row| row["addresses"][0]["address"] == at.as_str());
        let dialled = &gateways.next().expect("the one that we announced")["dialled"];
        assert_eq!(
            (&dialled["verdict"], &dialled["asked_by"]),
            (&verdict.into(), &"http".into()),
            "{dialled}"
        );
    }
}
