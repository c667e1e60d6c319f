//! The seeds of what is to be accepted are accepted: a check that nothing reaches says nothing.

#![expect(clippy::unwrap_used, reason = "a test ends at the first error")]

use std::{fs, path::Path};

use kad::answer::Asked;
use kadscope_fuzz::{certificate, event_log};
use perf::{
    OperationAnswer,
    indexer::{Advertisement, Announcement, EntryChunk, SignedHead},
};

fn seed(target: &str, name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target).join(name)).unwrap()
}

#[test]
fn certificates_name_their_owners() {
    for name in ["go", "p256", "p384", "signed", "signed_named", "signed_critical"] {
        assert!(certificate::owner(&seed("certificate", name)).is_some(), "{name}");
    }
    assert_eq!(certificate::owner(&seed("certificate", "signed_expired")), None);
}

#[test]
fn values_and_providers_are_kept() {
    let asker = &[0, 1, b'a'][..];
    for name in ["ipns", "ipns_with_key", "public_key"] {
        let request = seed("kad_answer", name);
        assert!(matches!(Asked::read(&request, asker), Ok(Asked::Put(_))), "{name}");
    }
    for name in ["provided", "provided_at_many"] {
        let request = seed("kad_answer", name);
        assert!(matches!(Asked::read(&request, asker), Ok(Asked::Provide(_))), "{name}");
    }
}

#[test]
fn a_log_is_a_history() {
    let text = String::from_utf8(seed("event_log", "whole")).unwrap();
    let history = event_log::history(event_log::world(), &text).unwrap().unwrap();
    assert_eq!(history.len(), 13);
}

#[test]
fn answers_of_servers_are_understood() {
    for (name, is_ours) in
        [("ours", true), ("indexer", true), ("go", false), ("go_failed", false), ("old", false)]
    {
        let answer: OperationAnswer = serde_json::from_slice(&seed("perf_answer", name)).unwrap();
        assert_eq!((answer.operation.is_some(), answer.measurements.is_empty()), (is_ours, false), "{name}");
    }
}

#[test]
fn what_publishers_say_is_signed_and_read() {
    let ad = Advertisement::decode(&seed("advertisement", "ad")).unwrap();
    let head = SignedHead::decode(&seed("advertisement", "head")).unwrap();
    assert_eq!(ad.signer().unwrap().to_string(), ad.provider);
    assert_eq!(head.signer().unwrap().to_string(), ad.provider);
    let entries = seed("advertisement", "entries");
    assert!(ad.entries.is_of(&entries) && EntryChunk::decode(&entries).unwrap().entries.len() == 4);
    for said in [
        Announcement::decode(&seed("advertisement", "announced")).unwrap(),
        Announcement::decode_json(&seed("advertisement", "announced_json")).unwrap(),
    ] {
        assert_eq!((said.cid, said.addrs.len()), (head.head.clone(), 1));
    }
}
