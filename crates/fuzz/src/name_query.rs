//! Questions to the name server of a world: an answer is about the question, no longer than what it travels in, and no
//! question itself, so that two servers cannot keep each other busy.

use std::sync::LazyLock;

use hickory_proto::op::{Message, MessageType, ResponseCode};
use jail::names::{DnsTransport, MAX_DATAGRAM_BYTES, Zone, answer};
use testnet::names::{NameData, of_bootstrap};

/// The names of a world: more addresses than fit into a datagram, and a text that takes several strings.
static ZONE: LazyLock<Option<Zone>> = LazyLock::new(|| {
    let peer = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
    let address = |host| format!("/ip4/5.1.0.{host}/tcp/4001/p2p/{peer}").parse().ok();
    let mut zone = Zone::default();
    for record in of_bootstrap(&(1..100).map(address).collect::<Option<Vec<_>>>()?).ok()? {
        match record.data {
            NameData::Ip(ip) => zone.add_ip(&record.name, ip).ok()?,
            NameData::Text(text) => zone.add_text(&record.name, &text).ok()?,
        }
    }
    zone.add_text("long.test", &"x".repeat(1000)).ok()?;
    zone.add_ip("six.test", "2a05::1".parse().ok()?).ok()?;
    Some(zone)
});

/// Reads the bytes as a question, over both carriers.
pub fn check(bytes: &[u8]) {
    let Some(zone) = ZONE.as_ref() else { unreachable!("the zone is within its bounds") };
    let whole = answer(zone, bytes, DnsTransport::Tcp);
    let datagram = answer(zone, bytes, DnsTransport::Udp);
    assert_eq!(whole.is_some(), datagram.is_some());
    let (Some(whole), Some(datagram)) = (whole, datagram) else { return };
    assert!(u16::try_from(whole.len()).is_ok() && datagram.len() <= usize::from(MAX_DATAGRAM_BYTES));
    let (long, short) = (read(&whole), read(&datagram));
    if short.metadata.truncation {
        assert!(short.answers.is_empty() && datagram.len() < whole.len());
    } else {
        assert_eq!(datagram, whole);
    }
    let Ok(question) = Message::from_vec(bytes) else { unreachable!("what is no message is answered") };
    for reply in [long, short] {
        assert_eq!(
            (reply.metadata.id, reply.metadata.op_code),
            (question.metadata.id, question.metadata.op_code)
        );
        assert_eq!(reply.metadata.message_type, MessageType::Response);
        assert!(reply.queries.is_empty() || reply.queries == question.queries);
        let found = reply.metadata.response_code == ResponseCode::NoError;
        assert!(found || reply.answers.is_empty());
        let asked = |record: &hickory_proto::rr::Record| {
            question
                .queries
                .iter()
                .any(|query| (query.name(), query.query_type()) == (&record.name, record.record_type()))
        };
        assert!(reply.answers.iter().all(asked), "what was not asked for is answered");
    }
    assert_eq!(answer(zone, &whole, DnsTransport::Tcp), None, "an answer is answered");
}

fn read(reply: &[u8]) -> Message {
    match Message::from_vec(reply) {
        Ok(reply) => reply,
        Err(error) => unreachable!("an answer is no message: {error}"),
    }
}
