//! Keys in every form.

use proptest::prelude::*;

use super::*;
use crate::Key;

/// The example of the IPFS specification of Kademlia, its multihash and where that lies.
const CID: &str = "bafybeihfg3d7rdltd43u3tfvncx7n5loqofbsobojcadtmokrljfthuc7y";
const MULTIHASH: &str = "1220e536c7f88d731f374dccb568aff6f56e838a19382e488039b1ca8ad2599e82fe";
const PLACE: &str = "d623250f3f660ab4c3a53d3c97b3f6a0194c548053488d093520206248253bcb";

/// One id of libp2p's specification in its forms.
const RSA: &str = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N";
const RSA_CID: &str = "bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe";
const ED25519: &str = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";

fn read(text: &str) -> WrittenKey {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn bytes(hex: &str) -> Vec<u8> {
    Base::Base16Lower.decode(hex).expect("hexadecimal")
}

fn ipns(id: &PeerId) -> Vec<u8> {
    [b"/ipns/", &id.to_bytes()[..]].concat()
}

#[test]
fn content_in_every_form_is_its_multihash() {
    let multihash = bytes(MULTIHASH);
    assert_eq!(Key::of(&multihash).as_bytes(), bytes(PLACE).as_slice());
    let whole = [&[1, 0x70], multihash.as_slice()].concat();
    let version_0 = Base::Base58Btc.encode(&multihash);
    assert!(version_0.starts_with("Qm"));
    let mut forms = vec![CID.to_owned(), CID.to_uppercase(), MULTIHASH.to_owned(), MULTIHASH.to_uppercase()];
    forms.extend([format!("0x{MULTIHASH}"), version_0, format!("/ipfs/{CID}"), format!("ipfs://{CID}/")]);
    for base in [Base::Base16Lower, Base::Base36Lower, Base::Base58Btc, Base::Base64Url, Base::Base32Upper] {
        forms.push(multibase::encode(base, &whole));
    }
    for form in forms {
        let key = read(&form);
        assert_eq!((key.bytes(), key.provided()), (multihash.clone(), Ok(multihash.clone())), "{form}");
        assert_eq!(key.valued(), Err(WrongUse::NoValue));
    }
    let with_slash = (0..u8::MAX).map(|n| [&[1, 0x55, 0x12, 0x20][..], &[n; 32]].concat());
    let with_slash =
        with_slash.map(|cid| multibase::encode(Base::Base64, cid)).find(|text| text.contains('/'));
    let with_slash = with_slash.expect("one of them");
    assert_eq!(read(&format!("/ipfs/{with_slash}")), read(&with_slash));
    assert_eq!(read(CID).peer(), Err(WrongUse::NoPeer), "a CID of content names no peer");
    let raw = multibase::encode(Base::Base32Lower, [&[1, 0x55], multihash.as_slice()].concat());
    assert_eq!(read(&raw), WrittenKey::Multihash { bytes: multihash, codec: Some(0x55) });
}

#[test]
fn a_peer_in_every_form_is_its_id() {
    for (base58, others) in [(RSA, vec![RSA_CID.to_owned()]), (ED25519, Vec::new())] {
        let id: PeerId = base58.parse().expect("an id");
        let name = multibase::encode(Base::Base36Lower, [&[1, 0x72], &id.to_bytes()[..]].concat());
        let hex = Base::Base16Lower.encode(id.to_bytes());
        for form in others.into_iter().chain([base58.to_owned(), name.clone(), hex, format!("/p2p/{base58}")])
        {
            let key = read(&form);
            assert_eq!((key.peer(), key.bytes()), (Ok(id), id.to_bytes()), "{form}");
        }
        for form in [
            format!("/ipns/{base58}"),
            format!("/ipns/{name}"),
            format!("ipns://{name}"),
            format!("/ipns/{name}/"),
        ] {
            let key = read(&form);
            assert_eq!(
                (key.clone(), key.bytes(), key.valued()),
                (WrittenKey::Name(id), ipns(&id), Ok(ipns(&id)))
            );
            assert_eq!((key.peer(), key.provided()), (Ok(id), Err(WrongUse::NoProviders)));
        }
        let public = [b"/pk/", &id.to_bytes()[..]].concat();
        assert_eq!(read(&format!("/pk/{name}")).valued(), Ok(public.clone()));
        assert_eq!(read(&format!("0x{}", Base::Base16Lower.encode(public))), WrittenKey::PublicKey(id));
        assert_eq!(read(&Base::Base16Lower.encode(ipns(&id))), WrittenKey::Name(id));
    }
}

#[test]
fn bytes_and_other_hashes_are_taken_as_they_are() {
    assert_eq!(read("0x61"), WrittenKey::Raw(b"a".to_vec()));
    assert_eq!(read("6162"), WrittenKey::Raw(b"ab".to_vec()));
    let long = "61".repeat(MAX_KEY_BYTES + 1);
    assert_eq!(
        (read(&long).provided(), read(&long).bytes().len()),
        (Err(WrongUse::TooLong), MAX_KEY_BYTES + 1)
    );
    assert_eq!(read(&long[2..]).provided().map(|key| key.len()), Ok(MAX_KEY_BYTES));
    let sha1 = [&[0x11, 20][..], &[7; 20]].concat();
    for form in [Base::Base58Btc.encode(&sha1), Base::Base16Lower.encode(&sha1)] {
        assert_eq!(read(&form), WrittenKey::Multihash { bytes: sha1.clone(), codec: None });
    }
    // The hash of all of SHA-512 is too long for a peer id, and for nothing else.
    let sha512 = [&[0x13, 64][..], &[7; 64]].concat();
    let key = read(&Base::Base58Btc.encode(&sha512));
    assert_eq!((key.provided(), key.peer()), (Ok(sha512), Err(WrongUse::NoPeer)));
}

#[test]
fn an_error_says_what_is_wrong() {
    let bad = |text: &str| text.parse::<WrittenKey>().expect_err(text);
    assert_eq!(
        (bad(""), bad("/ipfs/"), bad("/ipns"), bad("  ")),
        (BadKey::Empty, BadKey::Empty, BadKey::Empty, BadKey::Empty)
    );
    assert_eq!(bad("hello world"), BadKey::Encoding);
    assert_eq!(
        (bad("0x"), bad("0x123"), bad("0xzz")),
        (BadKey::Encoding, BadKey::Encoding, BadKey::Encoding)
    );
    assert_eq!(bad(&"a".repeat(MAX_TEXT_BYTES + 1)), BadKey::TooLong);
    assert_eq!(bad("/ipns/en.wikipedia-on-ipfs.org"), BadKey::DnsName("en.wikipedia-on-ipfs.org".to_owned()));
    assert_eq!(bad("/ip4/127.0.0.1/tcp/1"), BadKey::Namespace("ip4".to_owned()));
    assert_eq!(bad("/ipld/x"), BadKey::Namespace("ipld".to_owned()));
    assert_eq!(bad(&format!("/ipfs/{CID}/a/b")), BadKey::Path(CID.to_owned()));
    assert_eq!(bad(&format!("/ipns/{CID}")), BadKey::PeerId(BadPeerId::Codec(0x70)));
    let sha1 = Base::Base58Btc.encode([&[0x11, 20][..], &[7; 20]].concat());
    assert_eq!(bad(&format!("/pk/{sha1}")), BadKey::PeerId(BadPeerId::Encoding));
    let cut = [&[1, 0x70], &bytes(MULTIHASH)[..33]].concat();
    assert_eq!(bad(&multibase::encode(Base::Base32Lower, cut)), BadKey::Multihash);
    let version_2 = multibase::encode(Base::Base32Lower, [&[2, 0x70], bytes(MULTIHASH).as_slice()].concat());
    assert_eq!(bad(&version_2), BadKey::Version(2));
    assert!(bad(&RSA[..40]).to_string().starts_with("it is neither a CID"));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,80}", near in "(/ipns/|/ipfs/|/pk/|0x|)[a-zA-Z0-9]{0,70}") {
        drop((text.parse::<WrittenKey>(), near.parse::<WrittenKey>()));
    }

    #[test]
    fn hexadecimal_is_the_bytes(bytes in prop::collection::vec(any::<u8>(), 1..70)) {
        let hex = Base::Base16Lower.encode(&bytes);
        prop_assert_eq!(read(&format!("0x{hex}")).bytes(), bytes);
    }
}
