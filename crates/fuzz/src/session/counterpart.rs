//! The other end of a session, up to the secure channel: written over another implementation of Noise, so that any bytes
//! can be sent through it.

use std::sync::LazyLock;

use kad::protobuf::write_bytes;
use libp2p_identity::Keypair;
use net::session::Session;
use snow::{Builder, HandshakeState, TransportState};

/// Header and proposal of Noise, in the words of multistream-select.
const AGREEMENT: &[u8] = b"\x13/multistream/1.0.0\n\x07/noise\n";

/// The most plaintext in one message of Noise, in bytes.
const MAX_PLAINTEXT_BYTES: usize = 65_535 - 16;

/// A static key and the proof that it is this peer's.
struct Secret {
    private: Vec<u8>,
    payload: Vec<u8>,
}

static THEIRS: LazyLock<Option<Secret>> = LazyLock::new(|| {
    let keys = builder()?.generate_keypair().ok()?;
    let identity = Keypair::generate_ed25519();
    let signed = [b"noise-libp2p-static-key:".as_slice(), &keys.public].concat();
    let mut payload = Vec::new();
    write_bytes(&mut payload, 1, &identity.public().encode_protobuf());
    write_bytes(&mut payload, 2, &identity.sign(&signed).ok()?);
    Some(Secret { private: keys.private, payload })
});

fn builder() -> Option<Builder<'static>> {
    Some(Builder::new("Noise_XX_25519_ChaChaPoly_SHA256".parse().ok()?))
}

/// The other end of a session whose channel stands.
pub(super) struct Counterpart(TransportState);

impl Counterpart {
    /// Lets a session that dialled authenticate us.
    pub(super) fn of_dialer(session: &mut Session) -> Option<Self> {
        let secret = THEIRS.as_ref()?;
        let mut noise = builder()?.local_private_key(&secret.private).ok()?.build_responder().ok()?;
        let mut sent = Vec::new();
        session.transmit(&mut sent).ok()?;
        read(&mut noise, &mut sent.strip_prefix(AGREEMENT)?)?;
        let mut bytes = AGREEMENT.to_vec();
        write(&mut noise, &secret.payload, &mut bytes)?;
        session.receive(&mut bytes).ok()?;
        sent.clear();
        session.transmit(&mut sent).ok()?;
        read(&mut noise, &mut sent.as_slice())?;
        noise.into_transport_mode().ok().map(Self)
    }

    /// Dials a session that listens, and authenticates.
    pub(super) fn of_listener(session: &mut Session) -> Option<Self> {
        let secret = THEIRS.as_ref()?;
        let mut noise = builder()?.local_private_key(&secret.private).ok()?.build_initiator().ok()?;
        let mut bytes = AGREEMENT.to_vec();
        write(&mut noise, &[], &mut bytes)?;
        session.receive(&mut bytes).ok()?;
        let mut sent = Vec::new();
        session.transmit(&mut sent).ok()?;
        read(&mut noise, &mut sent.strip_prefix(AGREEMENT)?)?;
        bytes.clear();
        write(&mut noise, &secret.payload, &mut bytes)?;
        session.receive(&mut bytes).ok()?;
        noise.into_transport_mode().ok().map(Self)
    }

    /// What goes over the wire for these bytes.
    pub(super) fn seal(&mut self, plaintext: &[u8]) -> Option<Vec<u8>> {
        let mut wire = Vec::with_capacity(plaintext.len() + 64);
        let mut message = vec![0; 65_535];
        for piece in plaintext.chunks(MAX_PLAINTEXT_BYTES) {
            let len = self.0.write_message(piece, &mut message).ok()?;
            wire.extend_from_slice(&u16::try_from(len).ok()?.to_be_bytes());
            wire.extend_from_slice(message.get(..len)?);
        }
        Some(wire)
    }
}

fn write(noise: &mut HandshakeState, payload: &[u8], wire: &mut Vec<u8>) -> Option<()> {
    let mut message = vec![0; 1024];
    let len = noise.write_message(payload, &mut message).ok()?;
    wire.extend_from_slice(&u16::try_from(len).ok()?.to_be_bytes());
    wire.extend_from_slice(message.get(..len)?);
    Some(())
}

fn read(noise: &mut HandshakeState, wire: &mut &[u8]) -> Option<()> {
    let (length, rest) = wire.split_first_chunk::<2>()?;
    let (message, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    *wire = rest;
    noise.read_message(message, &mut [0; 1024]).ok()?;
    Some(())
}
