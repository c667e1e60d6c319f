//! Gateways that answer in every way, with and without TLS, and addresses that are not asked.

use std::time::Duration;

use kad::{opt_out::OptOut, policy::Addresses};
use tokio::{
    io::{AsyncReadExt as _, DuplexStream, duplex},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::{Authority, HostConfig, Identity, Roots};

const RAW: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.ipld.raw\r\n\r\n";

fn question() -> GatewayQuestion {
    GatewayQuestion { cid: vec![1, 0x55, 0, 1, 7], agent: "test/1".to_owned() }
}

fn host(change: impl FnOnce(&mut HostConfig)) -> Host {
    let mut config = HostConfig::new(Identity::generate().unwrap(), Addresses::Loopback);
    config.dials.dial_timeout = Duration::from_secs(2);
    change(&mut config);
    Host::new(config).unwrap()
}

async fn ask(host: &Host, address: &str) -> GatewayReply {
    let reply = host.ask_gateway(PeerId::random(), address.parse().unwrap(), &question()).await;
    assert_eq!(reply.took.is_none(), matches!(reply.outcome, AddressOutcome::Skipped(_)));
    assert_eq!(reply.answer.is_some(), reply.outcome == AddressOutcome::Connected);
    reply
}

/// Reads a request, answers, and gives back what was asked.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &[u8], step: usize) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.unwrap());
    }
    for piece in answer.chunks(step) {
        // Who asks may have heard enough.
        stream.write_all(piece).await.ok();
        stream.flush().await.ok();
        tokio::task::yield_now().await;
    }
    String::from_utf8(request).unwrap()
}

/// A gateway on loopback that answers once, over TLS where it is given a certificate; with its port.
async fn gateway(answer: &'static str, tls: Option<TlsAcceptor>) -> (u16, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        match tls {
            None => serve(stream, answer.as_bytes(), 7).await,
            Some(tls) => match tls.accept(stream).await {
                Ok(stream) => serve(stream, answer.as_bytes(), 7).await,
                Err(_) => String::new(),
            },
        }
    });
    (port, serving)
}

#[tokio::test]
async fn a_gateway_is_asked_for_the_head_of_the_block() {
    let (port, serving) = gateway(RAW, None).await;
    let reply = ask(&host(|_| {}), &format!("/ip4/127.0.0.1/tcp/{port}/http")).await;
    assert_eq!(reply.answer, Some(Ok(BlockPresence::Have)));
    let asked = serving.await.unwrap();
    assert!(asked.starts_with("HEAD /ipfs/bafkqaaih?format=raw HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains(&format!("\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: test/1\r\n")), "{asked}");
}

#[tokio::test]
async fn a_certificate_has_to_be_signed_by_a_root_and_for_the_name() {
    let authority = Authority::new("gateway.test").unwrap();
    let certificate = authority.certify("a.gateway.test").unwrap();
    let acceptor = || {
        let config = rustls::ServerConfig::builder_with_provider(crate::tls::provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from((*certificate.0).clone())));
        Some(TlsAcceptor::from(Arc::new(config)))
    };
    let roots = Roots::from_pem(authority.root_pem().as_bytes()).unwrap();
    for (roots, name, is_asked) in [
        (roots.clone(), "a.gateway.test", true),
        (roots, "b.gateway.test", false),
        (Roots::default(), "a.gateway.test", false),
    ] {
        let (port, serving) = gateway(RAW, acceptor()).await;
        let host = host(|config| config.dials.roots = roots);
        let reply = ask(&host, &format!("/ip4/127.0.0.1/tcp/{port}/tls/sni/{name}/http")).await;
        if is_asked {
            assert_eq!(reply.answer, Some(Ok(BlockPresence::Have)));
            assert!(serving.await.unwrap().contains("\r\nHost: a.gateway.test:"));
        } else {
            let AddressOutcome::Failed(failure) = reply.outcome else { panic!("{reply:?}") };
            assert_eq!((failure.phase, failure.class), (Phase::Connect, FailureClass::HandshakeFailed));
            serving.abort();
        }
    }
}

#[tokio::test]
async fn no_address_is_asked_that_is_not_dialled() {
    let opted_out = |config: &mut HostConfig| {
        config.dials.opt_out = Arc::new(OptOut::parse("127.0.0.9").unwrap());
    };
    let host = host(opted_out);
    for (address, reason) in [
        ("/ip4/8.8.8.8/tcp/80/http", SkipReason::Public),
        ("/ip4/10.0.0.1/tcp/80/http", SkipReason::Private),
        ("/ip4/127.0.0.9/tcp/80/http", SkipReason::OptedOut),
        ("/ip4/127.0.0.1/tcp/0/http", SkipReason::SpecialPurpose),
        ("/dns4/a.example/tcp/443/https", SkipReason::Name),
        ("/ip4/127.0.0.1/tcp/80", SkipReason::TransportNotSupported),
        (
            "/ip4/127.0.0.1/tcp/80/http/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN",
            SkipReason::OtherPeer,
        ),
    ] {
        assert_eq!(ask(&host, address).await.outcome, AddressOutcome::Skipped(reason), "{address}");
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let silent = ask(&host, &format!("/ip4/127.0.0.1/tcp/{port}/http")).await.outcome;
    assert_eq!(silent, AddressOutcome::Failed(Failure::new(Phase::Connect, FailureClass::Timeout)));
    drop(listener);
    let gone = ask(&host, &format!("/ip4/127.0.0.1/tcp/{port}/http")).await.outcome;
    assert_eq!(gone, AddressOutcome::Failed(Failure::new(Phase::Connect, FailureClass::ConnectionRefused)));
}

/// What is read of an answer that comes in pieces.
async fn read(answer: &[u8], step: usize) -> Result<Result<BlockPresence, FailureClass>, FailureClass> {
    let (ours, mut theirs): (DuplexStream, DuplexStream) = duplex(64 * 1024);
    let answer = answer.to_vec();
    let serving = tokio::spawn(async move {
        for piece in answer.chunks(step) {
            theirs.write_all(piece).await.ok();
        }
    });
    let read = read_answer(ours).await;
    serving.await.unwrap();
    read.map(|said| said.map_err(|failure| failure.class)).map_err(|failure| failure.class)
}

#[tokio::test]
async fn answers_come_in_pieces_behind_hints_and_without_end() {
    let hinted = format!("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n{RAW}");
    for step in [1, 5, 10_000] {
        assert_eq!(read(RAW.as_bytes(), step).await, Ok(Ok(BlockPresence::Have)));
        assert_eq!(read(hinted.as_bytes(), step).await, Ok(Ok(BlockPresence::Have)));
        let old = b"HTTP/1.0 404 Not Found\r\n\r\n";
        assert_eq!(read(old, step).await, Ok(Ok(BlockPresence::DontHave)));
        let page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>";
        assert_eq!(read(page, step).await, Ok(Err(FailureClass::ProtocolNotSupported)));
        assert_eq!(read(b"SSH-2.0-x\r\n", step).await, Err(FailureClass::Malformed));
        assert_eq!(read(b"\x13/multistream/1.0.0\n", step).await, Err(FailureClass::Malformed));
        assert_eq!(read(b"HTTP/1.1 200 OK\r\n", step).await, Err(FailureClass::ConnectionClosed));
        assert_eq!(read(b"", step).await, Err(FailureClass::ConnectionClosed));
    }
    let endless = [b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'x'; 60_000]].concat();
    assert_eq!(read(&endless, 4096).await, Err(FailureClass::MessageTooLarge));
    let hints = "HTTP/1.1 103 x\r\n\r\n".repeat(3000);
    assert_eq!(read(hints.as_bytes(), 4096).await, Err(FailureClass::MessageTooLarge));
}
