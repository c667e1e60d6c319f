//! Signed envelopes of libp2p: bytes, what they are, and a signature of both for one purpose.
//!
//! Source: <https://github.com/libp2p/specs/blob/master/RFC/0002-signed-envelopes.md>.

use kad::{
    Keypair,
    protobuf::{Fields, write_bytes, write_varint},
};
use libp2p_identity::PublicKey;

use super::block::BadBlock;

/// What a signature is for: nobody can hand it in as one for something else.
#[derive(Debug, Clone, Copy)]
pub(super) struct Purpose {
    pub(super) domain: &'static str,
    pub(super) payload_type: &'static str,
}

/// Signs bytes; `None` if the key cannot sign.
pub(super) fn seal(key: &Keypair, purpose: Purpose, payload: &[u8]) -> Option<Vec<u8>> {
    let signature = key.sign(&signed_bytes(purpose, payload)).ok()?;
    let mut out = Vec::new();
    write_bytes(&mut out, 1, &key.public().encode_protobuf());
    write_bytes(&mut out, 2, purpose.payload_type.as_bytes());
    write_bytes(&mut out, 3, payload);
    write_bytes(&mut out, 5, &signature);
    Some(out)
}

/// What was signed for this purpose, and by whom.
pub(super) fn opened(envelope: &[u8], purpose: Purpose) -> Result<(Vec<u8>, PublicKey), BadBlock> {
    let [mut key, mut payload_type, mut payload, mut signature] = [&[][..]; 4];
    for field in Fields::new(envelope) {
        let (number, value) = field.map_err(|_| BadBlock::Malformed)?;
        let place = match number {
            1 => &mut key,
            2 => &mut payload_type,
            3 => &mut payload,
            5 => &mut signature,
            _ => continue,
        };
        *place = value.bytes().map_err(|_| BadBlock::Malformed)?;
    }
    let key = PublicKey::try_decode_protobuf(key).map_err(|_| BadBlock::Malformed)?;
    let is_signed = payload_type == purpose.payload_type.as_bytes()
        && key.verify(&signed_bytes(purpose, payload), signature);
    if is_signed { Ok((payload.to_vec(), key)) } else { Err(BadBlock::Signature) }
}

fn signed_bytes(purpose: Purpose, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for part in [purpose.domain.as_bytes(), purpose.payload_type.as_bytes(), payload] {
        write_varint(&mut out, part.len() as u64);
        out.extend_from_slice(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Purpose = Purpose { domain: "a", payload_type: "/b" };

    #[test]
    fn what_was_signed_is_good_for_its_purpose_alone() {
        let key = Keypair::generate_ed25519();
        let envelope = seal(&key, HERE, b"x").unwrap();
        assert_eq!(opened(&envelope, HERE), Ok((b"x".to_vec(), key.public())));
        for elsewhere in [Purpose { domain: "b", ..HERE }, Purpose { payload_type: "/c", ..HERE }] {
            assert_eq!(opened(&envelope, elsewhere), Err(BadBlock::Signature));
        }
        for at in 0..envelope.len() {
            let mut damaged = envelope.clone();
            damaged[at] ^= 1;
            assert!(opened(&damaged, HERE).is_err(), "byte {at}");
        }
    }
}
