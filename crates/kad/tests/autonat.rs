//! The messages of `AutoNAT` are those of go-libp2p, byte for byte: `data/autonat.txt`, recorded by `peers/go/golden`.

#![expect(clippy::expect_used, clippy::panic, reason = "a test ends at the first error")]

use kadscope_kad::{
    Key, PeerId,
    autonat::{
        v1::{AutonatMessage, DialBackReply, DialBackRequest, DialBackStatus},
        v2::{CheckMessage, CheckReply, CheckRequest, CheckStatus, DataDemand, DialBack, DialStatus},
    },
};
use multiaddr::Multiaddr;

const RECORDED: &str = include_str!("data/autonat.txt");

const NONCE: u64 = 0x0102_0304_0506_0708;

fn recorded() -> impl Iterator<Item = (&'static str, Vec<u8>)> {
    let lines = RECORDED.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| {
        let (name, hex) = line.split_once(' ').expect("two words");
        let digits = hex.trim_start_matches('-').as_bytes().chunks(2);
        let byte = |pair| u8::from_str_radix(str::from_utf8(pair).expect("digits"), 16).expect("a byte");
        (name, digits.map(byte).collect())
    })
}

fn addrs() -> [Multiaddr; 2] {
    ["/ip4/1.2.3.4/tcp/4001", "/ip4/1.2.3.4/udp/4001/quic-v1"].map(|addr| addr.parse().expect("an address"))
}

fn version_1(name: &str) -> AutonatMessage {
    let failed = |status, text| AutonatMessage::Reply(DialBackReply::failed(status, text));
    match name {
        "v1_request" => {
            let digest = Key::of(&1_u32.to_be_bytes());
            let id = [&[0x12, 0x20], digest.as_bytes().as_slice()].concat();
            AutonatMessage::Request(DialBackRequest::new(&PeerId::from_bytes(&id).expect("an id"), &addrs()))
        }
        "v1_reached" => AutonatMessage::Reply(DialBackReply::reached(&addrs()[0])),
        "v1_dial_error" => failed(DialBackStatus::DialError, "dial failed"),
        "v1_refused" => failed(DialBackStatus::Refused, "too many dials"),
        "v1_bad_request" => failed(DialBackStatus::BadRequest, "bad peer id"),
        "v1_internal_error" => failed(DialBackStatus::InternalError, "x"),
        name => panic!("{name}"),
    }
}

fn version_2(name: &str) -> CheckMessage<'static> {
    let dialled =
        |address, dialled| CheckMessage::Reply(CheckReply { status: CheckStatus::Dialled, address, dialled });
    let failed = |status| CheckMessage::Reply(CheckReply::failed(status));
    match name {
        "v2_request" => CheckMessage::Request(CheckRequest::new(&addrs(), NONCE)),
        "v2_reached" => dialled(1, DialStatus::Reached),
        "v2_dial_error" => dialled(0, DialStatus::DialError),
        "v2_dial_back_error" => dialled(0, DialStatus::DialBackError),
        "v2_refused" => failed(CheckStatus::Refused),
        "v2_rejected" => failed(CheckStatus::Rejected),
        "v2_internal_error" => failed(CheckStatus::InternalError),
        "v2_demand" => CheckMessage::Demand(DataDemand { address: 1, bytes: 30_001 }),
        "v2_data" => CheckMessage::Data(&[0; 200]),
        name => panic!("{name}"),
    }
}

#[test]
fn messages_are_those_of_go() {
    let mut messages = 0;
    for (name, bytes) in recorded() {
        match name {
            "v2_dial_back" => {
                assert_eq!(DialBack::decode(&bytes), Ok(DialBack { nonce: NONCE }));
                assert_eq!(DialBack { nonce: NONCE }.encode(), bytes);
            }
            "v2_heard" => assert_eq!(DialBack::heard(), bytes),
            name if name.starts_with("v1_") => {
                assert_eq!(AutonatMessage::decode(&bytes), Ok(version_1(name)), "{name}");
                assert_eq!(version_1(name).encode(), bytes, "{name}");
            }
            name => {
                assert_eq!(CheckMessage::decode(&bytes), Ok(version_2(name)), "{name}");
                assert_eq!(version_2(name).encode(), bytes, "{name}");
            }
        }
        messages += 1;
    }
    assert_eq!(messages, 17);
}
