//! Values that are made here: keys of every kind, and records signed by them. What Go makes is in `tests/values.rs`.

use libp2p_identity::Keypair;

use super::*;
use crate::protobuf::write_bytes;

const HOUR_OF_2030: Duration = Duration::from_secs(1_893_459_600);

/// A document as every record has it.
const DOCUMENT: &[u8] = b"\xa5cTTL\x00eValueB/ahValidityT2030-01-01T01:00:00ZhSequence\x07lValidityType\x00";

fn record(keys: &Keypair, data: &[u8], says_key: bool) -> Vec<u8> {
    let mut record = Vec::new();
    if says_key {
        write_bytes(&mut record, 7, &keys.public().encode_protobuf());
    }
    let signature = keys.sign(&[b"ipns-signature:", data].concat()).expect("a signature");
    write_bytes(&mut record, 8, &signature);
    write_bytes(&mut record, 9, data);
    record
}

fn name(keys: &Keypair) -> Vec<u8> {
    [b"/ipns/", &keys.public().to_peer_id().to_bytes()[..]].concat()
}

#[test]
fn a_record_is_a_value_of_the_name_that_signed_it() {
    for (keys, says_key) in [
        (Keypair::generate_ed25519(), false),
        (Keypair::generate_secp256k1(), false),
        (Keypair::generate_ecdsa(), true),
    ] {
        let value = record(&keys, DOCUMENT, says_key);
        let checked = CheckedValue::of(&name(&keys), &value).expect("a value");
        let version = Version { sequence: Some(7), valid_until: HOUR_OF_2030 };
        assert_eq!(checked, CheckedValue { value: &value, version: Some(version) });
        assert!(
            !checked.is_expired(HOUR_OF_2030) && checked.is_expired(HOUR_OF_2030 + Duration::from_nanos(1))
        );
        let parsed = IpnsRecord::decode(&value).expect("a record");
        assert_eq!((parsed.value(), parsed.ttl()), (&b"/a"[..], Duration::ZERO));

        let forged = record(&Keypair::generate_ed25519(), DOCUMENT, false);
        assert!(CheckedValue::of(&name(&keys), &forged).is_err());
        assert_eq!(CheckedValue::of(b"/ipns/", &value), Err(BadValue::Name));
        assert_eq!(CheckedValue::of(b"/ipn/x", &value), Err(BadValue::Namespace));
    }
}

#[test]
fn a_record_of_the_longest_length_is_taken_and_no_longer_one() {
    let keys = Keypair::generate_ed25519();
    let of = |length: u16| {
        let mut document = b"\xa6axY".to_vec();
        document.extend(length.to_be_bytes());
        document.resize(document.len() + usize::from(length), b'x');
        document.extend(&DOCUMENT[1..]);
        record(&keys, &document, false)
    };
    let fitting = 10_000 + u16::try_from(MAX_VALUE_BYTES - of(10_000).len()).expect("short");
    assert_eq!(of(fitting).len(), MAX_VALUE_BYTES);
    assert!(CheckedValue::of(&name(&keys), &of(fitting)).is_ok());
    assert_eq!(CheckedValue::of(&name(&keys), &of(fitting + 1)), Err(BadValue::TooLong));
    assert!(matches!(IpnsRecord::decode(&of(fitting + 1)), Err(BadValue::TooLong)));
}

#[test]
fn a_public_key_never_expires_and_the_new_one_is_as_good() {
    let public = Keypair::generate_ecdsa().public();
    let (key, value) = ([b"/pk/", &public.to_peer_id().to_bytes()[..]].concat(), public.encode_protobuf());
    let checked = CheckedValue::of(&key, &value).expect("a value");
    assert!(!checked.is_expired(Duration::MAX) && checked.beats(&checked));
    assert_eq!(CheckedValue::of(b"/pk/x", &value), Err(BadValue::OtherPublicKey));
    let record = Record { key: key.clone(), value, time_received: String::new() };
    assert_eq!(
        CheckedValue::of_record(&key, &record).map(|checked| checked.value),
        Ok(record.value.as_slice())
    );
    assert_eq!(CheckedValue::of_record(b"/pk/x", &record), Err(BadValue::OtherKey));
}
