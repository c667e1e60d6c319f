//! From the first byte to a secure channel: agreeing on Noise or TLS, then the one agreed on.

use libp2p_identity::PeerId;

use super::{Fault, LENGTH_BYTES, terms::Securities};
use crate::{
    identity::Identity,
    multistream::{Choice, Proposal, ProposalEnd},
    noise::{Channel, Initiator, NoiseError, Responder, StaticKey, authenticate},
    tls::{OwnTls, TlsChannel},
};
use kad::failure::FailureClass;

/// The two security protocols that are spoken.
const NOISE: &str = "/noise";
const TLS: &str = "/tls/1.0.0";

/// A handshake under way.
#[derive(Debug)]
pub(super) struct Handshake {
    identity: Identity,
    expected: Option<PeerId>,
    /// Who the peer proved to be, if that was not the expected one.
    stranger: Option<PeerId>,
    step: HandshakeStep,
}

#[derive(Debug)]
enum HandshakeStep {
    /// Noise was proposed, and its first message sent.
    Proposed(Proposal, Initiator),
    /// TLS was proposed, and its first message sent.
    ProposedTls(Proposal, TlsChannel),
    /// The dialler waits for the second message.
    Second(Initiator),
    /// The listener waits for a proposal of one of these.
    Choosing(Choice, &'static [&'static str]),
    /// The listener waits for the first message.
    First,
    /// The listener waits for the third message.
    Third(Responder),
    /// TLS is under way, in either role.
    Tls(TlsChannel),
    /// A step failed or all are done.
    Over,
}

impl Handshake {
    /// Proposes Noise and writes its first message, without waiting for consent.
    pub(super) fn dialer(
        identity: &Identity,
        expected: Option<PeerId>,
        wire: &mut Vec<u8>,
    ) -> Result<Self, Fault> {
        let proposal = Proposal::new(NOISE, wire);
        let mut initiator = Initiator::new(&[], StaticKey::generate()?);
        write_message(wire, |out| initiator.write_first(&[], out))?;
        let step = HandshakeStep::Proposed(proposal, initiator);
        Ok(Self { identity: identity.clone(), expected, stranger: None, step })
    }

    /// Proposes TLS and writes its first message, without waiting for consent.
    pub(super) fn tls_dialer(
        identity: &Identity,
        expected: Option<PeerId>,
        wire: &mut Vec<u8>,
    ) -> Result<Self, Fault> {
        let proposal = Proposal::new(TLS, wire);
        let mut channel = TlsChannel::dialer(own_tls(identity)?)?;
        channel.transmit(wire)?;
        let step = HandshakeStep::ProposedTls(proposal, channel);
        Ok(Self { identity: identity.clone(), expected, stranger: None, step })
    }

    pub(super) fn listener(identity: &Identity, securities: Securities) -> Self {
        let offered: &[_] = match securities {
            Securities::Any => &[NOISE, TLS],
            Securities::Noise => &[NOISE],
            Securities::Tls => &[TLS],
        };
        let step = HandshakeStep::Choosing(Choice::default(), offered);
        Self { identity: identity.clone(), expected: None, stranger: None, step }
    }

    /// Who the peer proved to be, if that was not the expected one.
    pub(super) const fn stranger(&self) -> Option<PeerId> {
        self.stranger
    }

    /// Whether the two sides still agree on a security protocol, in clear text.
    pub(super) const fn is_negotiating(&self) -> bool {
        matches!(
            self.step,
            HandshakeStep::Proposed(..) | HandshakeStep::ProposedTls(..) | HandshakeStep::Choosing(..)
        )
    }

    /// Whether TLS was agreed on.
    pub(super) const fn is_tls(&self) -> bool {
        matches!(self.step, HandshakeStep::Tls(_))
    }

    /// Whether the peer spoke when Noise was proposed, but has not agreed to it.
    pub(super) const fn is_noise_unanswered(&self) -> bool {
        matches!(&self.step, HandshakeStep::Proposed(proposal, _) if proposal.is_header_seen())
    }

    /// Goes on agreeing on a security protocol.
    pub(super) fn negotiate(&mut self, rest: &mut &[u8], wire: &mut Vec<u8>) -> Result<(), Fault> {
        self.step = match std::mem::replace(&mut self.step, HandshakeStep::Over) {
            HandshakeStep::Proposed(mut proposal, initiator) => match proposal.receive(rest)? {
                None => HandshakeStep::Proposed(proposal, initiator),
                Some(ProposalEnd::Agreed) => HandshakeStep::Second(initiator),
                Some(ProposalEnd::Refused) => {
                    // Remembered: the peer may speak TLS.
                    self.step = HandshakeStep::Proposed(proposal, initiator);
                    return Err(refused());
                }
            },
            HandshakeStep::ProposedTls(mut proposal, channel) => match proposal.receive(rest)? {
                None => HandshakeStep::ProposedTls(proposal, channel),
                Some(ProposalEnd::Agreed) => HandshakeStep::Tls(channel),
                Some(ProposalEnd::Refused) => return Err(refused()),
            },
            HandshakeStep::Choosing(mut choice, offered) => match choice.receive(rest, offered, wire)? {
                None => HandshakeStep::Choosing(choice, offered),
                Some(chosen) if offered.get(chosen) == Some(&TLS) => {
                    HandshakeStep::Tls(TlsChannel::listener(own_tls(&self.identity)?)?)
                }
                Some(_) => HandshakeStep::First,
            },
            step => step,
        };
        Ok(())
    }

    /// Takes a message of Noise; the peer and the channel once all is done.
    pub(super) fn message(
        &mut self,
        message: &mut [u8],
        wire: &mut Vec<u8>,
    ) -> Result<Option<(PeerId, Channel)>, Fault> {
        match std::mem::replace(&mut self.step, HandshakeStep::Over) {
            HandshakeStep::First => {
                let mut responder = Responder::new(&[], StaticKey::generate()?);
                responder.read_first(message)?;
                let identity = &self.identity;
                write_message(wire, |out| {
                    responder.write_second(identity.noise_key(), identity.noise_payload(), out)
                })?;
                self.step = HandshakeStep::Third(responder);
                Ok(None)
            }
            HandshakeStep::Second(mut initiator) => {
                let (key, payload) = initiator.read_second(message)?;
                let peer = self.check(authenticate(payload, &key)?)?;
                let identity = &self.identity;
                let channel = write_message(wire, |out| {
                    initiator.write_third(identity.noise_key(), identity.noise_payload(), out)
                })?;
                Ok(Some((peer, channel)))
            }
            HandshakeStep::Third(mut responder) => {
                let (key, payload, channel) = responder.read_third(message)?;
                Ok(Some((self.check(authenticate(payload, &key)?)?, channel)))
            }
            _ => Err(NoiseError::Malformed.into()),
        }
    }

    /// Takes bytes of TLS; the peer and the channel once all is done. What the peer said in it already is appended to
    /// `plaintext`.
    pub(super) fn receive_tls(
        &mut self,
        bytes: &[u8],
        plaintext: &mut Vec<u8>,
        wire: &mut Vec<u8>,
    ) -> Result<Option<(PeerId, TlsChannel)>, Fault> {
        let HandshakeStep::Tls(channel) = &mut self.step else { return Ok(None) };
        let result = channel.receive(bytes, plaintext);
        // A refusal is told to the peer.
        channel.transmit(wire)?;
        result?;
        if channel.is_handshaking() {
            return Ok(None);
        }
        let peer = channel.peer().ok_or(Fault::new(FailureClass::HandshakeFailed, NOBODY))?;
        let peer = self.check(peer)?;
        match std::mem::replace(&mut self.step, HandshakeStep::Over) {
            HandshakeStep::Tls(channel) => Ok(Some((peer, channel))),
            _ => Ok(None),
        }
    }

    fn check(&mut self, peer: PeerId) -> Result<PeerId, Fault> {
        if self.expected.is_none_or(|expected| expected == peer) {
            return Ok(peer);
        }
        self.stranger = Some(peer);
        Err(Fault::new(FailureClass::PeerIdMismatch, ""))
    }
}

/// What a failure says of a certificate that names nobody.
const NOBODY: &str = "tls: a certificate of nobody";

/// The peer speaks no security protocol of those proposed.
const fn refused() -> Fault {
    Fault::new(FailureClass::SecurityNotSupported, "")
}

fn own_tls(identity: &Identity) -> Result<&OwnTls, Fault> {
    identity.tls().ok_or(Fault::new(FailureClass::LocalResources, "tls: no certificate could be made"))
}

/// Appends a message with its length before it.
fn write_message<T>(
    wire: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<T, NoiseError>,
) -> Result<T, NoiseError> {
    let at = wire.len();
    wire.extend_from_slice(&[0; LENGTH_BYTES]);
    let result = write(wire)?;
    let length = u16::try_from(wire.len() - at - LENGTH_BYTES).map_err(|_| NoiseError::Exhausted)?;
    if let Some(place) = wire.get_mut(at..at + LENGTH_BYTES) {
        place.copy_from_slice(&length.to_be_bytes());
    }
    Ok(result)
}
