//! WebSocket (`/ws`) and secure WebSocket (`/tls/ws`, `/wss`), dialling and listening: binary messages as a byte stream.
//!
//! What the messages carry is a session of libp2p as over TCP, with Noise or TLS of its own: that authenticates the
//! peer. So the certificate below a secure WebSocket proves nothing that is needed, and none is refused; what it is is said
//! ([`WssCertificate`]), for those who count who else would have come in. Only TLS 1.3 is spoken. Source: RFC 6455; libp2p specification,
//! `websockets/README.md`.

mod below;
mod request;
mod upgrade;
mod witness;

use std::{
    io,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use futures_util::{SinkExt, StreamExt};
use kad::{
    PeerId,
    failure::{Failure, FailureClass, Phase},
    network::{Transport, WssCertificate},
};
use tokio::{io::ReadBuf, net::TcpStream};
use tokio_tungstenite::{
    WebSocketStream, accept_async_with_config,
    tungstenite::{Error as WsError, Message, error::ProtocolError, protocol::WebSocketConfig},
};

pub(crate) use below::failure as tls_failure;
pub(crate) use request::Destination;

use self::{below::Below, upgrade::upgrade};
use crate::{
    failure::from_io,
    tls::{NamedCertificate, OwnTls, Roots},
};

/// The longest message that is read, in bytes. Others put what was written at once into one message.
const MAX_MESSAGE_BYTES: usize = 1024 * 1024;

/// The longest message that is written, in bytes.
const MAX_WRITTEN_BYTES: usize = 64 * 1024;

/// What may wait for the TCP connection, in bytes: a message and answers to pings.
const MAX_BUFFERED_BYTES: usize = 4 * MAX_WRITTEN_BYTES;

/// The room for reading, in bytes. It is held as long as the connection is.
const READ_BYTES: usize = 8 * 1024;

/// A byte stream in binary messages.
#[derive(Debug)]
pub(crate) struct WebSocket {
    stream: WebSocketStream<Below>,
    /// The rest of the message that was read last.
    rest: Bytes,
    /// What the server's certificate is, of one that we dialled by TLS.
    certificate: Option<WssCertificate>,
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(MAX_BUFFERED_BYTES)
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES))
}

impl WebSocket {
    /// Upgrades a TCP connection that we opened to that peer.
    pub(crate) async fn dial(
        tcp: TcpStream,
        to: &Destination<'_>,
        (peer, roots): (PeerId, &Roots),
    ) -> Result<Self, Failure> {
        let (below, certificate) = match to.target.transport() {
            Transport::Wss => {
                let (below, certificate) = below::dial_tls(tcp, to.server_name(), peer, roots).await?;
                (below, Some(certificate))
            }
            _ => (Below::Plain(tcp), None),
        };
        Ok(Self { stream: upgrade(to.uri(), below).await?, rest: Bytes::new(), certificate })
    }

    /// Upgrades a TCP connection that a peer opened. With certificates, of which the one for a name goes first, TLS lies
    /// below the WebSocket.
    pub(crate) async fn accept(
        tcp: TcpStream,
        own: Option<(&OwnTls, Option<&NamedCertificate>)>,
    ) -> Result<Self, Failure> {
        let below = match own {
            Some((own, named)) => below::accept_tls(tcp, own, named).await?,
            None => Below::Plain(tcp),
        };
        let upgraded = accept_async_with_config(below, Some(config())).await;
        let stream = upgraded.map_err(|error| failure(&error))?;
        Ok(Self { stream, rest: Bytes::new(), certificate: None })
    }

    /// What the server's certificate is, of one that we dialled by TLS.
    pub(crate) const fn certificate(&self) -> Option<WssCertificate> {
        self.certificate
    }

    pub(crate) fn tcp(&self) -> &TcpStream {
        self.stream.get_ref().tcp()
    }

    pub(crate) fn transport(&self) -> Transport {
        match self.stream.get_ref() {
            Below::Plain(_) => Transport::Ws,
            Below::Tls(_) => Transport::Wss,
        }
    }

    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while self.rest.is_empty() {
            match ready!(self.stream.poll_next_unpin(cx)) {
                Some(Ok(Message::Binary(message))) => self.rest = message,
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                // The end, as a byte stream has it.
                None
                | Some(
                    Ok(Message::Close(_))
                    | Err(
                        WsError::ConnectionClosed
                        | WsError::AlreadyClosed
                        | WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake),
                    ),
                ) => return Poll::Ready(Ok(())),
                Some(Ok(Message::Text(_))) => return Poll::Ready(Err(io::ErrorKind::InvalidData.into())),
                Some(Err(error)) => return Poll::Ready(Err(into_io(error))),
            }
        }
        let taken = self.rest.len().min(out.remaining());
        out.put_slice(self.rest.get(..taken).unwrap_or_default());
        self.rest.advance(taken);
        Poll::Ready(Ok(()))
    }

    /// Takes one message's worth of bytes. They leave with the next flush.
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.stream.poll_ready_unpin(cx)).map_err(into_io)?;
        let taken = bytes.len().min(MAX_WRITTEN_BYTES);
        let message = Bytes::copy_from_slice(bytes.get(..taken).unwrap_or_default());
        self.stream.start_send_unpin(Message::Binary(message)).map_err(into_io)?;
        Poll::Ready(Ok(taken))
    }

    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_flush_unpin(cx).map_err(into_io)
    }

    pub(crate) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_close_unpin(cx).map_err(into_io)
    }
}

/// What ends in an error of the system is one; all else keeps its type inside.
fn into_io(error: WsError) -> io::Error {
    match error {
        WsError::Io(error) => error,
        error => io::Error::other(error),
    }
}

/// Why an upgrade failed.
fn failure(error: &WsError) -> Failure {
    match error {
        WsError::Io(error) => from_io(Phase::Connect, error),
        WsError::Http(answer) => {
            let status = format!("websocket: status {}", answer.status().as_u16());
            Failure::with_detail(Phase::Connect, FailureClass::ProtocolNotSupported, &status)
        }
        error => Failure::new(Phase::Connect, class_of(error)),
    }
}

/// What an error means that is not one of the system.
pub(crate) fn class_of(error: &WsError) -> FailureClass {
    match error {
        WsError::ConnectionClosed
        | WsError::AlreadyClosed
        | WsError::Protocol(
            ProtocolError::HandshakeIncomplete | ProtocolError::ResetWithoutClosingHandshake,
        ) => FailureClass::ConnectionClosed,
        WsError::Capacity(_) => FailureClass::MessageTooLarge,
        WsError::Protocol(_) | WsError::Utf8(_) | WsError::AttackAttempt | WsError::HttpFormat(_) => {
            FailureClass::Malformed
        }
        WsError::Http(_) => FailureClass::ProtocolNotSupported,
        WsError::Url(_) => FailureClass::AddressNotAvailable,
        WsError::WriteBufferFull(_) => FailureClass::LocalResources,
        WsError::Tls(_) => FailureClass::HandshakeFailed,
        WsError::Io(_) => FailureClass::Other,
    }
}
