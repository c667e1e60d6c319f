//! Asking the other side of a connection who it is: once, when its first request comes.
//!
//! The stream of identify, its answer in one message or several, and what the peer says later unasked. Whether to ask,
//! and what to make of the answer, is the service's.

use kad::{
    identify::{IDENTIFY_PROTOCOL, Identify, MAX_IDENTIFY_BYTES},
    network::StreamId,
};
use tokio::time::Instant;

use crate::{carrier::Carrier, session::Framing};

/// The most messages of one answer (go-libp2p takes as many, `p2p/protocol/identify`, `maxMessages`).
const MAX_MESSAGES: usize = 10;

/// How far the asking on one connection has come.
#[derive(Debug, Default)]
pub(super) enum Asking {
    /// No request has come yet.
    #[default]
    NotYet,
    /// The service does not want to know.
    Never,
    /// The peer was asked.
    UnderWay(Box<Hearing>),
    /// It has answered on this stream, or will not.
    Over(StreamId),
}

/// An answer that is being heard.
#[derive(Debug)]
pub(super) struct Hearing {
    stream: StreamId,
    said: Identify,
    messages: usize,
    /// When the last message came or went.
    active: Instant,
}

impl Asking {
    /// A request came: asks, if it is the first one and the service `wants` to know.
    pub(super) fn begin(&mut self, carrier: &mut impl Carrier, now: Instant, wants: impl FnOnce() -> bool) {
        if !matches!(self, Self::NotYet) {
            return;
        }
        *self = Self::Never;
        if wants() {
            let stream = carrier.open(IDENTIFY_PROTOCOL, Framing::Prefixed(MAX_IDENTIFY_BYTES));
            let said = Identify::default();
            *self = Self::UnderWay(Box::new(Hearing { stream, said, messages: 0, active: now }));
        }
    }

    /// Whether the service wants to know what the peer says unasked.
    pub(super) const fn is_interested(&self) -> bool {
        matches!(self, Self::UnderWay(_) | Self::Over(_))
    }

    /// Whether this stream is or was the one of the answer.
    pub(super) fn owns(&self, stream: StreamId) -> bool {
        matches!(self, Self::Over(over) if *over == stream) || self.is_on(stream)
    }

    /// Whether the answer is under way on this stream.
    pub(super) fn is_on(&self, stream: StreamId) -> bool {
        matches!(self, Self::UnderWay(hearing) if hearing.stream == stream)
    }

    /// Takes a message of the answer. One that is none, or one too many, ends the asking.
    pub(super) fn hear(&mut self, carrier: &mut impl Carrier, message: &[u8], now: Instant) {
        let Self::UnderWay(hearing) = self else { return };
        hearing.active = now;
        hearing.messages += 1;
        if hearing.messages > MAX_MESSAGES || hearing.said.merge(message).is_err() {
            carrier.reset(hearing.stream);
            *self = Self::Over(hearing.stream);
        }
    }

    /// The stream is over. What the peer has said, if it ended in good order and said anything.
    pub(super) fn end(&mut self, in_good_order: bool) -> Option<Identify> {
        let Self::UnderWay(hearing) = self else { return None };
        let (stream, heard_any) = (hearing.stream, hearing.messages > 0);
        let said = std::mem::take(&mut hearing.said);
        *self = Self::Over(stream);
        (in_good_order && heard_any).then_some(said)
    }

    /// Gives the asking up if nothing has come since `then`.
    pub(super) fn give_up(&mut self, carrier: &mut impl Carrier, then: Instant) {
        if let Self::UnderWay(hearing) = self
            && hearing.active <= then
        {
            carrier.reset(hearing.stream);
            *self = Self::Over(hearing.stream);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::Arc,
        task::{Context, Poll},
        time::Duration,
    };

    use kad::{
        Multiaddr, PeerId,
        failure::{Failure, Phase},
        network::Traffic,
    };

    use super::*;
    use crate::session::{Protocol, SessionEvent};

    /// Counts what is opened and reset, and carries nothing.
    #[derive(Default)]
    struct Nowhere {
        opened: u32,
        reset: u32,
    }

    impl Carrier for Nowhere {
        fn peer(&self) -> Option<PeerId> {
            None
        }

        fn phase(&self) -> Phase {
            Phase::Request
        }

        fn observed(&self) -> Multiaddr {
            Multiaddr::empty()
        }

        fn traffic(&self) -> Traffic {
            Traffic::default()
        }

        fn poll_event(&mut self) -> Option<SessionEvent> {
            None
        }

        fn open(&mut self, protocol: &str, _: Framing) -> StreamId {
            assert_eq!(protocol, IDENTIFY_PROTOCOL);
            self.opened += 1;
            StreamId(8)
        }

        fn send(&mut self, _: StreamId, _: &[u8]) {}

        fn finish(&mut self, _: StreamId) {}

        fn reset(&mut self, _: StreamId) {
            self.reset += 1;
        }

        fn say_goodbye(&mut self) {}

        fn abort(&mut self) {}

        fn local(&self) -> Multiaddr {
            Multiaddr::empty()
        }

        fn serve(&mut self, _: &Arc<[Protocol]>) {}

        fn queued_bytes(&self) -> usize {
            0
        }

        fn is_congested(&self) -> bool {
            false
        }

        fn poll_receive(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
            Poll::Pending
        }

        fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<bool, Failure>> {
            Poll::Ready(Ok(false))
        }
    }

    fn begun() -> (Asking, Nowhere, Instant) {
        let (mut asking, mut carrier, now) = (Asking::default(), Nowhere::default(), Instant::now());
        asking.begin(&mut carrier, now, || true);
        asking.begin(&mut carrier, now, || true);
        assert!(asking.is_on(StreamId(8)) && !asking.is_on(StreamId(6)));
        assert_eq!(carrier.opened, 1);
        (asking, carrier, now)
    }

    fn saying(protocol: &str) -> Vec<u8> {
        Identify { protocols: vec![protocol.to_owned()], ..Identify::default() }.encode()
    }

    #[test]
    fn the_messages_of_an_answer_add_up() {
        let (mut asking, mut carrier, now) = begun();
        asking.hear(&mut carrier, &saying("/a"), now);
        asking.hear(&mut carrier, &saying("/b"), now);
        let said = asking.end(true).expect("an answer");
        assert_eq!(said.protocols, ["/a", "/b"]);
        assert!(asking.is_interested() && asking.end(true).is_none() && carrier.reset == 0);
    }

    #[test]
    fn nothing_nonsense_too_much_and_a_bad_end_are_no_answer() {
        let (mut asking, ..) = begun();
        assert_eq!(asking.end(true), None);
        let (mut asking, mut carrier, now) = begun();
        asking.hear(&mut carrier, &saying("/a"), now);
        assert_eq!(asking.end(false), None);
        let (mut asking, mut carrier, now) = begun();
        asking.hear(&mut carrier, &[0xff], now);
        assert_eq!((asking.end(true), carrier.reset), (None, 1));
        assert!(
            asking.owns(StreamId(8)) && !asking.owns(StreamId(6)),
            "what still comes on it is nobody else's"
        );
        let (mut asking, mut carrier, now) = begun();
        for _ in 0..=MAX_MESSAGES {
            asking.hear(&mut carrier, &saying("/a"), now);
        }
        assert_eq!((asking.end(true), carrier.reset), (None, 1));
    }

    #[test]
    fn silence_is_given_up() {
        let (mut asking, mut carrier, now) = begun();
        asking.give_up(&mut carrier, now - Duration::from_millis(1));
        assert!(asking.is_on(StreamId(8)));
        asking.give_up(&mut carrier, now);
        assert_eq!((asking.is_on(StreamId(8)), carrier.reset), (false, 1));
    }

    #[test]
    fn nobody_is_asked_whom_the_service_does_not_want_to_know() {
        let (mut asking, mut carrier, now) = (Asking::default(), Nowhere::default(), Instant::now());
        asking.begin(&mut carrier, now, || false);
        asking.begin(&mut carrier, now, || true);
        assert_eq!((carrier.opened, asking.is_interested()), (0, false));
    }
}
