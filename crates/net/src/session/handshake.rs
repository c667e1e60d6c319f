//! From the first byte to a secure channel: agreeing on Noise, then Noise itself.

use libp2p_identity::PeerId;

use super::{Fault, LENGTH_BYTES, malformed};
use crate::{
    identity::Identity,
    multistream::{Choice, Proposal, Verdict},
    noise::{Channel, Initiator, NoiseError, Responder, StaticKey, authenticate},
};
use kad::failure::FailureClass;

/// The security protocol that is spoken.
const NOISE: &str = "/noise";

/// A handshake under way.
#[derive(Debug)]
pub(super) struct Handshake {
    identity: Identity,
    expected: Option<PeerId>,
    /// Who the peer proved to be, if that was not the expected one.
    stranger: Option<PeerId>,
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// Noise was proposed, and its first message sent.
    Proposed(Proposal, Initiator),
    /// The dialler waits for the second message.
    Second(Initiator),
    /// The listener waits for a proposal.
    Choosing(Choice),
    /// The listener waits for the first message.
    First,
    /// The listener waits for the third message.
    Third(Responder),
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
        let proposal = Proposal::new(NOISE.into(), wire);
        let mut initiator = Initiator::new(&[], StaticKey::generate()?);
        write_message(wire, |out| initiator.write_first(&[], out))?;
        let step = Step::Proposed(proposal, initiator);
        Ok(Self { identity: identity.clone(), expected, stranger: None, step })
    }

    pub(super) fn listener(identity: &Identity) -> Self {
        let step = Step::Choosing(Choice::default());
        Self { identity: identity.clone(), expected: None, stranger: None, step }
    }

    /// Who the peer proved to be, if that was not the expected one.
    pub(super) const fn stranger(&self) -> Option<PeerId> {
        self.stranger
    }

    /// Whether the two sides still agree on Noise, in clear text.
    pub(super) const fn is_negotiating(&self) -> bool {
        matches!(self.step, Step::Proposed(..) | Step::Choosing(_))
    }

    /// Goes on agreeing on Noise.
    pub(super) fn negotiate(&mut self, rest: &mut &[u8], wire: &mut Vec<u8>) -> Result<(), Fault> {
        self.step = match std::mem::replace(&mut self.step, Step::Over) {
            Step::Proposed(mut proposal, initiator) => match proposal.receive(rest).map_err(malformed)? {
                None => Step::Proposed(proposal, initiator),
                Some(Verdict::Agreed) => Step::Second(initiator),
                Some(Verdict::Refused) => {
                    return Err(Fault { class: FailureClass::SecurityNotSupported, text: "" });
                }
            },
            Step::Choosing(mut choice) => match choice.receive(rest, &[NOISE], wire).map_err(malformed)? {
                None => Step::Choosing(choice),
                Some(_) => Step::First,
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
        match std::mem::replace(&mut self.step, Step::Over) {
            Step::First => {
                let mut responder = Responder::new(&[], StaticKey::generate()?);
                responder.read_first(message)?;
                let identity = &self.identity;
                write_message(wire, |out| {
                    responder.write_second(identity.noise_key(), identity.noise_payload(), out)
                })?;
                self.step = Step::Third(responder);
                Ok(None)
            }
            Step::Second(mut initiator) => {
                let (key, payload) = initiator.read_second(message)?;
                let peer = self.check(authenticate(payload, &key)?)?;
                let identity = &self.identity;
                let channel = write_message(wire, |out| {
                    initiator.write_third(identity.noise_key(), identity.noise_payload(), out)
                })?;
                Ok(Some((peer, channel)))
            }
            Step::Third(mut responder) => {
                let (key, payload, channel) = responder.read_third(message)?;
                Ok(Some((self.check(authenticate(payload, &key)?)?, channel)))
            }
            Step::Proposed(..) | Step::Choosing(_) | Step::Over => Err(NoiseError::Malformed.into()),
        }
    }

    fn check(&mut self, peer: PeerId) -> Result<PeerId, Fault> {
        if self.expected.is_none_or(|expected| expected == peer) {
            return Ok(peer);
        }
        self.stranger = Some(peer);
        Err(Fault { class: FailureClass::PeerIdMismatch, text: "" })
    }
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
