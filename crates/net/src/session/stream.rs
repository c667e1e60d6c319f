//! One stream of a session: its windows and its frames. What is said on it is its dialogue.

use kad::network::StreamId;

use super::{
    Framing,
    dialogue::{Dialogue, Half},
};
use crate::yamux::{ACK, FIN, HEADER_BYTES, Header, INITIAL_WINDOW_BYTES, Kind, SYN};

/// The most data in one frame of ours, in bytes: with its header it fills one Noise message.
const MAX_FRAME_DATA_BYTES: usize = crate::noise::MAX_PLAINTEXT_BYTES - HEADER_BYTES;

/// One stream.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) id: u32,
    /// What the peer may still send before it is granted more, in bytes.
    pub(super) receive_window: u32,
    pub(super) dialogue: Dialogue,
    send_window: u32,
    /// SYN or ACK, as long as no frame of ours has carried it.
    first_flag: u16,
}

impl Stream {
    /// A stream that we open.
    pub(super) fn outbound(id: u32, protocol: &str, framing: Framing) -> Self {
        Self::new(id, SYN, Dialogue::outbound(StreamId(id), protocol, framing))
    }

    /// A stream that the peer opened.
    pub(super) fn inbound(id: u32) -> Self {
        Self::new(id, ACK, Dialogue::inbound(StreamId(id)))
    }

    const fn new(id: u32, first_flag: u16, dialogue: Dialogue) -> Self {
        let (receive_window, send_window) = (INITIAL_WINDOW_BYTES, INITIAL_WINDOW_BYTES);
        Self { id, receive_window, dialogue, send_window, first_flag }
    }

    /// Whether the peer knows of the stream.
    pub(super) const fn is_known_to_peer(&self) -> bool {
        self.first_flag != SYN
    }

    /// The peer lets us send more; an error if that is more than the protocol can count.
    pub(super) fn grant(&mut self, bytes: u32) -> Result<(), ()> {
        self.send_window = self.send_window.checked_add(bytes).ok_or(())?;
        Ok(())
    }

    /// What to grant the peer now that all of a frame was taken: nothing before half the window is used.
    pub(super) fn credit(&mut self) -> Option<u32> {
        let used = INITIAL_WINDOW_BYTES.saturating_sub(self.receive_window);
        if used < INITIAL_WINDOW_BYTES / 2 || self.dialogue.remote_closed {
            return None;
        }
        self.receive_window = INITIAL_WINDOW_BYTES;
        Some(used)
    }

    /// Writes what is queued as frames, as far as the peer's window allows.
    pub(super) fn write_frames(&mut self, out: &mut Vec<u8>) {
        while !self.dialogue.unsent.is_empty() && self.send_window > 0 {
            let window = usize::try_from(self.send_window).unwrap_or(usize::MAX);
            let len = self.dialogue.unsent.len().min(window).min(MAX_FRAME_DATA_BYTES);
            // No frame is longer than MAX_FRAME_DATA_BYTES.
            let length = u32::try_from(len).unwrap_or(0);
            self.write_header(0, length, out);
            out.extend_from_slice(self.dialogue.unsent.get(..len).unwrap_or_default());
            self.send_window -= length;
            if len == self.dialogue.unsent.len() {
                // An idle stream holds no buffer.
                self.dialogue.unsent = Vec::new();
            } else {
                self.dialogue.unsent.drain(..len);
            }
        }
        if self.dialogue.unsent.is_empty() && self.dialogue.sending == Half::Closing {
            self.dialogue.sending = Half::Closed;
            // In a frame of its own: js-libp2p 3.3 hears of the end of a frame before its data, and loses the data.
            self.write_header(FIN, 0, out);
        }
    }

    fn write_header(&mut self, flag: u16, length: u32, out: &mut Vec<u8>) {
        let flags = std::mem::take(&mut self.first_flag) | flag;
        Header { kind: Kind::Data, flags, stream: self.id, length }.write(out);
    }
}
