//! One stream of a session: agreeing on its protocol, its messages, its windows and how each side ends it.

use std::collections::VecDeque;

use kad::{
    failure::{Failure, FailureClass, Phase},
    network::StreamId,
};

use super::{Framing, Protocol, SessionEvent, assembler::Assembler};
use crate::{
    multistream::{Choice, Proposal, Verdict},
    wire::put_varint,
    yamux::{ACK, FIN, HEADER_BYTES, Header, INITIAL_WINDOW_BYTES, Kind, SYN},
};

/// The most data in one frame of ours, in bytes: with its header it fills one Noise message.
const MAX_FRAME_DATA_BYTES: usize = crate::noise::MAX_PLAINTEXT_BYTES - HEADER_BYTES;

/// How far the agreement on a protocol has come.
#[derive(Debug)]
enum Agreement {
    Proposed(Box<Proposal>),
    Choosing(Box<Choice>),
    Done,
}

/// How far our own half of a stream is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    Open,
    /// The end goes out with the last bytes that are queued.
    Closing,
    Closed,
}

/// One stream.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) id: u32,
    pub(super) inbound: bool,
    /// What the peer may still send before it is granted more, in bytes.
    pub(super) receive_window: u32,
    send_window: u32,
    /// SYN or ACK, as long as no frame of ours has carried it.
    first_flag: u16,
    agreement: Agreement,
    framing: Framing,
    assembler: Assembler,
    unsent: Vec<u8>,
    sending: Half,
    remote_closed: bool,
}

impl Stream {
    /// A stream that we open.
    pub(super) fn outbound(id: u32, protocol: &str, framing: Framing) -> Self {
        let mut unsent = Vec::with_capacity(64);
        let proposal = Box::new(Proposal::new(protocol.to_owned().into(), &mut unsent));
        Self::new(id, Agreement::Proposed(proposal), framing, unsent)
    }

    /// A stream that the peer opened.
    pub(super) fn inbound(id: u32) -> Self {
        Self::new(id, Agreement::Choosing(Box::default()), Framing::Fixed(0), Vec::new())
    }

    fn new(id: u32, agreement: Agreement, framing: Framing, unsent: Vec<u8>) -> Self {
        let inbound = matches!(agreement, Agreement::Choosing(_));
        Self {
            id,
            inbound,
            receive_window: INITIAL_WINDOW_BYTES,
            send_window: INITIAL_WINDOW_BYTES,
            first_flag: if inbound { ACK } else { SYN },
            agreement,
            framing,
            assembler: Assembler::new(framing),
            unsent,
            sending: Half::Open,
            remote_closed: false,
        }
    }

    /// Whether the peer knows of the stream.
    pub(super) const fn is_known_to_peer(&self) -> bool {
        self.first_flag != SYN
    }

    /// Whether both sides agreed on a protocol.
    pub(super) const fn is_agreed(&self) -> bool {
        matches!(self.agreement, Agreement::Done)
    }

    /// Whether both halves are closed.
    pub(super) fn is_over(&self) -> bool {
        self.remote_closed && self.sending == Half::Closed
    }

    /// How many bytes are held of a message that is not complete.
    pub(super) fn held_bytes(&self) -> usize {
        self.assembler.held_bytes()
    }

    /// How many bytes wait for a window or the next transmission.
    pub(super) const fn unsent_bytes(&self) -> usize {
        self.unsent.len()
    }

    /// Queues one message, unless our half is closed.
    pub(super) fn send(&mut self, message: &[u8]) {
        if self.sending == Half::Open {
            if let Framing::Prefixed(_) = self.framing {
                put_varint(&mut self.unsent, message.len());
            }
            self.unsent.extend_from_slice(message);
        }
    }

    /// Closes our half after what is queued.
    pub(super) fn finish(&mut self) {
        if self.sending == Half::Open {
            self.sending = Half::Closing;
        }
    }

    /// Takes bytes of the peer. An error is the end of the stream.
    pub(super) fn receive(
        &mut self,
        bytes: &[u8],
        protocols: &[Protocol],
        events: &mut VecDeque<SessionEvent>,
    ) -> Result<(), Failure> {
        let mut rest = bytes;
        if !self.is_agreed() && !self.agree(&mut rest, protocols, events)? {
            return Ok(());
        }
        let id = StreamId(self.id);
        loop {
            match self.assembler.take(&mut rest) {
                Ok(Some(message)) => events.push_back(SessionEvent::Message(id, message)),
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
        let malformed = |_| Failure::new(Phase::Stream, FailureClass::Malformed);
        let event = match &mut self.agreement {
            Agreement::Done => return Ok(true),
            Agreement::Proposed(proposal) => match proposal.receive(rest).map_err(malformed)? {
                None => return Ok(false),
                Some(Verdict::Refused) => {
                    return Err(Failure::new(Phase::Stream, FailureClass::ProtocolNotSupported));
                }
                Some(Verdict::Agreed) => SessionEvent::Accepted(StreamId(self.id)),
            },
            Agreement::Choosing(choice) => {
                let chosen = choice.receive(rest, protocols, &mut self.unsent).map_err(malformed)?;
                let Some(index) = chosen else { return Ok(false) };
                self.framing = protocols.get(index).map_or(self.framing, |protocol| protocol.framing);
                self.assembler = Assembler::new(self.framing);
                SessionEvent::Opened(StreamId(self.id), index)
            }
        };
        self.agreement = Agreement::Done;
        events.push_back(event);
        Ok(true)
    }

    /// The peer sends no more. An error if that was too early.
    pub(super) fn close_remote(&mut self) -> Result<(), Failure> {
        self.remote_closed = true;
        let phase = if self.is_agreed() { Phase::Request } else { Phase::Stream };
        if !self.is_agreed() || self.assembler.is_partial() {
            return Err(Failure::new(phase, FailureClass::StreamClosed));
        }
        Ok(())
    }

    /// Whether the peer has closed its half.
    pub(super) const fn is_remote_closed(&self) -> bool {
        self.remote_closed
    }

    /// The peer lets us send more; an error if that is more than the protocol can count.
    pub(super) fn grant(&mut self, bytes: u32) -> Result<(), ()> {
        self.send_window = self.send_window.checked_add(bytes).ok_or(())?;
        Ok(())
    }

    /// What to grant the peer now that all of a frame was taken: nothing before half the window is used.
    pub(super) fn credit(&mut self) -> Option<u32> {
        let used = INITIAL_WINDOW_BYTES.saturating_sub(self.receive_window);
        if used < INITIAL_WINDOW_BYTES / 2 || self.remote_closed {
            return None;
        }
        self.receive_window = INITIAL_WINDOW_BYTES;
        Some(used)
    }

    /// Writes what is queued as frames, as far as the peer's window allows.
    pub(super) fn write_frames(&mut self, out: &mut Vec<u8>) {
        while !self.unsent.is_empty() && self.send_window > 0 {
            let window = usize::try_from(self.send_window).unwrap_or(usize::MAX);
            let len = self.unsent.len().min(window).min(MAX_FRAME_DATA_BYTES);
            // No frame is longer than MAX_FRAME_DATA_BYTES.
            let length = u32::try_from(len).unwrap_or(0);
            self.write_header(0, length, out);
            out.extend_from_slice(self.unsent.get(..len).unwrap_or_default());
            self.send_window -= length;
            if len == self.unsent.len() {
                // An idle stream holds no buffer.
                self.unsent = Vec::new();
            } else {
                self.unsent.drain(..len);
            }
        }
        if self.unsent.is_empty() && self.sending == Half::Closing {
            self.sending = Half::Closed;
            // In a frame of its own: js-libp2p 3.3 hears of the end of a frame before its data, and loses the data.
            self.write_header(FIN, 0, out);
        }
    }

    fn write_header(&mut self, flag: u16, length: u32, out: &mut Vec<u8>) {
        let flags = std::mem::take(&mut self.first_flag) | flag;
        Header { kind: Kind::Data, flags, stream: self.id, length }.write(out);
    }
}
