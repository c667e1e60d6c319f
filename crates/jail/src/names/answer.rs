//! From the bytes of a question to those of its answer. Pure. Source: RFC 1035, RFC 6891 (longer datagrams).

use hickory_proto::{
    op::{Edns, Message, MessageType, Metadata, OpCode, Query, ResponseCode},
    rr::{DNSClass, Name, RData, Record, RecordType, rdata::TXT},
};

use super::{Records, Zone};

/// How long an answer may be remembered, in seconds.
const TTL_S: u32 = 60;

/// The longest datagram that is sent, in bytes; DNS Flag Day 2020. What is longer goes over TCP.
pub const MAX_DATAGRAM_BYTES: u16 = 1232;

/// The longest string of a text, in bytes.
const MAX_STRING: usize = 255;

/// How an answer travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DnsTransport {
    /// In one datagram: of [`MAX_DATAGRAM_BYTES`] if the asker takes as much, else of 512 bytes. What is longer is cut.
    Udp,
    /// In a stream: up to 65,535 bytes.
    Tcp,
}

/// The answer to a question; `None` if it is no question at all, or cannot be answered at that length.
pub fn answer(zone: &Zone, question: &[u8], carrier: DnsTransport) -> Option<Vec<u8>> {
    let question = Message::from_vec(question).ok()?;
    if question.metadata.message_type != MessageType::Query {
        return None;
    }
    let mut reply = Message::response(question.metadata.id, question.metadata.op_code);
    reply.metadata = Metadata::response_from_request(&question.metadata);
    reply.metadata.authoritative = true;
    // A question is about one name. Of what is none, a list of any length, nothing is repeated.
    if let [query] = &question.queries[..] {
        reply.add_query(query.clone());
    }
    if question.edns.is_some() {
        reply.set_edns(Edns::new().set_max_payload(MAX_DATAGRAM_BYTES).clone());
    }
    match (question.metadata.op_code, &question.queries[..]) {
        (OpCode::Query, [query]) if query.query_class() == DNSClass::IN => look_up(zone, query, &mut reply),
        (OpCode::Query, [_]) => reply.metadata.response_code = ResponseCode::Refused,
        (OpCode::Query, _) => reply.metadata.response_code = ResponseCode::FormErr,
        _ => reply.metadata.response_code = ResponseCode::NotImp,
    }
    let bytes = reply.to_vec().ok()?;
    let room = match carrier {
        DnsTransport::Udp => question.max_payload().min(MAX_DATAGRAM_BYTES),
        DnsTransport::Tcp => u16::MAX,
    };
    if bytes.len() <= usize::from(room) { Some(bytes) } else { reply.truncate().to_vec().ok() }
}

fn look_up(zone: &Zone, query: &Query, reply: &mut Message) {
    let name = query.name().to_ascii().to_ascii_lowercase();
    let Some(records) = zone.records(name.trim_end_matches('.')) else {
        reply.metadata.response_code = ResponseCode::NXDomain;
        return;
    };
    reply.add_answers(data(records, query.query_type()).map(|data| of(query.name(), data)));
}

fn of(name: &Name, data: RData) -> Record {
    Record::from_rdata(name.clone(), TTL_S, data)
}

/// The records of one kind.
fn data(records: &Records, kind: RecordType) -> impl Iterator<Item = RData> {
    let all: Vec<RData> = match kind {
        RecordType::A => records.v4.iter().map(|&ip| RData::A(ip.into())).collect(),
        RecordType::AAAA => records.v6.iter().map(|&ip| RData::AAAA(ip.into())).collect(),
        RecordType::TXT => {
            let strings = |text: &String| TXT::from_bytes(text.as_bytes().chunks(MAX_STRING).collect());
            records.texts.iter().map(|text| RData::TXT(strings(text))).collect()
        }
        _ => Vec::new(),
    };
    all.into_iter()
}
