//! Whether content can be retrieved, and if not, why: providers of every kind, on networks whose truth is known.

use std::{path::Path, time::Duration};

use kad::message::AMINO_PROTOCOL;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::{
    program::{Ended, Testnet, run},
    provider::{Habit, Holder, Provider, written},
};

/// Asks the program whether what is provided under that number can be retrieved.
async fn retrieval(testnet: &Testnet, number: u8, more: &[&str]) -> Ended {
    retrieval_from(&testnet.bootstrap().join(","), number, more).await
}

/// The same, beginning there.
async fn retrieval_from(bootstrap: &str, number: u8, more: &[&str]) -> Ended {
    let key = written(number);
    let mut words = vec!["lookup".to_owned(), "providers".to_owned(), key, "--dial".to_owned()];
    let network = ["--addresses", "loopback", "--dial-timeout", "2s", "--bootstrap", bootstrap];
    words.extend(network.iter().chain(more).map(|&word| word.to_owned()));
    tokio::task::spawn_blocking(move || run(words)).await.expect("it ends")
}

/// Checks the verdict, why it is that, and the exit code, and gives back the whole answer.
#[track_caller]
fn assert_verdict(ended: &Ended, verdict: &str, error: Option<&str>) -> Value {
    let answer = ended.json();
    let retrieval = &answer["retrieval"];
    assert_eq!((&retrieval["verdict"], &retrieval["error"]), (&verdict.into(), &error.into()), "{answer}");
    assert_eq!(ended.code, if verdict == "retrievable" { 0 } else { 5 }, "{answer}");
    answer
}

/// The answer about one provider.
#[track_caller]
fn one(answer: &Value) -> &Value {
    let [provider] = &answer["found"].as_array().expect("a list")[..] else { panic!("one: {answer}") };
    provider
}

fn strings(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().map(|text| text.as_str().expect("a text")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_reached_is_asked_for_the_block_by_bitswap() {
    let testnet = Testnet::healthy(30);
    for (number, habit, verdict, error, has_block, evidence) in [
        (1, Habit::Has, "retrievable", None, "yes", "have"),
        (2, Habit::HasNot, "no_block", None, "no", "dont_have"),
        (3, Habit::SpeaksNoBitswap, "no_protocol", None, "unknown", "protocol_not_supported"),
        (4, Habit::Babbles, "no_answer", Some("malformed"), "unknown", "malformed"),
    ] {
        let provider = Provider::join(habit, &[]).await;
        provider.publish(&testnet, number, provider.addresses()).await;
        let answer = assert_verdict(&retrieval(&testnet, number, &["--json"]).await, verdict, error);
        let row = one(&answer);
        let dialled = &row["dialled"];
        assert_eq!((&dialled["verdict"], &dialled["reachable"]), (&verdict.into(), &true.into()), "{row}");
        assert_eq!((&dialled["has_block"], &dialled["evidence"]), (&has_block.into(), &evidence.into()));
        assert_eq!(dialled["asked_by"], "bitswap");
        // Each address came with the records of all who hold one.
        assert_eq!(row["holders"], 20);
        for address in row["addresses"].as_array().expect("a list") {
            assert_eq!((&address["origin"], strings(&address["given_by"]).len()), (&"record".into(), 20));
        }
    }
    let people = retrieval(&testnet, 1, &[]).await;
    assert!(people.stdout.ends_with("\nRetrievable: its provider has the block\n"), "{}", people.stdout);
    assert!(people.stdout.contains(" and 17 others\n"), "{}", people.stdout);
    let people = retrieval(&testnet, 2, &[]).await;
    let said = "\nNot retrievable: its provider can be reached, but does not have the block\n";
    assert!(people.stdout.ends_with(said), "{}", people.stdout);

    let nobody = retrieval(&testnet, 99, &["--json"]).await;
    assert_verdict(&nobody, "no_record", None);
    let people = retrieval(&testnet, 99, &[]).await;
    let said = "\nNot retrievable: nobody who was asked has a record of it\n";
    assert!(people.stdout.ends_with(said), "{}", people.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_reached_is_not_for_the_furthest_reason() {
    let other = Provider::join(Habit::Has, &[]).await;
    let deaf = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
    let deaf = format!("/ip4/127.0.0.1/tcp/{}", deaf.local_addr().expect("an address").port());
    let relayed = "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN/p2p-circuit";
    let (private, refusing) = ("/ip4/10.1.2.3/tcp/4001", "/ip4/127.0.0.1/tcp/1");
    let theirs = other.addresses()[0].to_string();
    for (addresses, verdict, error, said) in [
        (vec![private], "only_private", None, "has private addresses only"),
        (vec![private, relayed], "only_relayed", None, "can be reached through a relay only"),
        (
            vec!["/ip4/8.8.8.8/tcp/4001"],
            "not_dialled",
            Some("public"),
            "has no address that is dialled from here (public)",
        ),
        (
            vec![private, refusing],
            "refused",
            Some("connection_refused"),
            "was dialled and refused (connection_refused)",
        ),
        (vec![&deaf], "unreachable", Some("timeout"), "cannot be reached (timeout)"),
        (
            vec![refusing, &theirs],
            "other_peer",
            Some("peer_id_mismatch"),
            "has an address where another peer answers (peer_id_mismatch)",
        ),
        (
            vec!["/ip4/127.0.0.1/tcp/1/http"],
            "refused",
            Some("connection_refused"),
            "was dialled and refused (connection_refused)",
        ),
        (vec!["/ip4/10.1.2.3/tcp/80/http"], "only_private", None, "has private addresses only"),
    ] {
        let holder = Holder::join(&addresses).await;
        let ended = retrieval_from(&holder.address(), 1, &["--json"]).await;
        let answer = assert_verdict(&ended, verdict, error);
        let row = one(&answer);
        assert_eq!(row["addresses"].as_array().map(Vec::len), Some(addresses.len()));
        assert_eq!(strings(&row["addresses"][0]["given_by"]), [holder.id()]);
        let dialled = &row["dialled"];
        assert_eq!((&dialled["reachable"], &dialled["has_block"]), (&false.into(), &"unknown".into()));
        assert_eq!((&dialled["evidence"], &dialled["asked_by"]), (&Value::Null, &Value::Null));
        let people = retrieval_from(&holder.address(), 1, &[]).await;
        let said = format!("\nNot retrievable: its provider {said}\n");
        assert!(people.stdout.ends_with(&said), "{}", people.stdout);
    }
}

/// A server on loopback that answers every request so, as often as it is asked; where it is.
async fn web(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n")
                && let Ok(byte) = stream.read_u8().await
            {
                request.push(byte);
            }
            assert!(request.starts_with(b"HEAD /ipfs/Qm"), "{}", String::from_utf8_lossy(&request));
            stream.write_all(answer.as_bytes()).await.ok();
        }
    });
    format!("/ip4/127.0.0.1/tcp/{port}/http")
}

#[tokio::test(flavor = "multi_thread")]
async fn providers_over_http_are_asked_as_gateways() {
    let testnet = Testnet::healthy(30);
    let raw = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.ipld.raw\r\n\r\n";
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n";
    let away = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n";
    for (number, answer, verdict, error) in [
        (1, raw, "retrievable", None),
        (2, "HTTP/1.1 404 Not Found\r\n\r\n", "no_block", None),
        (3, page, "no_protocol", None),
        (4, away, "no_protocol", None),
        (5, "HTTP/1.1 503 Service Unavailable\r\n\r\n", "no_answer", Some("resource_limit")),
        (6, "SSH-2.0-OpenSSH_9.6\r\n", "unreachable", Some("malformed")),
    ] {
        let provider = Provider::join(Habit::SpeaksNoBitswap, &[]).await;
        let address = web(answer).await;
        provider.publish(&testnet, number, vec![address.parse().expect("an address")]).await;
        let answer = assert_verdict(&retrieval(&testnet, number, &["--json"]).await, verdict, error);
        let dialled = &one(&answer)["dialled"];
        let is_reached = verdict != "unreachable";
        assert_eq!(dialled["reachable"], is_reached, "{dialled}");
        assert_eq!(dialled["asked_by"], if is_reached { "http".into() } else { Value::Null });
        assert_eq!(dialled["addresses"][0]["address"], address.as_str());
    }
    // Of two ways to one provider the better one counts.
    let provider = Provider::join(Habit::HasNot, &[]).await;
    let mut addresses = provider.addresses();
    addresses.push(web(raw).await.parse().expect("an address"));
    provider.publish(&testnet, 9, addresses).await;
    let answer = assert_verdict(&retrieval(&testnet, 9, &["--json"]).await, "retrievable", None);
    assert_eq!(one(&answer)["dialled"]["asked_by"], "http");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_providers_one_is_enough_and_all_are_asked_side_by_side() {
    let testnet = Testnet::healthy(30);
    let mut providers = Vec::new();
    for habit in [Habit::Has, Habit::HasNot, Habit::Silent, Habit::Silent, Habit::Silent] {
        let provider = Provider::join(habit, &[]).await;
        provider.publish(&testnet, 1, provider.addresses()).await;
        providers.push(provider);
    }
    let begun = tokio::time::Instant::now();
    let answer = assert_verdict(&retrieval(&testnet, 1, &["--json"]).await, "retrievable", None);
    // Each of the silent is waited for, 10 s.
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
    let retrieval = &answer["retrieval"];
    let counts = ["retrievable_from", "providers", "not_looked_at"].map(|key| &retrieval[key]);
    assert_eq!(counts, [&Value::from(1), &Value::from(5), &Value::from(0)]);
    let mut verdicts: Vec<&str> = answer["found"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| row["dialled"]["verdict"].as_str().expect("a verdict"))
        .collect();
    verdicts.sort_unstable();
    assert_eq!(verdicts, ["no_answer", "no_answer", "no_answer", "no_block", "retrievable"]);
}

/// A network whose peers give out no address of a provider.
fn forgetful(dir: &Path) -> Testnet {
    let scenario = dir.join("forgetful.toml");
    let text = "peers = 30\n[[holders]]\nname = \"forgetful\"\nshare = 1\naddresses_s = 0\n";
    std::fs::write(&scenario, text).expect("written");
    Testnet::start(&scenario)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_without_an_address_is_looked_up() {
    let dir = tempfile::tempdir().expect("a directory");
    let testnet = forgetful(dir.path());
    let client = Provider::join(Habit::Has, &[]).await;
    client.publish(&testnet, 1, client.addresses()).await;
    let answer = assert_verdict(&retrieval(&testnet, 1, &["--json"]).await, "no_addresses", None);
    let row = one(&answer);
    assert_eq!((&row["holders"], &row["holders_with_addresses"]), (&20.into(), &0.into()), "{row}");

    // A server is listed by those whom it asks.
    let server = Provider::join(Habit::Has, &[AMINO_PROTOCOL]).await;
    server.publish(&testnet, 2, server.addresses()).await;
    let answer = assert_verdict(&retrieval(&testnet, 2, &["--json"]).await, "retrievable", None);
    let origin = one(&answer)["addresses"][0]["origin"].as_str().expect("an origin");
    assert!(["answer", "peer_lookup"].contains(&origin), "{answer}");
}
