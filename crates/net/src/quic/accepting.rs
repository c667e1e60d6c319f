//! TLS on connections that peers open, which lets go of the handshake when it is over.
//!
//! rustls keeps what it needs for handshakes (certificates, transcripts, keys of records that QUIC never sends) as long as its
//! connection lives: some 5 KiB. Afterwards a connection of QUIC needs the secret of its next keys, and who the peer is. What
//! the handshake has to be, and how packets are protected, is rustls's; who may connect is `tls`'s.

mod later;

use std::{any::Any, sync::Arc};

use libp2p_identity::PeerId;
use quinn::crypto::{
    ExportKeyingMaterialError, HeaderKey, KeyPair, Keys, PacketKey, ServerConfig, Session,
    UnsupportedVersion, rustls::QuicServerConfig,
};
use quinn_proto::{
    ConnectionId, Side, TransportError, TransportErrorCode, transport_parameters::TransportParameters,
};
use rustls::quic::{self, KeyChange, Suite, Version};

use self::later::Updates;
use crate::tls::{TlsError, owner_of};

/// What accepts connections: a configuration, and what has to be known of it before there is a session.
pub(super) struct Acceptor {
    config: Arc<rustls::ServerConfig>,
    /// Protects the first packets.
    initial: Suite,
    common: QuicServerConfig,
}

impl Acceptor {
    pub(super) fn new(config: rustls::ServerConfig) -> Result<Self, TlsError> {
        let config = Arc::new(config);
        let suites = &config.crypto_provider().cipher_suites;
        let is_initial = |suite: &&'static rustls::Tls13CipherSuite| {
            suite.common.suite == rustls::CipherSuite::TLS13_AES_128_GCM_SHA256
        };
        let initial = suites.iter().filter_map(rustls::SupportedCipherSuite::tls13).find(is_initial);
        let initial = initial.and_then(rustls::Tls13CipherSuite::quic_suite).ok_or(TlsError)?;
        let common = QuicServerConfig::with_initial(Arc::clone(&config), initial)?;
        Ok(Self { config, initial, common })
    }
}

impl ServerConfig for Acceptor {
    fn initial_keys(&self, version: u32, dst_cid: &ConnectionId) -> Result<Keys, UnsupportedVersion> {
        self.common.initial_keys(version, dst_cid)
    }

    fn retry_tag(&self, version: u32, orig_dst_cid: &ConnectionId, packet: &[u8]) -> [u8; 16] {
        self.common.retry_tag(version, orig_dst_cid, packet)
    }

    /// The endpoint knows no version but the first.
    fn start_session(self: Arc<Self>, _: u32, params: &TransportParameters) -> Box<dyn Session> {
        let mut own = Vec::new();
        params.write(&mut own);
        let stage = match quic::ServerConnection::new(Arc::clone(&self.config), Version::V1, own) {
            Ok(connection) => Stage::Handshake(Box::new(connection)),
            Err(_) => Stage::Broken,
        };
        Box::new(Accepted { initial: self.initial, updates: None, stage })
    }
}

/// How far a session is.
enum Stage {
    Handshake(Box<quic::ServerConnection>),
    /// The peer has proved who it is.
    Over(Option<PeerId>),
    /// The configuration is one that rustls does not take.
    Broken,
}

/// The session of one connection.
struct Accepted {
    initial: Suite,
    /// The keys after those in use.
    updates: Option<Updates>,
    stage: Stage,
}

impl Session for Accepted {
    fn initial_keys(&self, dst_cid: &ConnectionId, side: Side) -> Keys {
        let side = if side.is_client() { rustls::Side::Client } else { rustls::Side::Server };
        of_quinn(self.initial.keys(dst_cid, side, Version::V1))
    }

    /// Nobody asks for it: one protocol is spoken, and names are not.
    fn handshake_data(&self) -> Option<Box<dyn Any>> {
        None
    }

    /// The [`PeerId`] of the peer.
    fn peer_identity(&self) -> Option<Box<dyn Any>> {
        match self.stage {
            Stage::Over(peer) => Some(Box::new(peer?)),
            Stage::Handshake(_) | Stage::Broken => None,
        }
    }

    fn early_crypto(&self) -> Option<(Box<dyn HeaderKey>, Box<dyn PacketKey>)> {
        None
    }

    fn early_data_accepted(&self) -> Option<bool> {
        None
    }

    fn is_handshaking(&self) -> bool {
        !matches!(self.stage, Stage::Over(_))
    }

    fn read_handshake(&mut self, bytes: &[u8]) -> Result<bool, TransportError> {
        match &mut self.stage {
            Stage::Handshake(connection) => match connection.read_hs(bytes) {
                Ok(()) => Ok(false),
                Err(error) => Err(refused(connection.alert(), &error.to_string())),
            },
            Stage::Over(_) => {
                Err(broken(TransportErrorCode::PROTOCOL_VIOLATION, "a message after the handshake"))
            }
            Stage::Broken => Err(broken(TransportErrorCode::INTERNAL_ERROR, "no TLS")),
        }
    }

    fn transport_parameters(&self) -> Result<Option<TransportParameters>, TransportError> {
        let Stage::Handshake(connection) = &self.stage else { return Ok(None) };
        let Some(mut bytes) = connection.quic_transport_parameters() else { return Ok(None) };
        Ok(Some(TransportParameters::read(Side::Server, &mut bytes)?))
    }

    fn write_handshake(&mut self, out: &mut Vec<u8>) -> Option<Keys> {
        let Stage::Handshake(connection) = &mut self.stage else { return None };
        match connection.write_hs(out) {
            Some(KeyChange::Handshake { keys }) => Some(of_quinn(keys)),
            Some(KeyChange::OneRtt { keys, next }) => {
                self.updates = Some(Updates::new(next));
                Some(of_quinn(keys))
            }
            None => {
                if !connection.is_handshaking() && out.is_empty() {
                    let shown = connection.peer_certificates().and_then(<[_]>::first);
                    self.stage = Stage::Over(shown.and_then(owner_of));
                }
                None
            }
        }
    }

    fn next_1rtt_keys(&mut self) -> Option<KeyPair<Box<dyn PacketKey>>> {
        self.updates.as_mut().map(Updates::next)
    }

    /// Retries are for those who dial.
    fn is_valid_retry(&self, _: &ConnectionId, _: &[u8], _: &[u8]) -> bool {
        false
    }

    /// Nobody asks for it.
    fn export_keying_material(
        &self,
        _: &mut [u8],
        _: &[u8],
        _: &[u8],
    ) -> Result<(), ExportKeyingMaterialError> {
        Err(ExportKeyingMaterialError)
    }
}

/// rustls's keys as quinn takes them.
fn of_quinn(keys: quic::Keys) -> Keys {
    let quic::Keys { local, remote } = keys;
    Keys {
        header: KeyPair { local: Box::new(local.header), remote: Box::new(remote.header) },
        packet: KeyPair { local: Box::new(local.packet), remote: Box::new(remote.packet) },
    }
}

/// What a peer is told whose handshake goes wrong: the alert, if there is one.
fn refused(alert: Option<rustls::AlertDescription>, reason: &str) -> TransportError {
    let code = alert
        .map_or(TransportErrorCode::PROTOCOL_VIOLATION, |alert| TransportErrorCode::crypto(alert.into()));
    broken(code, reason)
}

fn broken(code: TransportErrorCode, reason: &str) -> TransportError {
    TransportError { code, frame: None, reason: reason.to_owned() }
}
