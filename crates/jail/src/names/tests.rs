//! Zones, and answers as a client reads them.

use std::sync::Arc;

use hickory_proto::{
    op::{Edns, Message, MessageType, OpCode, Query, ResponseCode},
    rr::{DNSClass, Name, RData, RecordType},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket},
};

use super::*;

/// Where the texts of the list are.
const LIST: &str = "_dnsaddr.list.test.";

/// Hosts with addresses, and a list with a text for each, as long as the address of a peer.
fn listed(hosts: u8) -> Zone {
    let mut zone = Zone::default();
    for n in 0..hosts {
        let host = format!("b{n}.list.test");
        let text = format!("dnsaddr=/dnsaddr/{host}/p2p/{}", "1".repeat(52));
        zone.add_text(LIST.trim_end_matches('.'), &text).unwrap();
        zone.add_ip(&host, Ipv4Addr::new(5, 1, 0, n).into()).unwrap();
        zone.add_ip(&host, Ipv6Addr::new(0x2a05, 0, 0, 0, 0, 0, 0, n.into()).into()).unwrap();
    }
    zone
}

fn question(name: &str, kind: RecordType) -> Message {
    let mut question = Message::new(7, MessageType::Query, OpCode::Query);
    question.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    question
}

fn asked(zone: &Zone, question: &Message, carrier: DnsTransport) -> Message {
    Message::from_vec(&answer(zone, &question.to_vec().unwrap(), carrier).unwrap()).unwrap()
}

fn texts(reply: &Message) -> Vec<String> {
    let text = |data: &RData| match data {
        RData::TXT(text) => String::from_utf8(text.txt_data.concat()).unwrap(),
        other => panic!("{other:?}"),
    };
    reply.answers.iter().map(|record| text(&record.data)).collect()
}

#[test]
fn a_name_is_the_same_in_upper_and_lower_case() {
    let zone = listed(3);
    let ask = |name, kind| asked(&zone, &question(name, kind), DnsTransport::Tcp);
    let v4 = ask("B1.List.Test.", RecordType::A);
    assert!(
        matches!(&v4.answers[..], [record] if record.data == RData::A(Ipv4Addr::new(5, 1, 0, 1).into())),
        "{v4:?}"
    );
    assert_eq!(ask("b1.list.test.", RecordType::AAAA).answers.len(), 1);
    assert_eq!(texts(&ask(LIST, RecordType::TXT)).len(), 3);
}

#[test]
fn what_is_not_there_is_told_from_what_has_nothing_of_that_kind() {
    let zone = listed(1);
    for (name, kind, code) in [
        ("b0.list.test.", RecordType::TXT, ResponseCode::NoError),
        ("b0.list.test.", RecordType::MX, ResponseCode::NoError),
        ("list.test.", RecordType::A, ResponseCode::NoError),
        ("b1.list.test.", RecordType::A, ResponseCode::NXDomain),
        ("example.org.", RecordType::A, ResponseCode::NXDomain),
        (".", RecordType::NS, ResponseCode::NXDomain),
    ] {
        let reply = asked(&zone, &question(name, kind), DnsTransport::Udp);
        assert_eq!((reply.metadata.response_code, reply.answers.len()), (code, 0), "{name} {kind}");
        assert!(reply.metadata.authoritative && !reply.metadata.recursion_available);
        assert_eq!(reply.metadata.id, 7);
    }
}

#[test]
fn long_answers_go_over_tcp_and_the_asker_says_what_is_long() {
    let zone = listed(8);
    let mut question = question(LIST, RecordType::TXT);
    let cut = asked(&zone, &question, DnsTransport::Udp);
    assert!(cut.metadata.truncation && cut.answers.is_empty() && cut.edns.is_none());
    question.set_edns(Edns::new().set_max_payload(1232).clone());
    let whole = asked(&zone, &question, DnsTransport::Udp);
    assert!(!whole.metadata.truncation && whole.edns.is_some());
    assert_eq!(texts(&whole).len(), 8);

    let zone = listed(64);
    question.set_edns(Edns::new().set_max_payload(4096).clone());
    assert!(
        asked(&zone, &question, DnsTransport::Udp).metadata.truncation,
        "datagrams stay below 1232 bytes"
    );
    assert_eq!(texts(&asked(&zone, &question, DnsTransport::Tcp)).len(), 64);
}

#[test]
fn a_long_text_is_spread_over_strings() {
    let mut zone = Zone::default();
    let long = "x".repeat(MAX_TEXT_BYTES);
    zone.add_text("long.test", &long).unwrap();
    let reply = asked(&zone, &question("long.test.", RecordType::TXT), DnsTransport::Tcp);
    assert_eq!(texts(&reply).concat(), long);
    assert_eq!(zone.add_text("long.test", &(long + "x")), Err(ZoneError::Text("long.test".into())));
}

#[test]
fn what_is_no_question_for_us_is_refused_or_left() {
    let zone = Zone::default();
    let mut chaos = question("version.bind.", RecordType::TXT);
    chaos.queries[0].set_query_class(DNSClass::CH);
    assert_eq!(asked(&zone, &chaos, DnsTransport::Udp).metadata.response_code, ResponseCode::Refused);
    let mut update = question("list.test.", RecordType::A);
    update.metadata.op_code = OpCode::Update;
    assert_eq!(asked(&zone, &update, DnsTransport::Udp).metadata.response_code, ResponseCode::NotImp);
    let mut none = question("list.test.", RecordType::A);
    none.queries.clear();
    assert_eq!(asked(&zone, &none, DnsTransport::Udp).metadata.response_code, ResponseCode::FormErr);
    let mut many = question("list.test.", RecordType::A);
    many.queries = vec![many.queries[0].clone(); 200];
    let reply = asked(&zone, &many, DnsTransport::Udp);
    assert_eq!((reply.metadata.response_code, reply.queries.len()), (ResponseCode::FormErr, 0));
    let reply = asked(&zone, &question("list.test.", RecordType::A), DnsTransport::Udp).to_vec().unwrap();
    for bytes in [&reply[..], b"", b"nonsense"] {
        assert_eq!(answer(&zone, bytes, DnsTransport::Udp), None);
    }
}

#[test]
fn zones_have_bounds() {
    let mut zone = Zone::default();
    for n in 0..u32::try_from(MAX_RECORDS).unwrap() {
        zone.add_ip("host.test", Ipv4Addr::from_bits(n).into()).unwrap();
    }
    zone.add_ip("host.test", Ipv4Addr::from_bits(0).into()).unwrap();
    let more = zone.add_ip("host.test", Ipv4Addr::BROADCAST.into());
    assert_eq!(more, Err(ZoneError::Records("host.test".into())));
    let mut added = (0..MAX_NAMES).map(|n| zone.add_text(&format!("n{n}.test"), ""));
    assert!(added.any(|added| added == Err(ZoneError::Names)));
    zone.add_text("host.test", "it is there").unwrap();
}

#[tokio::test]
async fn both_sockets_answer() {
    let zone = Arc::new(listed(64));
    let server = NameServer::start(zone, "127.0.0.1:0".parse().unwrap()).await.unwrap();
    let list = question(LIST, RecordType::TXT).to_vec().unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    udp.send_to(b"nonsense", server.addr()).await.unwrap();
    udp.send_to(&list, server.addr()).await.unwrap();
    let mut datagram = [0; 2048];
    let len = udp.recv(&mut datagram).await.unwrap();
    assert!(Message::from_vec(&datagram[..len]).unwrap().metadata.truncation);

    let mut tcp = TcpStream::connect(server.addr()).await.unwrap();
    for _ in 0..2 {
        let len = u16::try_from(list.len()).unwrap();
        tcp.write_all(&[&len.to_be_bytes(), &list[..]].concat()).await.unwrap();
        let mut reply = vec![0; tcp.read_u16().await.unwrap().into()];
        tcp.read_exact(&mut reply).await.unwrap();
        assert_eq!(texts(&Message::from_vec(&reply).unwrap()).len(), 64);
    }
    drop(server);
    assert_eq!(tcp.read(&mut [0]).await.unwrap(), 0, "the connection ends with the server");
}
