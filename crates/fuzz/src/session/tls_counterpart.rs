//! The other end of a session in a channel of TLS, up to that channel: any bytes can be sent through it.

use std::{
    io::Write as _,
    sync::{Arc, LazyLock},
};

use libp2p_identity::Keypair;
use net::session::Session;
use rustls::{
    ServerConfig, ServerConnection,
    crypto::aws_lc_rs,
    sign::{CertifiedKey, SingleCertAndKey},
    version::TLS13,
};

/// Header and proposal of TLS, in the words of multistream-select.
const AGREEMENT: &[u8] = b"\x13/multistream/1.0.0\n\x0b/tls/1.0.0\n";

static THEIRS: LazyLock<Option<Arc<ServerConfig>>> = LazyLock::new(config);

fn config() -> Option<Arc<ServerConfig>> {
    let (certificate, key) = libp2p_tls::certificate::generate(&Keypair::generate_ed25519()).ok()?;
    // As it is: the general reader of certificates does not know the extension that peers must understand.
    let own = CertifiedKey::new(vec![certificate], aws_lc_rs::sign::any_ecdsa_type(&key).ok()?);
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS13])
        .ok()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(own)));
    config.alpn_protocols = vec![b"libp2p".to_vec()];
    config.send_tls13_tickets = 0;
    Some(Arc::new(config))
}

/// The other end of a session whose channel stands.
pub(super) struct TlsCounterpart(ServerConnection);

impl TlsCounterpart {
    /// Lets a session that dialled authenticate us.
    pub(super) fn of_dialer(session: &mut Session) -> Option<Self> {
        let mut tls = ServerConnection::new(Arc::clone(THEIRS.as_ref()?)).ok()?;
        tls.set_buffer_limit(None);
        let mut sent = Vec::new();
        session.transmit(&mut sent).ok()?;
        read(&mut tls, sent.strip_prefix(AGREEMENT)?)?;
        let mut bytes = AGREEMENT.to_vec();
        write(&mut tls, &mut bytes)?;
        session.receive(&mut bytes).ok()?;
        sent.clear();
        session.transmit(&mut sent).ok()?;
        read(&mut tls, &sent)?;
        (!tls.is_handshaking()).then_some(Self(tls))
    }

    /// What goes over the wire for these bytes.
    pub(super) fn seal(&mut self, plaintext: &[u8]) -> Option<Vec<u8>> {
        self.0.writer().write_all(plaintext).ok()?;
        let mut wire = Vec::with_capacity(plaintext.len() + 64);
        write(&mut self.0, &mut wire)?;
        Some(wire)
    }
}

fn write(tls: &mut ServerConnection, wire: &mut Vec<u8>) -> Option<()> {
    while tls.wants_write() {
        tls.write_tls(wire).ok()?;
    }
    Some(())
}

fn read(tls: &mut ServerConnection, mut wire: &[u8]) -> Option<()> {
    while !wire.is_empty() {
        tls.read_tls(&mut wire).ok().filter(|taken| *taken > 0)?;
        tls.process_new_packets().ok()?;
    }
    Some(())
}
