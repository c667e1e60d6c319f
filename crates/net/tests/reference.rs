//! Both of our roles against the libp2p crates' Noise, TLS, yamux and multistream-select.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    net::Ipv4Addr,
    pin::{Pin, pin},
    sync::Arc,
};

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, future::poll_fn};
use kad::{
    PeerId,
    identify::{IDENTIFY_PROTOCOL, Identify},
    network::{Connection, Event, Network},
    protobuf::write_varint,
};
use kadscope_net::{
    Addresses, Host, HostConfig, Identity,
    serve::{self, Answer, Head, HeadProfile, ListenLimits, Request, Service},
    tcp_multiaddr,
};
use libp2p_core::{
    muxing::StreamMuxerExt,
    upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade},
};
use libp2p_identity::Keypair;
use multistream_select::{Version, dialer_select_proto, listener_select_proto};
use tokio::{net::TcpStream, task::JoinHandle};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

const KAD: &str = "/ipfs/kad/1.0.0";
const PING: &str = "/ipfs/ping/1.0.0";
const YAMUX: &str = "/yamux/1.0.0";

type Socket = multistream_select::Negotiated<Compat<TcpStream>>;
type Secured = multistream_select::Negotiated<libp2p_noise::Output<Socket>>;
type Muxer = libp2p_yamux::Muxer<Secured>;

/// Says each request three times.
struct Echo;

impl Service for Echo {
    async fn answer(&self, request: Request) -> Answer {
        Answer::Message(request.message.repeat(3))
    }
}

async fn write_message(stream: &mut (impl AsyncWrite + Unpin), message: &[u8]) {
    let mut bytes = Vec::new();
    write_varint(&mut bytes, message.len() as u64);
    bytes.extend_from_slice(message);
    stream.write_all(&bytes).await.unwrap();
    stream.flush().await.unwrap();
}

/// `None` at the end of the stream.
async fn read_message(stream: &mut (impl AsyncRead + Unpin)) -> Option<Vec<u8>> {
    let (mut length, mut shift) = (0_usize, 0);
    loop {
        let mut byte = [0];
        stream.read_exact(&mut byte).await.ok()?;
        length |= usize::from(byte[0] & 0x7f) << shift;
        shift += 7;
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let mut message = vec![0; length];
    stream.read_exact(&mut message).await.unwrap();
    Some(message)
}

/// The reference as a listener, up to yamux.
async fn accept(keypair: Keypair, tcp: TcpStream) -> Muxer {
    let noise = libp2p_noise::Config::new(&keypair).unwrap();
    let (name, socket) = listener_select_proto(tcp.compat(), ["/noise"]).await.unwrap();
    let (_, secured) = noise.upgrade_inbound(socket, name).await.unwrap();
    let (name, secured) = listener_select_proto(secured, [YAMUX]).await.unwrap();
    libp2p_yamux::Config::default().upgrade_inbound(secured, name).await.unwrap()
}

/// The reference as a listener: says each message three times, on any number of streams.
async fn reference_listener(keypair: Keypair, tcp: TcpStream) {
    let mut muxer = accept(keypair, tcp).await;
    loop {
        let next = poll_fn(|cx| {
            drop(muxer.poll_unpin(cx));
            muxer.poll_inbound_unpin(cx)
        });
        let Ok(stream) = next.await else { return };
        tokio::spawn(async move {
            let Ok((_, mut stream)) = listener_select_proto(stream, [KAD]).await else { return };
            while let Some(message) = read_message(&mut stream).await {
                write_message(&mut stream, &message.repeat(3)).await;
            }
            stream.close().await.ok();
        });
    }
}

#[tokio::test]
async fn our_dialler_talks_to_the_reference() {
    for keypair in [Keypair::generate_ed25519(), Keypair::generate_secp256k1(), Keypair::generate_ecdsa()] {
        let peer = keypair.public().to_peer_id();
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = tcp_multiaddr(listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            let (tcp, _) = listener.accept().await.unwrap();
            reference_listener(keypair, tcp).await;
        });
        let host = Host::new(HostConfig::new(Identity::generate().unwrap(), Addresses::Loopback)).unwrap();
        let mut connection = host.connect(peer, vec![addr]).await.connection.unwrap();
        let refused = connection.open("/not/spoken", 99);
        connection.send(refused, b"x");
        let stream = connection.open(KAD, 4 << 20);
        let messages: Vec<Vec<u8>> = (0..16).map(|i| vec![i; 40 << i.min(14)]).collect();
        for message in &messages {
            connection.send(stream, message);
        }
        connection.finish(stream);
        let (mut answers, mut ends) = (Vec::new(), Vec::new());
        while ends.len() < 2 {
            match connection.next().await.unwrap() {
                Event::Accepted(id) => assert_eq!(id, stream),
                Event::Message(_, message) => answers.push(message),
                Event::Ended(id, end) => ends.push((id, end.is_some())),
            }
        }
        ends.sort_unstable();
        assert_eq!(ends, [(refused, true), (stream, false)]);
        assert!(answers.iter().zip(&messages).all(|(answer, message)| *answer == message.repeat(3)));
        assert_eq!(answers.len(), 16);
        connection.close().await;
        server.await.unwrap();
    }
}

#[tokio::test]
async fn a_peer_that_we_dialled_asks_us() {
    let keypair = Keypair::generate_ed25519();
    let peer = keypair.public().to_peer_id();
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = tcp_multiaddr(listener.local_addr().unwrap());
    let ask = async {
        let (tcp, _) = listener.accept().await.unwrap();
        let mut muxer = accept(keypair, tcp).await;
        let stream = open(&mut muxer).await;
        let negotiated = dialer_select_proto(stream, [KAD, IDENTIFY_PROTOCOL], Version::V1);
        let (name, mut stream) = beside(&mut muxer, negotiated).await.unwrap();
        assert_eq!(name, IDENTIFY_PROTOCOL);
        let answer = beside(&mut muxer, read_message(&mut stream)).await.unwrap();
        let stream = open(&mut muxer).await;
        let (_, mut stream) =
            beside(&mut muxer, dialer_select_proto(stream, [PING], Version::V1)).await.unwrap();
        let ping = async {
            stream.write_all(&[9; 32]).await.unwrap();
            stream.flush().await.unwrap();
            let mut echoed = [0; 32];
            stream.read_exact(&mut echoed).await.unwrap();
            echoed
        };
        (Identify::decode(&answer).unwrap(), beside(&mut muxer, ping).await)
    };
    let mut config = HostConfig::new(Identity::generate().unwrap(), Addresses::Loopback);
    config.agent = "asker/1".into();
    let host = Host::new(config).unwrap();
    let answer = async {
        let mut connection = host.connect(peer, vec![addr]).await.connection.unwrap();
        let event = connection.next().await;
        panic!("nothing happens on streams of our own: {event:?}")
    };
    let (identify, echoed) = tokio::select! { asked = ask => asked, () = answer => unreachable!() };
    assert_eq!(identify.agent_version.as_deref(), Some("asker/1"));
    assert_eq!(echoed, [9; 32]);
}

/// The reference as a dialler: a muxer that a task drives, and streams on demand.
async fn reference_dialer(tcp: TcpStream, peer: PeerId, version: Version) -> Muxer {
    let noise = libp2p_noise::Config::new(&Keypair::generate_ed25519()).unwrap();
    let (name, socket) = dialer_select_proto(tcp.compat(), ["/noise"], version).await.unwrap();
    let (who, secured) = noise.upgrade_outbound(socket, name).await.unwrap();
    assert_eq!(who, peer);
    let (name, secured) = dialer_select_proto(secured, [YAMUX], version).await.unwrap();
    libp2p_yamux::Config::default().upgrade_outbound(secured, name).await.unwrap()
}

fn serve_echo() -> (PeerId, std::net::SocketAddr, JoinHandle<()>) {
    let listener = serve::bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let addr = listener.local_addr().unwrap();
    let profile = HeadProfile::new("echo/1", &[KAD]);
    let head = Arc::new(Head::new(Identity::generate().unwrap(), &profile, &[tcp_multiaddr(addr)], Echo));
    let peer = head.peer_id();
    let task =
        tokio::spawn(serve::listen(listener, move |_| Some(Arc::clone(&head)), ListenLimits::default()));
    (peer, addr, task)
}

async fn open(muxer: &mut Muxer) -> <Muxer as libp2p_core::StreamMuxer>::Substream {
    poll_fn(|cx| {
        drop(muxer.poll_unpin(cx));
        muxer.poll_outbound_unpin(cx)
    })
    .await
    .unwrap()
}

/// Drives the muxer beside a future, as its owner must.
async fn beside<T>(muxer: &mut Muxer, future: impl Future<Output = T>) -> T {
    let mut future = Box::pin(future);
    poll_fn(|cx| {
        drop(Pin::new(&mut *muxer).poll_unpin(cx));
        future.as_mut().poll(cx)
    })
    .await
}

/// More than any window in both directions, and read while it is written.
async fn echoed_while_written(stream: impl AsyncRead + AsyncWrite) -> Vec<Vec<u8>> {
    let (reader, writer) = stream.split();
    let (mut reader, mut writer) = (pin!(reader), pin!(writer));
    let write = async {
        for i in 0..20 {
            write_message(&mut writer, &vec![i; 50_000]).await;
        }
        writer.close().await.unwrap();
    };
    let read = async {
        let mut answers = Vec::new();
        while let Some(message) = read_message(&mut reader).await {
            answers.push(message);
        }
        answers
    };
    futures::join!(write, read).1
}

#[tokio::test]
async fn the_reference_dials_our_heads() {
    for version in [Version::V1, Version::V1Lazy] {
        let (peer, addr, task) = serve_echo();
        let tcp = TcpStream::connect(addr).await.unwrap();
        let mut muxer = reference_dialer(tcp, peer, version).await;

        let stream = open(&mut muxer).await;
        let identify = beside(&mut muxer, async {
            let (_, mut stream) = dialer_select_proto(stream, [IDENTIFY_PROTOCOL], version).await.unwrap();
            read_message(&mut stream).await.unwrap()
        });
        assert_eq!(Identify::decode(&identify.await).unwrap().agent_version.as_deref(), Some("echo/1"));

        let stream = open(&mut muxer).await;
        let echoed = beside(&mut muxer, async {
            let (_, mut stream) = dialer_select_proto(stream, ["/x/1", PING], Version::V1).await.unwrap();
            stream.write_all(&[9; 64]).await.unwrap();
            stream.flush().await.unwrap();
            let mut echoed = [0; 64];
            stream.read_exact(&mut echoed).await.unwrap();
            echoed
        });
        assert_eq!(echoed.await, [9; 64]);

        let stream = open(&mut muxer).await;
        let (_, stream) = beside(&mut muxer, dialer_select_proto(stream, [KAD], version)).await.unwrap();
        let answers = beside(&mut muxer, echoed_while_written(stream)).await;
        assert!(answers.iter().zip(0..).all(|(answer, i)| *answer == vec![i; 150_000]));
        assert_eq!(answers.len(), 20);
        task.abort();
    }
}
