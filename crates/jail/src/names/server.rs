//! The name server's sockets: UDP, and TCP for long answers.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UdpSocket},
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    Zone,
    answer::{DnsTransport, answer},
};

/// The most TCP connections at once; a further one waits until another one ends.
pub const MAX_CONNECTIONS: usize = 256;

/// How long a connection may rest before it is closed.
const MAX_REST: Duration = Duration::from_secs(10);

/// When to accept again after that failed.
const RETRY: Duration = Duration::from_millis(100);

/// The longest question over UDP that is read whole, in bytes. One is a name and little else.
const MAX_QUESTION: usize = 4096;

/// How many times a system that chooses a port is asked for one that is free for TCP as well.
const TRIES: usize = 16;

/// Answers for the names of a zone until it is dropped.
#[derive(Debug)]
pub struct NameServer {
    addr: SocketAddr,
    _tasks: JoinSet<()>,
}

impl NameServer {
    /// Binds to an address, usually port 53 of loopback; with port 0, to the same free port of UDP and TCP.
    ///
    /// Must be called within a tokio runtime with IO and time.
    pub async fn start(zone: Arc<Zone>, at: SocketAddr) -> io::Result<Self> {
        let (udp, tcp) = bind(at).await?;
        let addr = udp.local_addr()?;
        let mut tasks = JoinSet::new();
        tasks.spawn(serve_udp(udp, Arc::clone(&zone)));
        tasks.spawn(serve_tcp(tcp, zone));
        Ok(Self { addr, _tasks: tasks })
    }

    /// Where it listens.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }
}

async fn bind(at: SocketAddr) -> io::Result<(UdpSocket, TcpListener)> {
    let mut tries = 0;
    loop {
        let udp = UdpSocket::bind(at).await?;
        tries += 1;
        match TcpListener::bind(udp.local_addr()?).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && at.port() == 0 && tries < TRIES => {}
            tcp => return Ok((udp, tcp?)),
        }
    }
}

async fn serve_udp(udp: UdpSocket, zone: Arc<Zone>) {
    let mut question = vec![0; MAX_QUESTION];
    loop {
        // An error is one of an earlier answer: that its asker has gone.
        let Ok((len, from)) = udp.recv_from(&mut question).await else { continue };
        if let Some(reply) = answer(&zone, &question[..len], DnsTransport::Udp)
            && let Err(error) = udp.send_to(&reply, from).await
        {
            tracing::debug!(%error, %from, "an answer to a name was not sent");
        }
    }
}

async fn serve_tcp(tcp: TcpListener, zone: Arc<Zone>) {
    let mut connections = JoinSet::new();
    loop {
        if connections.len() >= MAX_CONNECTIONS {
            connections.join_next().await;
        }
        match tcp.accept().await {
            Ok((stream, _)) => drop(connections.spawn(converse(stream, Arc::clone(&zone)))),
            // No descriptor is left for it, and nobody tells when one is.
            Err(error) => {
                tracing::debug!(%error, "a question for a name was not accepted");
                sleep(RETRY).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Answers the questions of one connection until it ends or rests.
async fn converse(mut stream: TcpStream, zone: Arc<Zone>) {
    while let Ok(Ok(question)) = timeout(MAX_REST, read(&mut stream)).await {
        let Some(reply) = answer(&zone, &question, DnsTransport::Tcp) else { return };
        if !matches!(timeout(MAX_REST, write(&mut stream, &reply)).await, Ok(Ok(()))) {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut question = vec![0; stream.read_u16().await?.into()];
    stream.read_exact(&mut question).await?;
    Ok(question)
}

async fn write(stream: &mut TcpStream, reply: &[u8]) -> io::Result<()> {
    let len = u16::try_from(reply.len()).map_err(io::Error::other)?;
    stream.write_all(&[&len.to_be_bytes(), reply].concat()).await
}
