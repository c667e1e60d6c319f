//! Published vectors, and handshakes with what is wrong in them.

use super::*;
use crate::{identity::Identity, key::tests::encoded};

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

#[derive(Default)]
struct Vector {
    keys: std::collections::HashMap<String, Vec<u8>>,
    messages: Vec<(Vec<u8>, Vec<u8>)>,
}

fn vectors() -> Vec<Vector> {
    let mut vectors: Vec<Vector> = Vec::new();
    for line in include_str!("../../tests/data/noise_xx.txt").lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["vector", _] => vectors.push(Vector::default()),
            ["message", payload, text] => {
                vectors.last_mut().unwrap().messages.push((unhex(payload), unhex(text)));
            }
            [name, key] => {
                vectors.last_mut().unwrap().keys.insert(name.into(), unhex(key));
            }
            _ => panic!("a line that is none: {line}"),
        }
    }
    vectors
}

#[test]
fn both_roles_agree_with_the_published_vectors() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 2);
    for Vector { keys, messages } in vectors {
        let key = |name: &str| StaticKey::from_bytes(&keys[name]);
        let mut initiator = Initiator::new(&keys["prologue"], key("init_ephemeral"));
        let mut responder = Responder::new(&keys["prologue"], key("resp_ephemeral"));

        let mut first = Vec::new();
        initiator.write_first(&messages[0].0, &mut first).unwrap();
        assert_eq!(first, messages[0].1);
        assert_eq!(responder.read_first(&mut first).unwrap(), messages[0].0);

        let mut second = Vec::new();
        responder.write_second(&key("resp_static"), &messages[1].0, &mut second).unwrap();
        assert_eq!(second, messages[1].1);
        let (remote, payload) = initiator.read_second(&mut second).unwrap();
        assert_eq!((&remote, payload), (key("resp_static").public(), &messages[1].0[..]));

        let mut third = Vec::new();
        let at_initiator = initiator.write_third(&key("init_static"), &messages[2].0, &mut third).unwrap();
        assert_eq!(third, messages[2].1);
        let (remote, payload, at_responder) = responder.read_third(&mut third).unwrap();
        assert_eq!((&remote, payload), (key("init_static").public(), &messages[2].0[..]));
        if let Some(hash) = keys.get("handshake_hash") {
            assert_eq!(&responder.hash()[..], hash);
        }

        let mut ends = [at_responder, at_initiator];
        for (i, (payload, text)) in messages[3..].iter().enumerate() {
            let mut message = payload.clone();
            ends[i % 2].sending.seal(&[], &mut message, 0).unwrap();
            assert_eq!(&message, text);
            assert_eq!(ends[(i + 1) % 2].receiving.open(&[], &mut message).unwrap(), payload);
        }
    }
}

#[test]
fn keys_of_low_order_are_refused() {
    let one = std::iter::once(1).chain([0; 31]).collect::<Vec<u8>>();
    let order_eight = unhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800");
    for ephemeral in [vec![0; 32], one, order_eight] {
        let mut initiator = Initiator::new(&[], StaticKey::generate().unwrap());
        initiator.write_first(&[], &mut Vec::new()).unwrap();
        let mut message = [ephemeral, vec![0; 200]].concat();
        assert_eq!(initiator.read_second(&mut message).unwrap_err(), NoiseError::BadKey);
        let mut responder = Responder::new(&[], StaticKey::generate().unwrap());
        responder.read_first(&mut message[..32]).unwrap();
        let key = StaticKey::generate().unwrap();
        assert_eq!(responder.write_second(&key, &[], &mut Vec::new()), Err(NoiseError::BadKey));
    }
}

#[test]
fn a_proof_holds_for_its_own_static_key_only() {
    for keypair in [
        libp2p_identity::Keypair::generate_ed25519(),
        libp2p_identity::Keypair::generate_secp256k1(),
        libp2p_identity::Keypair::generate_ecdsa(),
    ] {
        let identity = Identity::new(keypair).unwrap();
        let payload = identity.noise_payload();
        let key = identity.noise_key().public();
        assert_eq!(authenticate(payload, key), Ok(identity.peer_id()));
        assert_eq!(authenticate(payload, &[7; 32]), Err(NoiseError::BadSignature));
        let cut = &payload[..payload.len() - 1];
        assert_eq!(authenticate(cut, key), Err(NoiseError::Malformed));
    }
    assert_eq!(authenticate(&[], &[7; 32]), Err(NoiseError::Malformed));
}

#[test]
fn a_key_that_is_not_accepted_is_named_although_its_proof_holds() {
    // Proofs for this static key, made with Python's cryptography.
    let key = StaticKey::from_bytes(&[7; 32]);
    for (spki, kind, proof, bits) in [
        (
            &include_bytes!("../../tests/data/rsa_1024.spki")[..],
            0,
            &include_bytes!("../../tests/data/rsa_1024.noise_sig")[..],
            "RSA of 1024 bits; 2048 to 8192 are accepted",
        ),
        (
            include_bytes!("../../tests/data/p384.spki"),
            3,
            include_bytes!("../../tests/data/p384.noise_sig"),
            "ECDSA on P-384; P-256 is accepted",
        ),
    ] {
        let payload = encode_payload(&encoded(kind, spki), proof);
        let error = authenticate(&payload, key.public()).unwrap_err();
        assert!(matches!(error, NoiseError::KeyNotSupported(_)), "{error:?}");
        assert_eq!(error.text(), bits);
    }
    let truncated = encode_payload(&encoded(3, b"\x30\x59"), &[1; 64]);
    assert_eq!(authenticate(&truncated, key.public()), Err(NoiseError::Malformed));
}

#[test]
fn fields_that_are_not_known_are_passed_over() {
    let identity = Identity::generate().unwrap();
    let mut payload = vec![0x22, 3, 1, 2, 3, 0x28, 9];
    payload.extend_from_slice(identity.noise_payload());
    assert_eq!(authenticate(&payload, identity.noise_key().public()), Ok(identity.peer_id()));
}

#[test]
fn a_changed_replayed_or_short_message_is_refused() {
    let pair = || (Cipher::new(&[1; 32]).unwrap(), Cipher::new(&[1; 32]).unwrap());
    let (mut sending, mut receiving) = pair();
    let mut message = b"text".to_vec();
    sending.seal(&[], &mut message, 0).unwrap();
    assert_eq!(receiving.open(&[], &mut message.clone()).unwrap(), b"text");
    assert_eq!(receiving.open(&[], &mut message.clone()).unwrap_err(), NoiseError::Decrypt);
    let (_, mut receiving) = pair();
    message[0] ^= 1;
    assert_eq!(receiving.open(&[], &mut message).unwrap_err(), NoiseError::Decrypt);
    assert_eq!(receiving.open(&[], &mut message[..15]).unwrap_err(), NoiseError::Malformed);
}

#[test]
fn the_counter_never_wraps() {
    let mut cipher = Cipher::new(&[1; 32]).unwrap();
    cipher.skip_to(u64::MAX - 1);
    cipher.seal(&[], &mut vec![0], 0).unwrap();
    assert_eq!(cipher.seal(&[], &mut vec![0], 0), Err(NoiseError::Exhausted));
}
