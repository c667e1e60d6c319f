//! A libp2p connection over any ordered byte stream, as a state machine without IO and without a clock.
//!
//! Bytes go in by [`Session::receive`], come out by [`Session::transmit`], and what happened by
//! [`Session::poll_event`]. Inside are multistream-select, Noise or TLS, and yamux, for both roles. A dialler never
//! waits for the agreement on a protocol: its proposal of Noise (or TLS) and the first message of it leave together,
//! and once the peer has proved who it is, the last message of the handshake, the proposals of yamux and of every
//! stream and all requests do.
//!
//! So a peer that does not speak Noise has the first message of Noise before it can refuse, and cannot go on: on such a
//! connection no other proposal can follow. [`Session::is_noise_unanswered`] tells the owner that a new connection with
//! [`Session::tls_dialer`] may be worth it.

pub(crate) mod assembler;
pub(crate) mod dialogue;
mod handshake;
mod mux;
mod stream;
mod terms;

use std::{borrow::Cow, sync::Arc};

use kad::{
    failure::{Failure, FailureClass, Phase},
    network::{Security, StreamId},
};
use libp2p_identity::PeerId;

pub use mux::{MAX_CONTROL_BYTES, MAX_EVENTS, MAX_HELD_BYTES, MAX_INBOUND_STREAMS};
pub use terms::{Framing, Protocol, Role, Securities, SessionEvent};

use self::{handshake::Handshake, mux::Mux};
use crate::{
    foreign::looks_like,
    identity::Identity,
    multistream::{Choice, Malformed, Proposal, ProposalEnd},
    noise::{Cipher, MAX_PLAINTEXT_BYTES, NoiseError, TAG_BYTES},
    tls::{ChannelError, TlsChannel, class_of},
    yamux::{CONNECTION_RATE_LIMITED, CONNECTION_RESOURCE_LIMIT},
};

/// The multiplexer that is spoken.
const YAMUX: &str = "/yamux/1.0.0";

/// The length before each Noise message, in bytes.
const LENGTH_BYTES: usize = 2;

/// The longest message of a handshake that is read, in bytes: a key and a signature of RSA with 8,192 bits fit.
const MAX_HANDSHAKE_BYTES: usize = 8 * 1024;

/// What went wrong, before it is known in which phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    class: FailureClass,
    /// Empty where the class says it all.
    text: Cow<'static, str>,
}

impl Fault {
    const fn new(class: FailureClass, text: &'static str) -> Self {
        Self { class, text: Cow::Borrowed(text) }
    }
}

impl From<NoiseError> for Fault {
    fn from(error: NoiseError) -> Self {
        let class = match error {
            NoiseError::KeyNotSupported(_) => FailureClass::KeyNotSupported,
            _ => FailureClass::HandshakeFailed,
        };
        Self { class, text: error.text() }
    }
}

impl From<ChannelError> for Fault {
    fn from(error: ChannelError) -> Self {
        let (class, text) = class_of(&error, false);
        Self { class, text }
    }
}

impl From<Malformed> for Fault {
    fn from(malformed: Malformed) -> Self {
        Self { class: FailureClass::Malformed, text: malformed.text.into() }
    }
}

/// How far the agreement on a multiplexer has come.
#[derive(Debug)]
enum Muxing {
    Proposed(Box<Proposal>),
    Choosing(Box<Choice>),
    Agreed,
}

/// One connection's protocol state.
#[derive(Debug)]
pub struct Session {
    /// `None` once both sides are authenticated.
    handshake: Option<Box<Handshake>>,
    /// The channel, if it is of Noise.
    ciphers: Option<Box<(Cipher, Cipher)>>,
    /// The channel, if it is of TLS.
    tls: Option<TlsChannel>,
    peer: Option<PeerId>,
    muxing: Muxing,
    mux: Mux,
    /// The beginning of a Noise message that is not complete.
    partial: Vec<u8>,
    /// Bytes of the handshake that wait for transmission.
    wire: Vec<u8>,
}

impl Session {
    /// The session of a connection that we opened. With `expected`, a peer that proves to be another one fails with
    /// [`FailureClass::PeerIdMismatch`]. `protocols` are those that the peer may open streams for.
    ///
    /// An error says that the system has no randomness.
    pub fn dialer(
        identity: &Identity,
        expected: Option<PeerId>,
        protocols: Arc<[Protocol]>,
    ) -> Result<Self, Failure> {
        let mut wire = Vec::with_capacity(96);
        let handshake = Handshake::dialer(identity, expected, &mut wire).map_err(in_phase(Phase::Secure))?;
        Ok(Self::proposing(handshake, protocols, wire))
    }

    /// The session of a connection that we opened to a peer that speaks TLS, else like [`dialer`](Self::dialer).
    ///
    /// An error says that the system has no randomness, or that no certificate can be made of the identity.
    pub fn tls_dialer(
        identity: &Identity,
        expected: Option<PeerId>,
        protocols: Arc<[Protocol]>,
    ) -> Result<Self, Failure> {
        let mut wire = Vec::new();
        let handshake =
            Handshake::tls_dialer(identity, expected, &mut wire).map_err(in_phase(Phase::Secure))?;
        Ok(Self::proposing(handshake, protocols, wire))
    }

    fn proposing(handshake: Handshake, protocols: Arc<[Protocol]>, wire: Vec<u8>) -> Self {
        let mut mux = Mux::new(Role::Dialer, protocols);
        let proposal = Box::new(Proposal::new(YAMUX, &mut mux.out));
        Self::new(handshake, Muxing::Proposed(proposal), mux, wire)
    }

    /// The session of a connection that a peer opened, with Noise or TLS as the peer prefers.
    pub fn listener(identity: &Identity, protocols: Arc<[Protocol]>) -> Self {
        Self::listener_offering(identity, protocols, Securities::Any)
    }

    /// The session of a connection that a peer opened, with what may secure it.
    pub fn listener_offering(
        identity: &Identity,
        protocols: Arc<[Protocol]>,
        securities: Securities,
    ) -> Self {
        let mux = Mux::new(Role::Listener, protocols);
        let handshake = Handshake::listener(identity, securities);
        Self::new(handshake, Muxing::Choosing(Box::default()), mux, Vec::new())
    }

    fn new(handshake: Handshake, muxing: Muxing, mux: Mux, wire: Vec<u8>) -> Self {
        let handshake = Some(Box::new(handshake));
        Self { handshake, ciphers: None, tls: None, peer: None, muxing, mux, partial: Vec::new(), wire }
    }

    /// Who the other side has proved to be; `None` until then.
    pub const fn peer(&self) -> Option<PeerId> {
        self.peer
    }

    /// What secures the connection; `None` until the peer has proved who it is.
    pub const fn security(&self) -> Option<Security> {
        match (&self.ciphers, &self.tls) {
            (Some(_), _) => Some(Security::Noise),
            (None, Some(_)) => Some(Security::Tls),
            (None, None) => None,
        }
    }

    /// Whether the peer began to answer when we proposed Noise, but has refused it or not said anything more. If the
    /// connection is over now, the peer may be one that speaks only TLS.
    pub fn is_noise_unanswered(&self) -> bool {
        self.handshake.as_ref().is_some_and(|handshake| handshake.is_noise_unanswered())
    }

    /// The phase that a failure of the connection falls into now.
    pub const fn phase(&self) -> Phase {
        match (&self.handshake, &self.muxing) {
            (Some(_), _) => Phase::Secure,
            (None, Muxing::Agreed) => self.mux.phase(),
            (None, _) => Phase::Multiplex,
        }
    }

    /// Takes bytes that came from the other side; they are decrypted in place. An error is the end of the connection.
    pub fn receive(&mut self, bytes: &mut [u8]) -> Result<(), Failure> {
        let result = self.take(bytes);
        self.mux.shrink();
        result.map_err(|fault| self.failure(fault))
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<SessionEvent> {
        self.mux.events.pop_front()
    }

    /// Appends to `out` all bytes that can be sent now. An error is the end of the connection.
    pub fn transmit(&mut self, out: &mut Vec<u8>) -> Result<(), Failure> {
        if !self.wire.is_empty() {
            out.append(&mut self.wire);
            self.wire = Vec::new();
        }
        let Some(ciphers) = &mut self.ciphers else { return self.transmit_tls(out) };
        self.mux.write_frames();
        if self.mux.out.is_empty() {
            return Ok(());
        }
        let plaintext = std::mem::take(&mut self.mux.out);
        let messages = plaintext.len().div_ceil(MAX_PLAINTEXT_BYTES);
        out.reserve(plaintext.len() + messages * (LENGTH_BYTES + TAG_BYTES));
        for piece in plaintext.chunks(MAX_PLAINTEXT_BYTES) {
            let length = u16::try_from(piece.len() + TAG_BYTES).unwrap_or(u16::MAX);
            out.extend_from_slice(&length.to_be_bytes());
            let start = out.len();
            out.extend_from_slice(piece);
            let sealed = ciphers.0.seal(&[], out, start);
            sealed.map_err(|error| in_phase(Phase::Request)(error.into()))?;
        }
        Ok(())
    }

    fn transmit_tls(&mut self, out: &mut Vec<u8>) -> Result<(), Failure> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        self.mux.write_frames();
        let plaintext = std::mem::take(&mut self.mux.out);
        let sent = tls.send(&plaintext).and_then(|()| tls.transmit(out));
        sent.map_err(|error| in_phase(Phase::Request)(error.into()))
    }

    /// How many bytes wait to be transmitted, now or when the peer grants more.
    pub fn queued_bytes(&self) -> usize {
        self.wire.len() + self.mux.queued_bytes()
    }

    /// How many bytes wait to be transmitted at once: those that wait for the peer's grant do not count.
    pub fn pending_bytes(&self) -> usize {
        self.wire.len() + self.mux.out.len()
    }

    /// How many bytes are held of messages that are not whole.
    pub fn held_bytes(&self) -> usize {
        self.partial.len() + self.mux.held_bytes()
    }

    /// Opens a stream and proposes a protocol on it.
    pub fn open(&mut self, protocol: &str, framing: Framing) -> StreamId {
        self.mux.open(protocol, framing)
    }

    /// Queues one message. Ignored on a stream that is over.
    pub fn send(&mut self, stream: StreamId, message: &[u8]) {
        if let Some(stream) = self.mux.stream(stream) {
            stream.dialogue.send(message);
        }
    }

    /// Says that nothing more will be sent on a stream.
    pub fn finish(&mut self, stream: StreamId) {
        if let Some(stream) = self.mux.stream(stream) {
            stream.dialogue.finish();
        }
    }

    /// Gives a stream up.
    pub fn reset(&mut self, stream: StreamId) {
        self.mux.reset(stream, 0);
    }

    /// From now on the peer may open streams for these protocols; streams that are open go on.
    pub fn serve(&mut self, protocols: &Arc<[Protocol]>) {
        self.mux.protocols = Arc::clone(protocols);
    }

    /// Queues a goodbye.
    pub fn go_away(&mut self) {
        self.mux.go_away();
    }

    /// From now on nothing that the peer sends on streams is heard: they stay without an answer.
    pub fn ignore_streams(&mut self) {
        self.mux.deaf = true;
    }

    /// Why the connection is over, when the other side has closed it.
    pub fn closed(&self) -> Failure {
        let class = match self.mux.gone_away {
            Some(CONNECTION_RESOURCE_LIMIT | CONNECTION_RATE_LIMITED) => FailureClass::ResourceLimit,
            _ => FailureClass::ConnectionClosed,
        };
        Failure::new(self.phase(), class)
    }

    fn failure(&self, fault: Fault) -> Failure {
        match (self.peer_mismatch(), fault.class) {
            (Some(peer), FailureClass::PeerIdMismatch) => {
                Failure::with_detail(Phase::Secure, fault.class, &peer.to_base58())
            }
            _ => in_phase(self.phase())(fault),
        }
    }

    fn peer_mismatch(&self) -> Option<PeerId> {
        self.handshake.as_ref().and_then(|handshake| handshake.stranger())
    }

    fn take(&mut self, mut bytes: &mut [u8]) -> Result<(), Fault> {
        while !bytes.is_empty() {
            if let Some(handshake) = self.handshake.as_mut().filter(|handshake| handshake.is_negotiating()) {
                let mut rest: &[u8] = bytes;
                handshake.negotiate(&mut rest, &mut self.wire)?;
                let used = bytes.len() - rest.len();
                bytes = bytes.get_mut(used..).unwrap_or_default();
            } else if self.is_tls() {
                return self.take_tls(bytes);
            } else if self.partial.is_empty() {
                let Some(length) = message_length(bytes) else {
                    self.partial.extend_from_slice(bytes);
                    return self.check_length();
                };
                let (message, after) = bytes.split_at_mut(length);
                self.message(message)?;
                bytes = after;
            } else {
                bytes = self.complete(bytes)?;
            }
        }
        Ok(())
    }

    fn is_tls(&self) -> bool {
        self.tls.is_some() || self.handshake.as_ref().is_some_and(|handshake| handshake.is_tls())
    }

    fn take_tls(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let mut plaintext = Vec::new();
        if let Some(handshake) = &mut self.handshake {
            if let Some((peer, channel)) = handshake.receive_tls(bytes, &mut plaintext, &mut self.wire)? {
                self.handshake = None;
                self.peer = Some(peer);
                self.tls = Some(channel);
            }
        } else if let Some(tls) = &mut self.tls {
            tls.receive(bytes, &mut plaintext).map_err(|error| {
                let (class, text) = class_of(&error, true);
                Fault { class, text }
            })?;
        }
        if plaintext.is_empty() { Ok(()) } else { self.plaintext(&plaintext) }
    }

    /// Goes on with the message that was begun; returns what follows it.
    fn complete<'a>(&mut self, bytes: &'a mut [u8]) -> Result<&'a mut [u8], Fault> {
        let mut used = 0;
        while used < bytes.len() {
            let missing = match self.partial[..] {
                [high, low, ref text @ ..] => usize::from(u16::from_be_bytes([high, low])) - text.len(),
                _ => 1,
            };
            let len = missing.min(bytes.len() - used);
            self.partial.extend_from_slice(bytes.get(used..used + len).unwrap_or_default());
            used += len;
            self.check_length()?;
            if message_length(&self.partial).is_some() {
                let mut message = std::mem::take(&mut self.partial);
                self.message(&mut message)?;
                break;
            }
        }
        Ok(bytes.get_mut(used..).unwrap_or_default())
    }

    /// Before the peer is authenticated, it cannot make us wait for and hold a long message.
    fn check_length(&self) -> Result<(), Fault> {
        match self.partial[..] {
            [high, low, ..] if self.handshake.is_some() => {
                let length = usize::from(u16::from_be_bytes([high, low]));
                if length <= MAX_HANDSHAKE_BYTES {
                    return Ok(());
                }
                let text = format!("noise: not a message of it: {}", looks_like(&self.partial));
                Err(Fault { class: FailureClass::Malformed, text: text.into() })
            }
            _ => Ok(()),
        }
    }

    /// Takes one whole Noise message with its length.
    fn message(&mut self, message: &mut [u8]) -> Result<(), Fault> {
        let message = message.get_mut(LENGTH_BYTES..).unwrap_or_default();
        if let Some(ciphers) = &mut self.ciphers {
            let plaintext = ciphers
                .1
                .open(&[], message)
                .map_err(|error| Fault { class: FailureClass::Malformed, text: error.text() })?;
            return self.plaintext(plaintext);
        }
        let Some(handshake) = &mut self.handshake else { return Ok(()) };
        if let Some((peer, channel)) = handshake.message(message, &mut self.wire)? {
            self.handshake = None;
            self.peer = Some(peer);
            self.ciphers = Some(Box::new((channel.sending, channel.receiving)));
        }
        Ok(())
    }

    fn plaintext(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let mut rest = bytes;
        let agreed = match &mut self.muxing {
            Muxing::Agreed => return self.mux.receive(rest),
            Muxing::Proposed(proposal) => match proposal.receive(&mut rest)? {
                Some(ProposalEnd::Refused) => {
                    return Err(Fault::new(FailureClass::MultiplexerNotSupported, ""));
                }
                verdict => verdict.is_some(),
            },
            Muxing::Choosing(choice) => choice.receive(&mut rest, &[YAMUX], &mut self.mux.out)?.is_some(),
        };
        if agreed {
            self.muxing = Muxing::Agreed;
            self.mux.receive(rest)?;
        }
        Ok(())
    }
}

/// How long the message at the front is with its length; `None` if it is not complete.
fn message_length(bytes: &[u8]) -> Option<usize> {
    let (length, rest) = bytes.split_first_chunk::<LENGTH_BYTES>()?;
    let length = usize::from(u16::from_be_bytes(*length));
    (rest.len() >= length).then_some(LENGTH_BYTES + length)
}

fn in_phase(phase: Phase) -> impl Fn(Fault) -> Failure {
    move |fault| match &*fault.text {
        "" => Failure::new(phase, fault.class),
        text => Failure::with_detail(phase, fault.class, text),
    }
}

#[cfg(test)]
mod tests;
