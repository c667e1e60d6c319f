//! Peer ids, multiaddresses and times in every form in which people and name servers write them.
//!
//! A peer id is the multihash of a key. It is written in base58 (`12D3KooW...`, `Qm...`) or as a CID of version 1 with
//! the codec `libp2p-key`, in any multibase (`bafz...` in base32, `k51...` in base36). Source: libp2p specification,
//! `peer-ids/peer-ids.md`. Whether anybody may be dialled by what was read is for others to say.

mod duration;

use libp2p_identity::PeerId;
use multiaddr::Multiaddr;
use thiserror::Error;

pub use self::duration::{BadDuration, duration};

use crate::protobuf::read_varint;

/// The version of a CID that names its codec.
const CID_VERSION: u64 = 1;

/// The codec of a key's hash, `libp2p-key` (multicodec's table).
pub(crate) const LIBP2P_KEY: u64 = 0x72;

/// What stands before a peer id in a multiaddress; the second is the old name.
const BEFORE_ID: [&str; 2] = ["p2p", "ipfs"];

/// Why a text is no peer id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadPeerId {
    /// It is in no encoding that peer ids are written in.
    #[error("a peer id is written in base58 or as a CID in multibase")]
    Encoding,
    /// What was encoded is no CID of version 1.
    #[error("what it encodes is no CID of version 1")]
    Version,
    /// The CID is of something else than a key.
    #[error("it is a CID of something else than a key (codec {0:#x})")]
    Codec(u64),
    /// The hash is of no kind that a key has.
    #[error("its hash is not one of a key")]
    Hash,
}

/// Why a text is no multiaddress.
#[derive(Debug, Error)]
pub enum BadMultiaddr {
    /// A peer id in it does not decode.
    #[error("its peer id does not decode: {0}")]
    PeerId(BadPeerId),
    /// It has another form.
    #[error(transparent)]
    Form(#[from] multiaddr::Error),
}

/// Reads a peer id, alone or behind `/p2p/` (or `/ipfs/`), with or without a slash at its end.
pub fn peer_id(text: &str) -> Result<PeerId, BadPeerId> {
    let behind = |name: &&str| text.strip_prefix('/')?.strip_prefix(*name)?.strip_prefix('/');
    let text = BEFORE_ID.iter().find_map(behind).unwrap_or(text);
    // Base64 has a slash of its own, so that what stands there comes first.
    decode(text).or_else(|bad| text.strip_suffix('/').map_or(Err(bad), decode))
}

/// Reads a multiaddress, with or without a slash at its end; its peer ids may have any form that [`peer_id`] reads.
pub fn multiaddr(text: &str) -> Result<Multiaddr, BadMultiaddr> {
    let text = text.strip_suffix('/').filter(|text| !text.is_empty()).unwrap_or(text);
    let mut plain = String::with_capacity(text.len());
    let mut bad = None;
    let mut before = None;
    for (index, part) in text.split('/').enumerate() {
        if index > 0 {
            plain.push('/');
        }
        // A host can be called `p2p`: what is no id there is left to the grammar of addresses.
        match before.is_some_and(|name| BEFORE_ID.contains(&name)).then(|| decode(part)) {
            Some(Ok(id)) => plain.push_str(&id.to_base58()),
            Some(Err(error)) => {
                bad.get_or_insert(error);
                plain.push_str(part);
            }
            None => plain.push_str(part),
        }
        before = Some(part);
    }
    plain.parse().map_err(|error| bad.map_or(BadMultiaddr::Form(error), BadMultiaddr::PeerId))
}

/// By the rule of the specification: what begins with `1` or `Qm` is base58, all else multibase.
fn decode(text: &str) -> Result<PeerId, BadPeerId> {
    if text.starts_with('1') || text.starts_with("Qm") {
        return text.parse().map_err(|_| BadPeerId::Encoding);
    }
    let (_, cid) = multibase::decode(text).map_err(|_| BadPeerId::Encoding)?;
    let mut rest = &*cid;
    let mut number = || read_varint(&mut rest).map_err(|_| BadPeerId::Version);
    if number()? != CID_VERSION {
        return Err(BadPeerId::Version);
    }
    match number()? {
        LIBP2P_KEY => PeerId::from_bytes(rest).map_err(|_| BadPeerId::Hash),
        other => Err(BadPeerId::Codec(other)),
    }
}

#[cfg(test)]
mod tests {
    use multibase::Base;
    use proptest::prelude::*;

    use super::*;

    /// One id of the specification (`peer-ids/peer-ids.md`) in its three forms.
    const FORMS: [&str; 3] = [
        "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N",
        "bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe",
        "zQmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N",
    ];

    const ED25519: &str = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

    fn cid(id: &PeerId) -> Vec<u8> {
        [&[1, 0x72][..], &id.to_bytes()].concat()
    }

    #[test]
    fn the_forms_of_the_specification_are_one_id() {
        let id: PeerId = FORMS[0].parse().expect("base58");
        assert_eq!(peer_id(FORMS[0]), Ok(id));
        assert_eq!(peer_id(FORMS[1]), Ok(id));
        // A multihash alone in multibase is no CID.
        assert_eq!(peer_id(FORMS[2]), Err(BadPeerId::Version));
    }

    #[test]
    fn an_id_stands_alone_or_in_an_address_and_a_slash_at_its_end_is_nothing() {
        let id: PeerId = ED25519.parse().expect("base58");
        let k51 = Base::Base36Lower.encode(cid(&id));
        let text = format!("k{k51}");
        assert!(text.starts_with("k51"), "{text}");
        for form in [&text, ED25519] {
            for written in [form.to_owned(), format!("/p2p/{form}"), format!("/ipfs/{form}/")] {
                assert_eq!(peer_id(&written), Ok(id), "{written}");
            }
            let expected: Multiaddr = format!("/ip4/1.1.1.1/tcp/1/p2p/{id}").parse().expect("an address");
            for end in ["", "/"] {
                let written = format!("/ip4/1.1.1.1/tcp/1/p2p/{form}{end}");
                assert_eq!(multiaddr(&written).expect("an address"), expected, "{written}");
            }
        }
        let relayed = format!("/ip4/1.1.1.1/tcp/1/p2p/{text}/p2p-circuit/p2p/{}", FORMS[1]);
        let plain = format!("/ip4/1.1.1.1/tcp/1/p2p/{id}/p2p-circuit/p2p/{}", FORMS[0]);
        assert_eq!(multiaddr(&relayed).expect("an address").to_string(), plain);
    }

    #[test]
    fn what_has_the_name_of_a_part_is_not_taken_for_it() {
        for text in ["/dns4/p2p/tcp/1", "/dns4/ipfs/tcp/1/ws"] {
            assert_eq!(multiaddr(text).expect("an address").to_string(), text);
            assert_eq!(multiaddr(&format!("{text}/")).expect("an address").to_string(), text);
        }
        assert!(multiaddr("").expect("nothing").is_empty());
        assert!(multiaddr("/").is_err() && multiaddr("//").is_err());
    }

    #[test]
    fn what_is_no_id_is_told_apart() {
        let id: PeerId = ED25519.parse().expect("base58");
        let of = |bytes: &[u8]| multibase::encode(Base::Base32Lower, bytes);
        for (text, bad) in [
            ("", BadPeerId::Encoding),
            ("12D3", BadPeerId::Encoding),
            ("b1", BadPeerId::Encoding),
            (&*of(&[2, 0x72]), BadPeerId::Version),
            (&*of(&[&[1, 0x70][..], &id.to_bytes()].concat()), BadPeerId::Codec(0x70)),
            (&*of(&[1, 0x72, 0x11, 1, 0]), BadPeerId::Hash),
            (&*of(&[&cid(&id)[..], &[0]].concat()), BadPeerId::Hash),
        ] {
            assert_eq!(peer_id(text), Err(bad), "{text}");
        }
        let error = multiaddr("/ip4/1.1.1.1/tcp/1/p2p/nobody").expect_err("no id").to_string();
        assert!(error.starts_with("its peer id does not decode: "), "{error}");
    }

    /// Those in which text has no slash, and no more than one form.
    const BASES: [Base; 12] = [
        Base::Base2,
        Base::Base8,
        Base::Base10,
        Base::Base16Lower,
        Base::Base16Upper,
        Base::Base32Lower,
        Base::Base32HexUpper,
        Base::Base32Z,
        Base::Base36Lower,
        Base::Base58Btc,
        Base::Base58Flickr,
        Base::Base64Url,
    ];

    proptest! {
        #[test]
        fn an_id_is_read_back_in_every_base(digest: [u8; 32], identity: bool) {
            let prefix: &[u8] = if identity { &[0, 32] } else { &[0x12, 32] };
            let id = PeerId::from_bytes(&[prefix, &digest].concat()).expect("an id");
            prop_assert_eq!(peer_id(&id.to_base58()), Ok(id));
            for base in BASES.into_iter().chain([Base::Base64, Base::Base64Pad]) {
                prop_assert_eq!(peer_id(&multibase::encode(base, cid(&id))), Ok(id), "{:?}", base);
            }
            for base in BASES {
                let text = format!("/ip4/1.1.1.1/tcp/1/p2p/{}", multibase::encode(base, cid(&id)));
                let address = multiaddr(&text).expect("an address");
                prop_assert_eq!(address.to_string(), format!("/ip4/1.1.1.1/tcp/1/p2p/{id}"));
            }
        }

        #[test]
        fn any_text_is_read_without_panic(text: String) {
            drop((peer_id(&text), multiaddr(&text)));
        }

        #[test]
        fn what_was_an_address_before_is_the_same_one(text in "(/(ip4/1[.]2[.]3[.]4|tcp/1|udp/2|quic-v1|p2p-circuit|ws|dns4/p2p)){0,4}") {
            let address: Multiaddr = text.parse().expect("an address");
            prop_assert_eq!(multiaddr(&text).expect("an address"), address);
        }
    }
}
