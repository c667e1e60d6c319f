//! What is said on one stream, without the stream: agreeing on a protocol, messages, and how each side ends it.

use std::collections::VecDeque;

use kad::{
    failure::{Failure, FailureClass, Phase},
    network::StreamId,
};

use super::{Framing, Protocol, SessionEvent, assembler::Assembler};
use crate::{
    multistream::{Choice, Malformed, Proposal, ProposalEnd},
    wire::put_varint,
};

/// How far the agreement on a protocol has come.
#[derive(Debug)]
enum Agreement {
    Proposed(Box<Proposal>),
    Choosing(Box<Choice>),
    Done,
}

/// How far our own half is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Half {
    Open,
    /// The end goes out after the last bytes that are queued.
    Closing,
    Closed,
}

/// One stream's share of a conversation.
#[derive(Debug)]
pub(crate) struct Dialogue {
    pub(crate) id: StreamId,
    pub(crate) inbound: bool,
    pub(crate) sending: Half,
    pub(crate) remote_closed: bool,
    /// Bytes that wait to be written.
    pub(crate) unsent: Vec<u8>,
    agreement: Agreement,
    framing: Framing,
    assembler: Assembler,
}

impl Dialogue {
    /// On a stream that we open.
    pub(crate) fn outbound(id: StreamId, protocol: &str, framing: Framing) -> Self {
        let mut unsent = Vec::with_capacity(64);
        let proposal = Box::new(Proposal::new(protocol, &mut unsent));
        Self::new(id, Agreement::Proposed(proposal), framing, unsent)
    }

    /// On a stream that the peer opened.
    pub(crate) fn inbound(id: StreamId) -> Self {
        Self::new(id, Agreement::Choosing(Box::default()), Framing::Fixed(0), Vec::new())
    }

    fn new(id: StreamId, agreement: Agreement, framing: Framing, unsent: Vec<u8>) -> Self {
        let inbound = matches!(agreement, Agreement::Choosing(_));
        let assembler = Assembler::new(framing);
        let sending = Half::Open;
        Self { id, inbound, sending, remote_closed: false, unsent, agreement, framing, assembler }
    }

    /// Whether both sides agreed on a protocol.
    pub(crate) const fn is_agreed(&self) -> bool {
        matches!(self.agreement, Agreement::Done)
    }

    /// Whether both halves are closed.
    pub(crate) fn is_over(&self) -> bool {
        self.remote_closed && self.sending == Half::Closed
    }

    /// How many bytes are held of a message that is not complete.
    pub(crate) fn held_bytes(&self) -> usize {
        self.assembler.held_bytes()
    }

    /// The phase that a failure falls into now.
    pub(crate) const fn phase(&self) -> Phase {
        if self.is_agreed() { Phase::Request } else { Phase::Stream }
    }

    /// Queues one message, unless our half is closed.
    pub(crate) fn send(&mut self, message: &[u8]) {
        if self.sending == Half::Open {
            if let Framing::Prefixed(_) = self.framing {
                put_varint(&mut self.unsent, message.len());
            }
            self.unsent.extend_from_slice(message);
        }
    }

    /// Closes our half after what is queued.
    pub(crate) fn finish(&mut self) {
        if self.sending == Half::Open {
            self.sending = Half::Closing;
        }
    }

    /// Takes bytes of the peer. An error is the end of the stream.
    pub(crate) fn receive(
        &mut self,
        bytes: &[u8],
        protocols: &[Protocol],
        events: &mut VecDeque<SessionEvent>,
    ) -> Result<(), Failure> {
        let mut rest = bytes;
        if !self.is_agreed() && !self.agree(&mut rest, protocols, events)? {
            return Ok(());
        }
        loop {
            match self.assembler.take(&mut rest) {
                Ok(Some(message)) => events.push_back(SessionEvent::Message(self.id, message)),
                Ok(None) => return Ok(()),
                Err(class) => return Err(Failure::new(Phase::Request, class)),
            }
        }
    }

    /// Goes on agreeing on a protocol; whether that is done.
    fn agree(
        &mut self,
        rest: &mut &[u8],
        protocols: &[Protocol],
        events: &mut VecDeque<SessionEvent>,
    ) -> Result<bool, Failure> {
        let malformed = |malformed: Malformed| {
            Failure::with_detail(Phase::Stream, FailureClass::Malformed, &malformed.text)
        };
        let event = match &mut self.agreement {
            Agreement::Done => return Ok(true),
            Agreement::Proposed(proposal) => match proposal.receive(rest).map_err(malformed)? {
                None => return Ok(false),
                Some(ProposalEnd::Refused) => {
                    return Err(Failure::new(Phase::Stream, FailureClass::ProtocolNotSupported));
                }
                Some(ProposalEnd::Agreed) => SessionEvent::Accepted(self.id),
            },
            Agreement::Choosing(choice) => {
                let chosen = choice.receive(rest, protocols, &mut self.unsent).map_err(malformed)?;
                let Some(index) = chosen else { return Ok(false) };
                self.framing = protocols.get(index).map_or(self.framing, |protocol| protocol.framing);
                self.assembler = Assembler::new(self.framing);
                SessionEvent::Opened(self.id, index)
            }
        };
        self.agreement = Agreement::Done;
        events.push_back(event);
        Ok(true)
    }

    /// The peer sends no more. The event that this is, or the failure that it ends the stream with.
    pub(crate) fn close_remote(&mut self) -> Result<SessionEvent, Failure> {
        self.remote_closed = true;
        if !self.is_agreed() || self.assembler.is_partial() {
            return Err(Failure::new(self.phase(), FailureClass::StreamClosed));
        }
        if self.inbound {
            return Ok(SessionEvent::Finished(self.id));
        }
        self.finish();
        Ok(SessionEvent::Ended(self.id, None))
    }
}
