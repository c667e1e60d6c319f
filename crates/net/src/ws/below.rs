//! What lies below a WebSocket: TCP, or TLS over TCP in which nobody is authenticated.

use std::{
    io,
    pin::Pin,
    sync::{Arc, LazyLock},
    task::{Context, Poll},
};

use kad::failure::{Failure, FailureClass, Phase};
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    pki_types::{CertificateDer, ServerName, UnixTime},
    version::TLS13,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use crate::{
    failure::from_io,
    tls::{ChannelError, OwnTls, class_of, provider},
};

/// The configuration of all dials; `None` if the library lacks what TLS 1.3 needs.
static CLIENT: LazyLock<Option<Arc<ClientConfig>>> = LazyLock::new(|| {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .ok()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Some(Arc::new(config))
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

/// Shakes hands with a server of that name.
pub(super) async fn dial_tls(tcp: TcpStream, name: ServerName<'static>) -> Result<Below, Failure> {
    let missing = Failure::new(Phase::Connect, FailureClass::LocalResources);
    let config = CLIENT.as_ref().ok_or(missing)?;
    let connected = TlsConnector::from(Arc::clone(config)).connect(name, tcp).await;
    Ok(Below::Tls(Box::new(connected.map_err(|error| failure(&error))?.into())))
}

/// Shakes hands with a client.
pub(super) async fn accept_tls(tcp: TcpStream, own: &OwnTls) -> Result<Below, Failure> {
    let config = own.anonymous_server();
    let config = config.map_err(|_| Failure::new(Phase::Connect, FailureClass::LocalResources))?;
    let accepted = TlsAcceptor::from(Arc::new(config)).accept(tcp).await;
    Ok(Below::Tls(Box::new(accepted.map_err(|error| failure(&error))?.into())))
}

fn failure(error: &io::Error) -> Failure {
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

/// Lets every server in: who it is proves the session inside.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
