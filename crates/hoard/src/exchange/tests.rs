//! Files of keys: what is read of them, and by which name what is wrong is called.

use std::time::Duration;

use kad::PeerId;
use schema::Timestamp;

use super::*;
use crate::{Study, StudyHolder, StudyKey};

const CID: &str = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";
const PEER: &str = "12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf";
const OTHER: &str = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N";

fn entry(peer: &str, time: &str) -> String {
    format!(
        r#"{{"PeerID": "{peer}", "ContentID": "{CID}", "Creator": "{OTHER}", "ProvideTime": "9.16s",
            "PublicationTime": "{time}", "UserAgent": "kubo/0.18.0/", "PeerMultiaddresses": ["/ip4/127.0.0.1/tcp/4001"]}}"#
    )
}

fn file(entries: &[String]) -> String {
    format!(r#"{{"ProviderRecords": [{}]}}"#, entries.join(","))
}

#[test]
fn a_list_has_a_key_a_line_and_says_which_line_is_none() {
    let read = ForeignKeys::read(&format!("# keys\n{CID}  # one\n\n{CID}\n")).expect("a list");
    assert_eq!((read.keys.len(), read.known.len()), (1, 0), "each key once");
    assert!(read.keys[0].0.starts_with(&[0x12, 0x20]));
    let wrong = ForeignKeys::read(&format!("{CID}\nhello world\n")).expect_err("no key");
    assert!(matches!(wrong, BadExchange::Line { line: 2, .. }), "{wrong}");
    assert_eq!(ForeignKeys::read("# nothing\n"), Err(BadExchange::Empty));
}

#[test]
fn holders_come_with_their_keys() {
    let twice = [entry(PEER, "2026-11-28T10:00:00+02:00"), entry(OTHER, "2026-11-28T08:00:01.5Z")];
    let read = ForeignKeys::read(&file(&twice)).expect("JSON");
    let known = &read.known[0];
    assert_eq!((read.keys.len(), known.holders.len()), (1, 2));
    assert_eq!(known.published_at.to_string(), "2026-11-28T08:00:00.000Z", "with its zone");
    assert_eq!(known.provider.to_base58(), OTHER);
    assert_eq!(known.holders[0].agent.as_deref(), Some("kubo/0.18.0/"));
    assert_eq!(known.holders[0].addresses[0].to_string(), "/ip4/127.0.0.1/tcp/4001");
}

#[test]
fn what_is_wrong_with_an_entry_is_said_with_its_number() {
    let good = entry(PEER, "2026-11-28T08:00:00Z");
    for (bad, said) in [
        (entry("nobody", "2026-11-28T08:00:00Z"), "PeerID"),
        (entry(PEER, "2026-11-28 08:00"), "PublicationTime"),
        (good.replace(CID, "hello"), "ContentID"),
        (good.replace("/ip4/127.0.0.1/tcp/4001", "127.0.0.1"), "no multiaddress"),
        (good.replace(OTHER, PEER), "another creator"),
    ] {
        let wrong = ForeignKeys::read(&file(&[good.clone(), bad])).expect_err(said).to_string();
        assert!(wrong.starts_with("entry 2") && wrong.contains(said), "{wrong}");
    }
    assert!(matches!(ForeignKeys::read("{\"ProviderRecords\": 1}"), Err(BadExchange::Json(_))));
}

#[test]
fn what_one_writes_another_reads() {
    let mut study = Study::default();
    let (holder, provider) = (PeerId::random(), PeerId::random());
    let holder = study.number(holder);
    let given = StudyHolder::given(holder, 1, Some(Duration::ZERO));
    let key = ForeignKeys::read(CID).expect("a key").keys.remove(0).0;
    study.keys.push(StudyKey {
        key: key.clone(),
        arm: 0,
        position: 0,
        provider,
        published_at: Timestamp(1_795_000_000_000_000),
        took: Duration::from_millis(9160),
        failure: None,
        closed_after: None,
        holders: vec![given],
        rounds: Vec::new(),
    });
    let read = ForeignKeys::read(&exchange_json(&study)).expect("what was written");
    let known = &read.known[0];
    assert_eq!((&*known.key, known.provider), (&*key, provider));
    assert_eq!(known.published_at, study.keys[0].published_at);
    assert_eq!(Some(&known.holders[0].peer), study.peer(holder));
}

#[test]
fn a_key_has_no_more_holders_than_can_be_dialled() {
    let at = "2026-11-28T08:00:00Z";
    let many: Vec<String> = (0..1025).map(|_| entry(&PeerId::random().to_base58(), at)).collect();
    let read = ForeignKeys::read(&file(&many[..1024])).expect("as many as may be");
    assert_eq!(read.known[0].holders.len(), 1024);
    let wrong = ForeignKeys::read(&file(&many)).expect_err("one more");
    assert!(matches!(wrong, BadExchange::TooMany(_)), "{wrong}");
}
