//! Provider records that are published in a network whose truth is known.

use std::{sync::Arc, time::Duration};

use kad::{
    Keypair,
    answer::{Answer, Asked, Findings},
    fabric::{Fabric as _, Inward, Member as _, Request, Says, Service, Terms},
    message::AMINO_PROTOCOL,
    network::Network as _,
};
use net::{Addresses, FabricConfig, SocketFabric};
use rustix::process::Signal;
use serde_json::Value;

use crate::program::{Ended, Running, Testnet, kadscope, run};

/// A CID, and the multihash in it.
const CID: &str = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";
const MULTIHASH: &str = "1220c3c4733ec8affd06cf9e9ff50ffc6bcd2ec85a6170004bb709669c31de94391a";

/// Another CID.
const OTHER: &str = "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG";

/// What is promised of a publication in a network of 60 peers.
const AT_MOST: Duration = Duration::from_secs(30);

fn network(testnet: &Testnet, words: &[&str]) -> Ended {
    let bootstrap = testnet.bootstrap().join(",");
    run(words.iter().copied().chain(["--addresses", "loopback", "--bootstrap", &bootstrap]))
}

fn rows<'a>(object: &'a Value, key: &str) -> &'a [Value] {
    object[key].as_array().expect("a list")
}

#[test]
fn the_closest_peers_have_what_was_published_and_others_find_it_with_addresses() {
    let testnet = Testnet::healthy(60);
    let ended = network(&testnet, &["provide", CID, "--read-back", "--json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stderr.contains("nobody will answer at the provider's address"), "{}", ended.stderr);
    let published = ended.json();
    let holders = rows(&published, "holders");
    for holder in holders {
        assert_eq!(
            (&holder["sent"], &holder["has_record"], &holder["with_addresses"], &holder["error"]),
            (&Value::Bool(true), &Value::Bool(true), &Value::Bool(true), &Value::Null)
        );
    }
    assert!(published["duration_s"].as_f64().expect("a number") < AT_MOST.as_secs_f64());
    let closest = network(&testnet, &["lookup", "closest", MULTIHASH, "--json"]).json();
    let peers = |rows: &[Value]| rows.iter().map(|row| row["peer"].to_string()).collect::<Vec<_>>();
    assert_eq!(peers(holders), peers(rows(&closest, "closest")));
    let found = network(&testnet, &["lookup", "providers", CID, "--json"]).json();
    let [provider] = rows(&found, "found") else { panic!("one provider: {found}") };
    assert_eq!(provider["peer"], published["provider"]);
    let at: Vec<&Value> = rows(provider, "addresses").iter().map(|known| &known["address"]).collect();
    assert_eq!(at, rows(&published, "addresses").iter().collect::<Vec<_>>());
    let addresses = rows(&published, "addresses").iter().map(|address| address.as_str().expect("a text"));
    let mut parts: Vec<_> = addresses.map(|address| address.split('/').nth(3)).collect();
    parts.sort_unstable();
    assert_eq!(parts, [Some("tcp"), Some("udp")]);
}

#[test]
fn each_key_is_a_row_and_who_was_not_asked_again_is_not_said_to_have_it() {
    let testnet = Testnet::healthy(20);
    let ended = network(&testnet, &["provide", CID, OTHER, "--json"]);
    assert_eq!(ended.code, 0);
    let rows: Vec<Value> =
        ended.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let keys: Vec<_> = rows.iter().map(|row| row["key"].as_str().expect("a key")).collect();
    assert_eq!(keys, [CID, OTHER]);
    for row in rows {
        assert_eq!((&row["sent"], &row["have_record"]), (&20.into(), &Value::Null));
        assert!(self::rows(&row, "holders").iter().all(|holder| holder["has_record"].is_null()));
    }
    let people = network(&testnet, &["provide", CID, "--read-back"]);
    assert!(people.stdout.contains("20 peers were sent the record in "), "{}", people.stdout);
    assert!(people.stdout.contains(", 20 of them have it:"), "{}", people.stdout);
}

#[test]
fn a_provider_that_serves_is_reachable_until_it_is_stopped() {
    let testnet = Testnet::healthy(30);
    let bootstrap = testnet.bootstrap().join(",");
    let args = ["provide", CID, "--serve-for", "1h", "--addresses", "loopback", "--bootstrap", &bootstrap];
    let mut provide = Running::start(&mut kadscope(args));
    provide.await_stderr(|line| line.contains("serving as"));
    let looked_up = network(&testnet, &["lookup", "providers", CID, "--dial", "--json"]);
    assert_eq!(looked_up.code, 5, "it has no content to give");
    let found = looked_up.json();
    let [provider] = rows(&found, "found") else { panic!("one provider: {found}") };
    assert_eq!(provider["dialled"]["reachable"], true, "{provider}");
    assert_eq!(found["retrieval"]["verdict"], "no_protocol");
    let dialled = rows(&provider["dialled"], "addresses");
    assert!(dialled.iter().all(|address| address["outcome"] == "connected"), "{provider}");
    provide.send(Signal::INT);
    let ended = provide.wait();
    assert_eq!(ended.code, 130);
    assert!(!ended.stderr.contains("nobody will answer"), "{}", ended.stderr);
    let gone = network(&testnet, &["lookup", "providers", CID, "--dial", "--json"]).json();
    assert_eq!(gone["found"][0]["dialled"]["reachable"], false);
    assert_eq!(gone["retrieval"]["verdict"], "refused");
}

/// A server that knows nobody, and takes records without keeping any.
#[derive(Debug)]
struct Forgetful;

impl Service for Forgetful {
    async fn answer(&self, request: Request) -> Answer {
        match Asked::read(&request.message, &request.from.to_bytes()) {
            Ok(Asked::Lookup(lookup)) => Answer::Message(lookup.answer(b"", b"", &Findings::default())),
            Ok(Asked::Provide(_)) => Answer::Nothing,
            _ => Answer::Reset,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_keeps_is_5_and_a_network_that_is_silent_is_4() {
    let says = Says { kad_protocols: vec![AMINO_PROTOCOL.to_owned()], ..Says::default() };
    let listen = vec!["/ip4/127.0.0.1/tcp/0".parse().expect("an address")];
    let terms = Terms { keypair: Keypair::generate_ed25519(), says, listen, inward: Inward::Served };
    let fabric = SocketFabric::new(FabricConfig::new(Addresses::Loopback));
    let server = fabric.join(terms, Arc::new(Forgetful)).await.expect("a server");
    let at = format!("{}/p2p/{}", server.listens()[0], server.local());
    let provide = |more: &[&str], at: &str| {
        let words = ["provide", CID, "--json", "--addresses", "loopback", "--bootstrap", at];
        run(words.iter().chain(more))
    };
    let ended = provide(&["--read-back"], &at);
    assert_eq!(ended.code, 5, "{ended:?}");
    let holder = &ended.json()["holders"][0];
    assert_eq!((&holder["sent"], &holder["has_record"]), (&Value::Bool(true), &Value::Bool(false)));
    assert_eq!(provide(&[], &at).code, 0, "as far as is known without asking");
    server.clone().leave().await;
    let ended = provide(&["--read-back"], &at);
    assert_eq!((ended.code, ended.stdout.as_str()), (4, ""), "{ended:?}");
    assert!(ended.stderr.contains("connection_refused"), "{}", ended.stderr);
}

#[test]
fn a_public_network_is_asked_about_and_what_cannot_be_provided_is_2() {
    let testnet = Testnet::healthy(20);
    let bootstrap = testnet.bootstrap().join(",");
    let any = ["provide", CID, "--addresses", "any", "--bootstrap", &bootstrap];
    let ended = run(any);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "nobody can be asked: {ended:?}");
    assert!(ended.stderr.contains("--yes says to give 1 record each to 20 strangers"), "{}", ended.stderr);
    for (words, said) in [
        (&["provide", "hello"][..], "neither a CID"),
        (
            &["provide", "/ipns/k51qzi5uqu5dgutdk6i1ynyzgkqngpha5xpgia3a5qqp4jsh0u4csozksxel2r"],
            "cannot be provided",
        ),
        (&["provide", CID, "--announce", "/ip4/8.8.8.8/tcp/1"], "which --announce names: public"),
        (&["provide", CID, "--listen", "tcp/1"], "no multiaddress"),
        (&["provide"], "<CID>"),
    ] {
        let ended = network(&testnet, words);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{words:?}");
        assert!(ended.stderr.contains(said), "{words:?}: {}", ended.stderr);
    }
    let found = network(&testnet, &["lookup", "providers", CID, "--json"]);
    assert_eq!(found.code, 5, "nothing was published");
}
