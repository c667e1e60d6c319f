//! One stream of a QUIC connection and the dialogue on it.

use std::{
    collections::VecDeque,
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use kad::failure::{Failure, FailureClass};
use quinn::{ConnectionError, ReadError, RecvStream, SendStream, VarInt, WriteError};

use super::fault::reset_class;
use crate::session::{
    Protocol, SessionEvent,
    dialogue::{Dialogue, Half},
};

/// How many pieces of a stream are taken at once: a whole window of answers comes in so many packets.
const READ_PIECES: usize = 32;

/// The code with which streams and connections are ended where nothing is to be said (libp2p's `NO_ERROR`).
pub(super) const NO_ERROR: VarInt = VarInt::from_u32(0);

/// A stream and what is said on it.
pub(super) struct Stream {
    /// `None` until the peer's limit of streams allows to open it.
    pub(super) halves: Option<(SendStream, RecvStream)>,
    pub(super) dialogue: Dialogue,
}

/// What cannot go on.
pub(super) enum StreamBroken {
    Connection(ConnectionError),
    Stream(Failure),
}

impl Stream {
    /// Takes what came; what happens by it goes to `heard`, or is dropped where nobody listens.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        protocols: &[Protocol],
        heard: Option<&mut VecDeque<SessionEvent>>,
    ) -> Poll<Result<(), StreamBroken>> {
        let dialogue = &mut self.dialogue;
        let Some((_, receive)) = self.halves.as_mut().filter(|_| !dialogue.remote_closed) else {
            return Poll::Pending;
        };
        let mut pieces = [const { Bytes::new() }; READ_PIECES];
        let read = ready!(pin!(receive.read_chunks(&mut pieces)).poll(cx));
        let result = match (read, heard) {
            (Ok(Some(_)), None) => Ok(()),
            (Ok(Some(count)), Some(events)) => {
                pieces.iter().take(count).try_for_each(|piece| dialogue.receive(piece, protocols, events))
            }
            (Ok(None), heard) => dialogue.close_remote().map(|event| {
                if let Some(events) = heard {
                    events.push_back(event);
                }
            }),
            (Err(ReadError::ConnectionLost(error)), _) => {
                return Poll::Ready(Err(StreamBroken::Connection(error)));
            }
            (Err(ReadError::Reset(code)), _) => Err(Failure::new(dialogue.phase(), reset_class(code))),
            (Err(_), _) => Err(Failure::new(dialogue.phase(), FailureClass::StreamReset)),
        };
        Poll::Ready(result.map_err(StreamBroken::Stream))
    }

    /// Writes what is queued; whether there was anything.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, ConnectionError>> {
        let Some((send, _)) = &mut self.halves else { return Poll::Ready(Ok(false)) };
        let dialogue = &mut self.dialogue;
        let mut written = 0;
        while let Some(pending @ [_, ..]) = dialogue.unsent.get(written..) {
            match Pin::new(&mut *send).poll_write(cx, pending) {
                Poll::Ready(Ok(bytes)) => written += bytes,
                Poll::Ready(Err(WriteError::ConnectionLost(error))) => return Poll::Ready(Err(error)),
                Poll::Ready(Err(_)) => {
                    // The peer reads no more; what it sends is still heard.
                    dialogue.sending = Half::Closed;
                    written = dialogue.unsent.len();
                }
                Poll::Pending => {
                    dialogue.unsent.drain(..written);
                    return Poll::Pending;
                }
            }
        }
        if written > 0 {
            // An idle stream holds no buffer.
            dialogue.unsent = Vec::new();
        }
        if dialogue.sending == Half::Closing {
            // It fails only where the peer has stopped reading, which ends our half as well.
            send.finish().ok();
            dialogue.sending = Half::Closed;
        }
        Poll::Ready(Ok(written > 0))
    }

    /// Ends a stream that the peer opened and on which nothing was agreed, in good order; whether it is one. The peer
    /// did not wait for the answer to its proposal, and a reset would overtake that answer.
    pub(super) fn refuse(&mut self) -> bool {
        let dialogue = &mut self.dialogue;
        if !dialogue.inbound || dialogue.is_agreed() {
            return false;
        }
        if let Some((_, receive)) = &mut self.halves {
            // It fails only where the peer has ended its half already.
            receive.stop(NO_ERROR).ok();
        }
        dialogue.remote_closed = true;
        dialogue.finish();
        true
    }

    /// Ends both halves at once.
    pub(super) fn abort(mut self) {
        if let Some((send, receive)) = &mut self.halves {
            // They fail only where that half is over already.
            send.reset(NO_ERROR).ok();
            receive.stop(NO_ERROR).ok();
        }
    }
}
