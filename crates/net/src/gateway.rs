//! Asks gateways over HTTP whether they have a block: one request on a connection of its own, by the rules of every dial. Which
//! addresses are of a gateway, and what answers mean, is in [`kad::gateway`].
//!
//! An answer is read as far as its empty line; an answer to `HEAD` has nothing behind it. Source: RFC 9110, RFC 9112.

mod answer;
#[cfg(test)]
mod tests;

use std::{net::SocketAddr, sync::Arc};

use kad::{
    Multiaddr, PeerId,
    bitswap::BlockPresence,
    failure::{Failure, FailureClass, Phase, SkipReason, furthest},
    gateway::{Gateway, GatewayQuestion, GatewayReply},
    network::AddressOutcome,
    plan::{Approach, DialRules},
    policy::Target,
};
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_rustls::TlsConnector;

pub use answer::read_answer;

use crate::{
    dial::{Host, Inner},
    failure::from_io,
    ws::tls_failure,
};

/// What is agreed on inside TLS.
const HTTP_1_1: &[u8] = b"http/1.1";

/// How many of the sockets that a name leads to are tried, one after the other.
const MAX_SOCKETS: usize = 3;

/// What was answered, if it was HTTP. An error is why nothing was.
type Answered = Result<Result<BlockPresence, Failure>, AddressOutcome>;

impl Host {
    /// Asks a peer at an address of HTTP whether it has a block. No address is asked that the rules of dials leave out, certificates
    /// are verified by the host's roots, and redirects are not followed. It ends by itself: each socket has the time of a dial.
    ///
    /// Over HTTP nobody proves to be that peer.
    pub async fn ask_gateway(
        &self,
        peer: PeerId,
        address: Multiaddr,
        question: &GatewayQuestion,
    ) -> GatewayReply {
        let begun = Instant::now();
        let (outcome, answer) = match self.0.ask_gateway(peer, &address, question).await {
            Ok(answer) => (AddressOutcome::Connected, Some(answer)),
            Err(outcome) => (outcome, None),
        };
        let is_skipped = matches!(outcome, AddressOutcome::Skipped(_));
        GatewayReply { address, outcome, took: (!is_skipped).then(|| begun.elapsed()), answer }
    }
}

impl Inner {
    async fn ask_gateway(&self, peer: PeerId, address: &Multiaddr, question: &GatewayQuestion) -> Answered {
        let rules = &self.shared.rules;
        let gateway =
            Gateway::of(address).ok_or(AddressOutcome::Skipped(SkipReason::TransportNotSupported))?;
        if rules.opt_out.has_address(address) {
            return Err(AddressOutcome::Skipped(SkipReason::OptedOut));
        }
        let way = rules.way(&gateway.socket, &peer).map_err(AddressOutcome::Skipped)?;
        let sockets = match way {
            Approach::Socket(target) => vec![target],
            Approach::Name => self.sockets(&gateway.socket, peer).await?,
        };
        let mut failures = Vec::with_capacity(sockets.len());
        for socket in sockets {
            self.pace(socket).await;
            let room = self.shared.connecting.acquire().await;
            let asked = timeout(self.shared.dial_timeout, self.ask_socket(socket.addr(), &gateway, question));
            let late = Failure::new(Phase::Connect, FailureClass::Timeout);
            let answered = asked.await.unwrap_or(Err(late));
            drop(room);
            match answered {
                Ok(answer) => return Ok(answer),
                Err(failure) => failures.push(failure),
            }
        }
        let nothing = || Failure::new(Phase::Dns, FailureClass::NameNotFound);
        Err(AddressOutcome::Failed(furthest(&failures).cloned().unwrap_or_else(nothing)))
    }

    /// The sockets that a name leads to, as far as they may be dialled.
    async fn sockets(&self, address: &Multiaddr, peer: PeerId) -> Result<Vec<Target>, AddressOutcome> {
        let names = &self.shared.names;
        let resolving = async {
            let _turn = names.turn().await;
            names.resolve(address, &peer).await
        };
        let late = Failure::new(Phase::Dns, FailureClass::Timeout);
        let resolved = timeout(self.shared.dial_timeout, resolving).await.unwrap_or(Err(late));
        let rules = DialRules { names: false, ..self.shared.rules.clone() };
        let ways = resolved.map_err(AddressOutcome::Failed)?.addrs.into_iter();
        let (mut sockets, mut reason) = (Vec::new(), None);
        for way in ways.map(|addr| rules.way(&addr, &peer)) {
            match way {
                Ok(Approach::Socket(target)) if sockets.len() < MAX_SOCKETS => sockets.push(target),
                Ok(_) => {}
                Err(skipped) => reason = reason.or(Some(skipped)),
            }
        }
        match reason {
            Some(reason) if sockets.is_empty() => Err(AddressOutcome::Skipped(reason)),
            _ => Ok(sockets),
        }
    }

    async fn ask_socket(
        &self,
        addr: SocketAddr,
        gateway: &Gateway,
        question: &GatewayQuestion,
    ) -> Result<Result<BlockPresence, Failure>, Failure> {
        let tcp = TcpStream::connect(addr).await.map_err(|error| from_io(Phase::Connect, &error))?;
        let request = gateway.request(question);
        if !gateway.is_tls {
            return exchange(tcp, &request).await;
        }
        let named = gateway.name.clone().map(ServerName::try_from);
        let name = named.transpose().map_err(|_| no_name())?.unwrap_or_else(|| addr.ip().into());
        let unverified = |error: rustls::Error| {
            Failure::with_detail(Phase::Connect, FailureClass::HandshakeFailed, &error.to_string())
        };
        let config = self.shared.roots.client(HTTP_1_1).map_err(unverified)?;
        let tls = TlsConnector::from(Arc::new(config)).connect(name, tcp).await;
        exchange(tls.map_err(|error| tls_failure(&error))?, &request).await
    }
}

fn no_name() -> Failure {
    Failure::with_detail(Phase::Connect, FailureClass::HandshakeFailed, "the name is none of the web's")
}

/// Sends a request, and reads the answer.
async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    request: &[u8],
) -> Result<Result<BlockPresence, Failure>, Failure> {
    let io = |error| from_io(Phase::Connect, &error);
    stream.write_all(request).await.map_err(io)?;
    stream.flush().await.map_err(io)?;
    read_answer(stream).await
}
