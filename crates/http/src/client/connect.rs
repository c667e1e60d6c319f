//! Makes a connection: the name, TCP, TLS where it is wanted, and HTTP over it.

use std::{fmt, sync::Arc};

use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, crypto::aws_lc_rs, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
};
use tokio_rustls::TlsConnector;

use super::{
    failure::{HttpFailure, HttpFailureClass},
    pool::Sender,
    roots::WebRoots,
    url::HttpUrl,
};

/// The longest head of an answer that is read, in bytes.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// What is agreed on inside TLS.
const HTTP_1_1: &[u8] = b"http/1.1";

/// Makes connections.
pub(super) struct Connecting(TlsConnector);

impl Connecting {
    pub(super) fn new(roots: &WebRoots) -> Result<Self, String> {
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots.certificates())
            .with_no_client_auth();
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        Ok(Self(Arc::new(config).into()))
    }

    pub(super) async fn connect(&self, url: &HttpUrl) -> Result<Sender, HttpFailure> {
        let failed = |class, error: &dyn fmt::Display| HttpFailure::new(class, error.to_string());
        let sockets = lookup_host((url.host(), url.port())).await;
        let sockets: Vec<_> = sockets.map_err(|error| failed(HttpFailureClass::Name, &error))?.collect();
        let stream = TcpStream::connect(sockets.as_slice()).await;
        let stream = stream.map_err(|error| failed(HttpFailureClass::Connect, &error))?;
        // A request is written at once: waiting for more to send would only delay it.
        stream.set_nodelay(true).map_err(|error| failed(HttpFailureClass::Connect, &error))?;
        if !url.is_https() {
            return shaken(stream).await;
        }
        let name = ServerName::try_from(url.host().to_owned());
        let name = name.map_err(|error| failed(HttpFailureClass::Tls, &error))?;
        let stream = self.0.connect(name, stream).await;
        shaken(stream.map_err(|error| failed(HttpFailureClass::Tls, &error))?).await
    }
}

/// HTTP over a stream. The connection is driven by a task that ends with it: when whoever may send on it is gone.
async fn shaken(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Sender, HttpFailure> {
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_HEAD_BYTES)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| HttpFailure::of_exchange(&error))?;
    drop(tokio::spawn(async move {
        // Whoever waits for an answer is told why none comes.
        drop(connection.await);
    }));
    Ok(sender)
}

impl fmt::Debug for Connecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connecting").finish_non_exhaustive()
    }
}
