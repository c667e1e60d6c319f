//! Values are judged as boxo and go-libp2p-record judge them: `data/values.txt`, recorded by `peers/go/golden`.

#![expect(clippy::expect_used, clippy::panic, reason = "a test ends at the first error")]

use std::{collections::HashMap, time::Duration};

use kadscope_kad::values::{BadValue, CheckedValue, IpnsRecord};

const RECORDED: &str = include_str!("data/values.txt");

/// When they were judged: 2000-01-01T00:00:00Z.
const NOW: Duration = Duration::from_secs(946_684_800);

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.trim_start_matches('-').as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).expect("digits"), 16).expect("a byte"))
        .collect()
}

/// A value as Go made it: its key, its bytes and what Go said of it.
struct Recorded {
    key: Vec<u8>,
    value: Vec<u8>,
    verdict: String,
}

fn recorded() -> HashMap<&'static str, Recorded> {
    let values = RECORDED.lines().filter_map(|line| line.strip_prefix("value ")).map(|line| {
        let [name, key, value, verdict] = line.splitn(4, ' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        (name, Recorded { key: bytes(key), value: bytes(value), verdict: verdict.to_owned() })
    });
    values.collect()
}

/// What is said of a value, in the words of the record.
fn verdict(Recorded { key, value, .. }: &Recorded) -> String {
    let checked = match CheckedValue::of(key, value) {
        Ok(checked) if checked.is_expired(NOW) => return "expired".to_owned(),
        Ok(checked) => checked,
        Err(_) => return "refused".to_owned(),
    };
    let Some(version) = checked.version else { return "valid".to_owned() };
    let Some(sequence) = version.sequence else { return "valid".to_owned() };
    let record = IpnsRecord::decode(value).expect("it was checked");
    let path =
        str::from_utf8(record.value()).ok().filter(|path| !path.is_empty()).unwrap_or("/ipfs/bafkqaaa");
    format!("valid {sequence} {} {} {path}", version.valid_until.as_nanos(), record.ttl().as_nanos())
}

#[test]
fn every_value_is_judged_as_go_judges_it() {
    let recorded = recorded();
    for (name, value) in &recorded {
        // Go says nothing of a path that is missing.
        let expected = value
            .verdict
            .strip_suffix(" -")
            .map_or(value.verdict.clone(), |said| said.to_owned() + " /ipfs/bafkqaaa");
        assert_eq!(verdict(value), expected, "{name}");
    }
    assert!(recorded.len() > 80, "{}", recorded.len());
}

#[test]
fn the_better_one_is_chosen_as_go_chooses_it() {
    let recorded = recorded();
    let checked = |name: &str| {
        let Recorded { key, value, .. } = &recorded[name];
        CheckedValue::of(key, value).expect("a value")
    };
    let mut choices = 0;
    for line in RECORDED.lines().filter_map(|line| line.strip_prefix("select ")) {
        let [one, other, chosen] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        assert_eq!(checked(one).beats(&checked(other)), chosen == "0", "{line}");
        choices += 1;
    }
    assert_eq!(choices, 49);
    let nameless = checked("document_no_sequence");
    assert!(!nameless.beats(&checked("first")) && !checked("first").beats(&nameless));
}

#[test]
fn a_refusal_says_what_is_wrong() {
    let recorded = recorded();
    for (name, problem) in [
        ("changed_a_signature", BadValue::BadSignature),
        ("changed_b_no_signature", BadValue::BadSignature),
        ("changed_c_v1_only", BadValue::NoData),
        ("changed_h_sequence", BadValue::Differs),
        ("changed_m_key_of_another", BadValue::OtherPublicKey),
        ("changed_n_no_key", BadValue::NoPublicKey),
        ("without_key_rsa", BadValue::NoPublicKey),
        ("wrong_key", BadValue::BadSignature),
        ("too_long", BadValue::TooLong),
        ("document_trailing", BadValue::BadData),
        ("document_validity_type", BadValue::NoValidity),
        ("document_negative_ttl", BadValue::NegativeTtl),
        ("pk_rsa_of_another", BadValue::OtherPublicKey),
        ("pk_rsa_cut", BadValue::NoPublicKey),
        ("pk_rsa_elsewhere", BadValue::Namespace),
    ] {
        let Recorded { key, value, .. } = &recorded[name];
        assert_eq!(CheckedValue::of(key, value), Err(problem), "{name}");
    }
}
