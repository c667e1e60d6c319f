//! Two sessions of ours that talk to each other: whatever they do, and however the wire cuts it, neither complains of the
//! other, and what comes is what was sent.
//!
//! Each pair of bytes is one step: what is done, and to which stream or how much of it.

use std::collections::{BTreeMap, VecDeque};

use kad::{failure::FailureClass, network::StreamId};
use net::session::{Framing, Session, SessionEvent};

use super::{MAX_MESSAGE_BYTES, PROTOCOLS, ours};

/// More streams than that do not show more.
const MAX_STREAMS: usize = 12;

/// More bytes than that do not show more.
const MAX_SENT_BYTES: usize = 600_000;

/// Messages by stream.
type Messages = BTreeMap<StreamId, VecDeque<Vec<u8>>>;

/// One end, what it has sent and what was done to its streams.
struct End {
    session: Session,
    /// What the other end has still to get, in order.
    sent: Messages,
    /// What is on its way from this end.
    wire: VecDeque<u8>,
}

struct Pair {
    dialer: End,
    listener: End,
    streams: Vec<StreamId>,
    /// Streams of which less than everything may come: one side finished, reset or refused them.
    cut: Vec<StreamId>,
    sent_bytes: usize,
    next: u8,
}

/// Does to the two ends what the bytes say.
pub fn check(bytes: &[u8]) {
    let identity = ours();
    let Ok(dialer) = Session::dialer(identity, Some(identity.peer_id()), PROTOCOLS.clone()) else { return };
    let end = |session| End { session, sent: Messages::new(), wire: VecDeque::new() };
    let listener = Session::listener(identity, PROTOCOLS.clone());
    let (dialer, listener) = (end(dialer), end(listener));
    let mut pair = Pair { dialer, listener, streams: Vec::new(), cut: Vec::new(), sent_bytes: 0, next: 0 };
    for step in bytes.chunks_exact(2) {
        if let [what, which] = *step {
            pair.step(what, which);
        }
    }
    while pair.carry(true, usize::MAX) | pair.carry(false, usize::MAX) {}
    pair.all_has_come();
}

impl Pair {
    fn step(&mut self, what: u8, which: u8) {
        let stream = self.streams.get(usize::from(which) % self.streams.len().max(1)).copied();
        match (what % 9, stream) {
            (0, _) if self.streams.len() < MAX_STREAMS => self.open(which),
            (1, Some(stream)) => self.send(true, stream, usize::from(what / 9) * 300 + usize::from(which)),
            (2, Some(stream)) => self.send(false, stream, usize::from(what / 9) * 300 + usize::from(which)),
            (3, Some(stream)) => {
                self.dialer.session.finish(stream);
                self.cut.push(stream);
            }
            (4, Some(stream)) => {
                self.listener.session.finish(stream);
                self.cut.push(stream);
            }
            (5, Some(stream)) => {
                let end = if which < 128 { &mut self.dialer } else { &mut self.listener };
                end.session.reset(stream);
                self.cut.push(stream);
            }
            (6 | 7, _) => drop(self.carry(true, usize::from(which) * 40 + 1)),
            (8, _) => drop(self.carry(false, usize::from(which) * 40 + 1)),
            _ => {}
        }
    }

    fn open(&mut self, which: u8) {
        let (name, framing) = match which % 3 {
            0 => ("/ipfs/kad/1.0.0", Framing::Prefixed(MAX_MESSAGE_BYTES)),
            1 => ("/ipfs/ping/1.0.0", Framing::Fixed(32)),
            _ => ("/not/spoken", Framing::Prefixed(MAX_MESSAGE_BYTES)),
        };
        let stream = self.dialer.session.open(name, framing);
        if !which.is_multiple_of(3) {
            // Pings have one length only, and a refused stream carries nothing.
            self.cut.push(stream);
        }
        self.streams.push(stream);
    }

    fn send(&mut self, from_dialer: bool, stream: StreamId, len: usize) {
        if self.cut.contains(&stream) || self.sent_bytes > MAX_SENT_BYTES {
            return;
        }
        let end = if from_dialer { &mut self.dialer } else { &mut self.listener };
        // The listener can send on a stream once it has heard of it.
        if !from_dialer && !end.sent.contains_key(&stream) {
            return;
        }
        self.next = self.next.wrapping_add(1);
        let message = vec![self.next; len];
        end.session.send(stream, &message);
        end.sent.entry(stream).or_default().push_back(message);
        self.sent_bytes += len;
    }

    /// Carries at most so many bytes from one end to the other. Says whether there were any.
    fn carry(&mut self, from_dialer: bool, most: usize) -> bool {
        let (from, to) = if from_dialer {
            (&mut self.dialer, &mut self.listener)
        } else {
            (&mut self.listener, &mut self.dialer)
        };
        let mut out = Vec::new();
        let transmitted = from.session.transmit(&mut out);
        assert_eq!(transmitted, Ok(()));
        from.wire.extend(out);
        let mut bytes: Vec<u8> = from.wire.drain(..most.min(from.wire.len())).collect();
        let any = !bytes.is_empty();
        let received = to.session.receive(&mut bytes);
        assert_eq!(received, Ok(()), "one end complains of the other");
        while let Some(event) = to.session.poll_event() {
            match event {
                SessionEvent::Opened(stream, protocol) => {
                    assert!(protocol < PROTOCOLS.len());
                    to.sent.entry(stream).or_default();
                }
                SessionEvent::Message(stream, message) => {
                    let expected = from.sent.get_mut(&stream).and_then(VecDeque::pop_front);
                    assert_eq!(Some(message), expected, "another message than was sent");
                }
                SessionEvent::Ended(stream, end) => {
                    let fine = end.is_none_or(|end| {
                        matches!(
                            end.class,
                            FailureClass::StreamReset
                                | FailureClass::StreamClosed
                                | FailureClass::ProtocolNotSupported
                        )
                    });
                    assert!(fine && self.cut.contains(&stream), "a stream ended by itself");
                }
                SessionEvent::Accepted(_) | SessionEvent::Finished(_) => {}
            }
        }
        any
    }

    /// On streams that nobody cut short, everything that was sent has come.
    fn all_has_come(&self) {
        for (stream, missing) in self.dialer.sent.iter().chain(&self.listener.sent) {
            assert!(missing.is_empty() || self.cut.contains(stream), "messages were lost on {stream:?}");
        }
    }
}
