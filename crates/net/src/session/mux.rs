//! The streams of one session over yamux, in both roles: frames in, frames out, and a bound on everything.

use std::{collections::VecDeque, sync::Arc};

use kad::{
    failure::{Failure, FailureClass, Phase},
    network::StreamId,
};

use super::{Fault, Framing, Protocol, Role, SessionEvent, dialogue::Dialogue, stream::Stream};
use crate::yamux::{
    ACK, FIN, HEADER_BYTES, Header, INITIAL_WINDOW_BYTES, Kind, RST, STREAM_RATE_LIMITED,
    STREAM_RESOURCE_LIMIT, SYN,
};

/// The most streams that a peer may have open with us at once.
pub const MAX_INBOUND_STREAMS: usize = 64;

/// The most bytes of unfinished messages that are held of all streams that a peer opened on one connection.
pub const MAX_HELD_BYTES: usize = 256 * 1024;

/// The most bytes of answers to pings, refused streams and the like that may wait to be sent. A peer that makes us
/// queue more between two transmissions is flooding us.
pub const MAX_CONTROL_BYTES: usize = 64 * 1024;

/// The most events that may wait to be taken.
pub const MAX_EVENTS: usize = 16 * 1024;

/// The most room for events that an idle session keeps.
const KEPT_EVENTS: usize = 32;

/// The data frame under way.
#[derive(Debug, Default)]
struct Incoming {
    stream: u32,
    remaining: usize,
    fin: bool,
}

/// All streams of one session.
#[derive(Debug)]
pub(super) struct Mux {
    role: Role,
    pub(super) protocols: Arc<[Protocol]>,
    next_id: u32,
    header: [u8; HEADER_BYTES],
    header_len: usize,
    incoming: Incoming,
    streams: Vec<Stream>,
    pub(super) events: VecDeque<SessionEvent>,
    /// Frames (and, before them, the agreement on yamux itself) for the next transmission.
    pub(super) out: Vec<u8>,
    control_bytes: usize,
    /// Whether a protocol was agreed on for any stream so far.
    any_agreed: bool,
    /// The code with which the peer said that it goes away.
    pub(super) gone_away: Option<u32>,
    /// Frames are read no more: what comes is dropped.
    pub(super) deaf: bool,
}

impl Mux {
    pub(super) fn new(role: Role, protocols: Arc<[Protocol]>) -> Self {
        Self {
            role,
            protocols,
            next_id: if role == Role::Dialer { 1 } else { 2 },
            header: [0; HEADER_BYTES],
            header_len: 0,
            incoming: Incoming::default(),
            streams: Vec::new(),
            events: VecDeque::new(),
            out: Vec::new(),
            control_bytes: 0,
            any_agreed: false,
            gone_away: None,
            deaf: false,
        }
    }

    /// The phase that a failure of the connection falls into now.
    pub(super) const fn phase(&self) -> Phase {
        if self.any_agreed { Phase::Request } else { Phase::Stream }
    }

    /// Opens a stream.
    pub(super) fn open(&mut self, protocol: &str, framing: Framing) -> StreamId {
        let id = self.next_id;
        self.next_id = id.saturating_add(2);
        self.streams.push(Stream::outbound(id, protocol, framing));
        StreamId(id)
    }

    /// The stream of that number, if it is not over.
    pub(super) fn stream(&mut self, id: StreamId) -> Option<&mut Stream> {
        self.streams.iter_mut().find(|stream| stream.id == id.0)
    }

    /// Gives a stream up.
    pub(super) fn reset(&mut self, id: StreamId, code: u32) {
        let Some(position) = self.streams.iter().position(|stream| stream.id == id.0) else { return };
        let mut stream = self.streams.swap_remove(position);
        if stream.dialogue.inbound {
            // What was answered before stays answered, refused protocols too.
            stream.write_frames(&mut self.out);
        }
        if stream.is_known_to_peer() {
            self.control(Kind::WindowUpdate, RST, id.0, code);
        }
    }

    /// Says goodbye.
    pub(super) fn go_away(&mut self) {
        self.control(Kind::GoAway, 0, 0, 0);
    }

    /// How many bytes wait for the next transmission or for a window.
    pub(super) fn queued_bytes(&self) -> usize {
        self.out.len() + self.streams.iter().map(|stream| stream.dialogue.unsent.len()).sum::<usize>()
    }

    /// How many bytes are held of messages that are not whole.
    pub(super) fn held_bytes(&self) -> usize {
        self.streams.iter().map(|stream| stream.dialogue.held_bytes()).sum()
    }

    /// Writes what the streams have queued to `out`, as frames.
    pub(super) fn write_frames(&mut self) {
        for stream in &mut self.streams {
            stream.write_frames(&mut self.out);
        }
        self.streams.retain(|stream| !stream.dialogue.is_over());
        self.control_bytes = 0;
    }

    /// Lets go of room that an idle session does not need.
    pub(super) fn shrink(&mut self) {
        if self.events.is_empty() && self.events.capacity() > KEPT_EVENTS {
            self.events = VecDeque::new();
        }
    }

    /// Takes bytes of frames.
    pub(super) fn receive(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let mut rest = bytes;
        while !rest.is_empty() && !self.deaf {
            if self.incoming.remaining > 0 {
                let (now, later) = rest.split_at(self.incoming.remaining.min(rest.len()));
                rest = later;
                self.incoming.remaining -= now.len();
                self.deliver(now);
                if self.incoming.remaining == 0 {
                    self.end_frame();
                }
            } else if let Some(header) = self.take_header(&mut rest) {
                self.frame(header)?;
            }
            if self.control_bytes > MAX_CONTROL_BYTES || self.events.len() > MAX_EVENTS {
                return Err(violation("yamux: a flood of frames"));
            }
        }
        Ok(())
    }

    /// Puts a header together; `None` if more is needed.
    fn take_header(&mut self, rest: &mut &[u8]) -> Option<[u8; HEADER_BYTES]> {
        let free = self.header.get_mut(self.header_len..)?;
        let (now, later) = rest.split_at(free.len().min(rest.len()));
        free.get_mut(..now.len())?.copy_from_slice(now);
        *rest = later;
        self.header_len += now.len();
        if self.header_len < HEADER_BYTES {
            return None;
        }
        self.header_len = 0;
        Some(self.header)
    }

    fn frame(&mut self, header: [u8; HEADER_BYTES]) -> Result<(), Fault> {
        let header = Header::parse(header).ok_or(violation("yamux: no frame of version 0"))?;
        match header.kind {
            Kind::Data => self.data(header),
            Kind::WindowUpdate => self.window_update(header),
            Kind::Ping => {
                if header.has(SYN) {
                    self.control(Kind::Ping, ACK, 0, header.length);
                }
                Ok(())
            }
            Kind::GoAway => {
                self.gone_away = Some(header.length);
                Ok(())
            }
        }
    }

    fn data(&mut self, header: Header) -> Result<(), Fault> {
        self.begin(header)?;
        let window = self.stream(StreamId(header.stream)).map(|stream| &mut stream.receive_window);
        let mut unknown = INITIAL_WINDOW_BYTES;
        let window = window.unwrap_or(&mut unknown);
        *window = window.checked_sub(header.length).ok_or(violation("yamux: more than the window"))?;
        if header.has(RST) {
            self.reset_by_peer(header.stream, 0);
        }
        self.incoming = Incoming {
            stream: header.stream,
            remaining: usize::try_from(header.length).unwrap_or(usize::MAX),
            fin: header.has(FIN),
        };
        if header.length == 0 {
            self.end_frame();
        }
        Ok(())
    }

    fn window_update(&mut self, header: Header) -> Result<(), Fault> {
        self.begin(header)?;
        if header.has(RST) {
            self.reset_by_peer(header.stream, header.length);
        } else if let Some(stream) = self.stream(StreamId(header.stream)) {
            stream.grant(header.length).map_err(|()| violation("yamux: a window beyond all numbers"))?;
            if header.has(FIN) {
                self.closed_by_peer(header.stream);
            }
        }
        Ok(())
    }

    /// Opens the stream that a frame asks for.
    fn begin(&mut self, header: Header) -> Result<(), Fault> {
        if !header.has(SYN) {
            return Ok(());
        }
        let odd = header.stream % 2 == 1;
        let theirs = header.stream != 0 && odd == (self.role == Role::Listener);
        if !theirs || self.stream(StreamId(header.stream)).is_some() {
            return Err(violation("yamux: a stream number that is not the peer's to open"));
        }
        if self.streams.iter().filter(|stream| stream.dialogue.inbound).count() >= MAX_INBOUND_STREAMS {
            self.control(Kind::WindowUpdate, RST, header.stream, STREAM_RESOURCE_LIMIT);
        } else {
            self.streams.push(Stream::inbound(header.stream));
        }
        Ok(())
    }

    /// Hands bytes to the stream of the frame under way; for a stream that is over they are dropped.
    fn deliver(&mut self, bytes: &[u8]) {
        let id = self.incoming.stream;
        let Some(stream) = self.streams.iter_mut().find(|stream| stream.id == id) else { return };
        let result = stream.dialogue.receive(bytes, &self.protocols, &mut self.events);
        self.any_agreed |= stream.dialogue.is_agreed();
        let inbound = self.streams.iter().map(|stream| &stream.dialogue).filter(|dialogue| dialogue.inbound);
        let held = inbound.map(Dialogue::held_bytes).sum::<usize>();
        let result = match result {
            Ok(()) if held > MAX_HELD_BYTES => Err(Failure::new(Phase::Request, FailureClass::ResourceLimit)),
            result => result,
        };
        if let Err(failure) = result {
            self.reset(StreamId(id), 0);
            self.events.push_back(SessionEvent::Ended(StreamId(id), Some(failure)));
        }
    }

    /// All of a data frame was taken.
    fn end_frame(&mut self) {
        let Incoming { stream: id, fin, .. } = self.incoming;
        if fin {
            self.closed_by_peer(id);
        } else if let Some(credit) = self.stream(StreamId(id)).and_then(Stream::credit) {
            self.control(Kind::WindowUpdate, 0, id, credit);
        }
    }

    fn closed_by_peer(&mut self, id: u32) {
        let open = |stream: &&mut Stream| stream.id == id && !stream.dialogue.remote_closed;
        let Some(stream) = self.streams.iter_mut().find(open) else { return };
        let event = stream.dialogue.close_remote().unwrap_or_else(|failure| {
            self.reset(StreamId(id), 0);
            SessionEvent::Ended(StreamId(id), Some(failure))
        });
        self.events.push_back(event);
    }

    fn reset_by_peer(&mut self, id: u32, code: u32) {
        let Some(position) = self.streams.iter().position(|stream| stream.id == id) else { return };
        let stream = self.streams.swap_remove(position);
        let dialogue = stream.dialogue;
        if !dialogue.inbound && dialogue.remote_closed {
            // Its end was already told.
            return;
        }
        let class = match code {
            STREAM_RESOURCE_LIMIT | STREAM_RATE_LIMITED => FailureClass::ResourceLimit,
            _ => FailureClass::StreamReset,
        };
        self.events.push_back(SessionEvent::Ended(StreamId(id), Some(Failure::new(dialogue.phase(), class))));
    }

    fn control(&mut self, kind: Kind, flags: u16, stream: u32, length: u32) {
        Header { kind, flags, stream, length }.write(&mut self.out);
        self.control_bytes += HEADER_BYTES;
    }
}

/// The peer broke a rule.
const fn violation(text: &'static str) -> Fault {
    Fault::new(FailureClass::ProtocolViolation, text)
}
