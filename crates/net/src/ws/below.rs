//! What lies below a WebSocket: TCP, or TLS over TCP. What the server shows there is noted and never refused.

use std::{
    io,
    pin::Pin,
    sync::{Arc, LazyLock},
    task::{Context, Poll},
};

use kad::{
    PeerId,
    failure::{Failure, FailureClass, Phase},
    network::WssCertificate,
};
use rustls::{ClientConfig, Error, RootCertStore, client::Resumption, pki_types::ServerName, version::TLS13};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use super::witness::Witness;
use crate::{
    failure::from_io,
    tls::{ChannelError, NamedCertificate, OwnTls, Roots, Verifier, class_of, provider},
};

/// The configuration of all dials, but for who looks at the certificate; `None` if the library lacks what TLS 1.3 needs.
static CLIENT: LazyLock<Option<ClientConfig>> = LazyLock::new(|| {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .ok()?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Some(config)
});

/// The byte stream below the messages.
#[derive(Debug)]
pub(super) enum Below {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Below {
    pub(super) fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => tls.get_ref().0,
        }
    }
}

/// Shakes hands with a server of that name, and says what its certificate is, for who dialled that peer.
pub(super) async fn dial_tls(
    tcp: TcpStream,
    name: ServerName<'static>,
    peer: PeerId,
    roots: &Roots,
) -> Result<(Below, WssCertificate), Failure> {
    let missing = Failure::new(Phase::Connect, FailureClass::LocalResources);
    let mut config = CLIENT.clone().ok_or(missing)?;
    let witness = Witness::new(roots.clone(), peer);
    config.dangerous().set_certificate_verifier(Verifier::by(Arc::clone(&witness)));
    let connected = TlsConnector::from(Arc::new(config)).connect(name, tcp).await;
    let below = Below::Tls(Box::new(connected.map_err(|error| failure(&error))?.into()));
    Ok((below, witness.says()))
}

/// Shakes hands with a client.
pub(super) async fn accept_tls(
    tcp: TcpStream,
    own: &OwnTls,
    named: Option<&NamedCertificate>,
) -> Result<Below, Failure> {
    let config = own.anonymous_server(named);
    let config = config.map_err(|_| Failure::new(Phase::Connect, FailureClass::LocalResources))?;
    let accepted = TlsAcceptor::from(Arc::new(config)).accept(tcp).await;
    Ok(Below::Tls(Box::new(accepted.map_err(|error| failure(&error))?.into())))
}

/// Why a handshake failed.
pub(crate) fn failure(error: &io::Error) -> Failure {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        None => from_io(Phase::Connect, error),
        Some(error) => match class_of(&ChannelError::Tls(error.clone()), false) {
            (class, text) if text.is_empty() => Failure::new(Phase::Connect, class),
            (class, text) => Failure::with_detail(Phase::Connect, class, &text),
        },
    }
}

impl AsyncRead for Below {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(cx, out),
            Self::Tls(tls) => Pin::new(tls).poll_read(cx, out),
        }
    }
}

impl AsyncWrite for Below {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Self::Tls(tls) => Pin::new(tls).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}
