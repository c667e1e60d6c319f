//! A name server of a few lines, over UDP and TCP on loopback.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

pub(crate) const A: u16 = 1;
pub(crate) const TXT: u16 = 16;
pub(crate) const AAAA: u16 = 28;

/// What fits into a datagram.
const MAX_DATAGRAM: usize = 1200;

/// What is said about one name and type.
pub(crate) enum Answers {
    /// These, each as type and data.
    Records(Vec<(u16, Vec<u8>)>),
    /// The name is there, but nothing of that type.
    None,
    NxDomain,
    ServFail,
    Silence,
    Garbage,
}

impl Answers {
    pub(crate) fn a(ips: &[Ipv4Addr]) -> Self {
        Self::Records(ips.iter().map(|ip| (A, ip.octets().to_vec())).collect())
    }

    pub(crate) fn aaaa(ips: &[Ipv6Addr]) -> Self {
        Self::Records(ips.iter().map(|ip| (AAAA, ip.octets().to_vec())).collect())
    }

    pub(crate) fn txt(texts: &[String]) -> Self {
        let data = |text: &String| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
        Self::Records(texts.iter().map(|text| (TXT, data(text))).collect())
    }
}

/// Answers until the program ends.
pub(crate) struct NameServer {
    pub(crate) addr: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl NameServer {
    pub(crate) fn start(answer: impl Fn(&str, u16) -> Answers + Send + Sync + 'static) -> Self {
        let (udp, tcp) = (0..100)
            .find_map(|_| {
                let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
                let tcp = TcpListener::bind(udp.local_addr().unwrap()).ok()?;
                Some((udp, tcp))
            })
            .unwrap();
        let addr = udp.local_addr().unwrap();
        let (answer, asked) = (Arc::new(answer), Arc::new(AtomicUsize::new(0)));
        let (other, counted) = (Arc::clone(&answer), Arc::clone(&asked));
        thread::spawn(move || {
            let mut question = [0; 4096];
            while let Ok((len, from)) = udp.recv_from(&mut question) {
                counted.fetch_add(1, Ordering::Relaxed);
                if let Some(said) = reply(&question[..len], MAX_DATAGRAM, &*answer) {
                    udp.send_to(&said, from).unwrap();
                }
            }
        });
        thread::spawn(move || {
            for tcp in tcp.incoming() {
                let (tcp, answer) = (tcp.unwrap(), Arc::clone(&other));
                thread::spawn(move || serve_tcp(tcp, &*answer));
            }
        });
        Self { addr, asked }
    }

    /// How many questions came, repeated ones too.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

/// Answers the questions of one connection.
fn serve_tcp(mut tcp: TcpStream, answer: &dyn Fn(&str, u16) -> Answers) {
    let mut len = [0; 2];
    while tcp.read_exact(&mut len).is_ok() {
        let mut question = vec![0; usize::from(u16::from_be_bytes(len))];
        tcp.read_exact(&mut question).unwrap();
        let Some(said) = reply(&question, usize::from(u16::MAX), answer) else { continue };
        let len = u16::try_from(said.len()).unwrap().to_be_bytes();
        tcp.write_all(&[&len, &said[..]].concat()).ok();
    }
}

fn reply(question: &[u8], max: usize, answer: &dyn Fn(&str, u16) -> Answers) -> Option<Vec<u8>> {
    let mut at = 12;
    let mut labels = Vec::new();
    while question[at] != 0 {
        let end = at + 1 + usize::from(question[at]);
        labels.push(String::from_utf8_lossy(&question[at + 1..end]).to_lowercase());
        at = end;
    }
    let kind = u16::from_be_bytes([question[at + 1], question[at + 2]]);
    let asked = &question[12..at + 5];
    let (code, records) = match answer(&labels.join("."), kind) {
        Answers::Records(records) => (0, records),
        Answers::None => (0, Vec::new()),
        Answers::NxDomain => (3, Vec::new()),
        Answers::ServFail => (2, Vec::new()),
        Answers::Silence => return None,
        Answers::Garbage => return Some([&question[..2], &[0xff; 40]].concat()),
    };
    let mut body = Vec::new();
    for (kind, data) in &records {
        body.extend_from_slice(&[0xc0, 12]);
        body.extend_from_slice(&kind.to_be_bytes());
        body.extend_from_slice(&[0, 1, 0, 0, 0, 60]);
        body.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
        body.extend_from_slice(data);
    }
    let cut = 12 + asked.len() + body.len() > max;
    let count = if cut { 0 } else { u16::try_from(records.len()).unwrap() };
    let flags = [0x84 | if cut { 2 } else { 0 }, 0x80 | code];
    let header = [&question[..2], &flags[..], &[0, 1], &count.to_be_bytes(), &[0; 4]].concat();
    Some([&header[..], asked, if cut { &[] } else { &body[..] }].concat())
}
