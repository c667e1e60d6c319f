//! Both directions of a connection that exists only here, whatever the peer does on it.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use kad::{
    Multiaddr, PeerId,
    answer::Answer,
    fabric::{Direction, Request, Says, Service},
    failure::{Failure, FailureClass, Phase},
    network::{Event, StreamId, Traffic},
};
use proptest::prelude::*;

use super::{Duplex, MAX_A_TURN};
use crate::{
    carrier::Carrier,
    identity::Identity,
    persona::{Persona, Voice},
    session::{Framing, Protocol, SessionEvent},
};

/// Does what the first byte of a request says.
struct Obedient;

impl Service for Obedient {
    async fn answer(&self, request: Request) -> Answer {
        match request.message.first() {
            Some(0) => Answer::Nothing,
            Some(1) => Answer::Reset,
            Some(2) => Answer::Close,
            Some(3) => Answer::HangUp,
            Some(4) => std::future::pending().await,
            _ => Answer::Message(request.message),
        }
    }

    fn asks(&self, from: PeerId) -> bool {
        from.to_bytes().len() > 2
    }
}

/// A connection on which what happens is written down beforehand.
struct Scripted {
    peer: PeerId,
    coming: VecDeque<SessionEvent>,
    come: VecDeque<SessionEvent>,
    next: u32,
    sent: Vec<(StreamId, Vec<u8>)>,
    /// Streams that we have reset or that are over.
    gone: HashSet<StreamId>,
    aborted: bool,
    /// The peer does not hang up when all has come.
    open_ended: bool,
}

impl Carrier for Scripted {
    fn peer(&self) -> Option<PeerId> {
        Some(self.peer)
    }

    fn phase(&self) -> Phase {
        Phase::Request
    }

    fn observed(&self) -> Multiaddr {
        Multiaddr::empty()
    }

    fn local(&self) -> Multiaddr {
        Multiaddr::empty()
    }

    fn serve(&mut self, _: &Arc<[Protocol]>) {}

    fn traffic(&self) -> Traffic {
        Traffic::default()
    }

    fn poll_event(&mut self) -> Option<SessionEvent> {
        let event = self.come.pop_front()?;
        if let SessionEvent::Ended(stream, _) = event {
            self.gone.insert(stream);
        }
        Some(event)
    }

    fn open(&mut self, _: &str, _: Framing) -> StreamId {
        self.next += 2;
        StreamId(self.next)
    }

    fn send(&mut self, stream: StreamId, message: &[u8]) {
        self.sent.push((stream, message.to_vec()));
    }

    fn finish(&mut self, _: StreamId) {}

    fn reset(&mut self, stream: StreamId) {
        self.gone.insert(stream);
    }

    fn say_goodbye(&mut self) {}

    fn abort(&mut self) {
        self.aborted = true;
    }

    fn queued_bytes(&self) -> usize {
        0
    }

    fn is_congested(&self) -> bool {
        false
    }

    fn poll_receive(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        match self.coming.pop_front() {
            None if self.open_ended => Poll::Pending,
            None => Poll::Ready(Err(Failure::new(Phase::Request, FailureClass::ConnectionClosed))),
            Some(event) => {
                self.come.push_back(event);
                Poll::Ready(Ok(()))
            }
        }
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<bool, Failure>> {
        Poll::Ready(Ok(false))
    }
}

fn events() -> impl Strategy<Value = Vec<SessionEvent>> {
    let stream = || (1..12_u32).prop_map(StreamId);
    let message = || proptest::collection::vec(0..8_u8, 0..3);
    let event = prop_oneof![
        (stream(), 0..5_usize).prop_map(|(stream, position)| SessionEvent::Opened(stream, position)),
        (stream(), message()).prop_map(|(stream, message)| SessionEvent::Message(stream, message)),
        (stream(), message()).prop_map(|(stream, message)| SessionEvent::Message(stream, message)),
        stream().prop_map(SessionEvent::Accepted),
        stream().prop_map(SessionEvent::Finished),
        stream().prop_map(|stream| SessionEvent::Ended(stream, None)),
    ];
    proptest::collection::vec(event, 0..60)
}

/// A connection on which this happens.
fn duplex(direction: Direction, events: Vec<SessionEvent>, open_ended: bool) -> Duplex<Scripted> {
    let identity = Identity::generate().unwrap();
    let says = Says { kad_protocols: vec!["/a".into(), "/b".into()], ..Says::default() };
    let voice = |identity: &Identity, others: &[_]| Voice::of(identity, &says, others);
    let persona = Arc::new(Persona::new(identity, Arc::new(Obedient), voice));
    let scripted = Scripted {
        peer: PeerId::random(),
        coming: events.into(),
        come: VecDeque::new(),
        next: if direction == Direction::Outbound { 101 } else { 102 },
        sent: Vec::new(),
        gone: HashSet::new(),
        aborted: false,
        open_ended,
    };
    Duplex::new(scripted, direction, persona)
}

/// The events that a holder sees, and the connection afterwards.
fn held(direction: Direction, events: Vec<SessionEvent>, open_ended: bool) -> (Vec<Event>, Scripted) {
    let mut duplex = duplex(direction, events, open_ended);
    let mut seen = Vec::new();
    let mut cx = Context::from_waker(Waker::noop());
    while let Poll::Ready(Ok(event)) = duplex.poll_next(&mut cx) {
        seen.push(event);
    }
    (seen, duplex.into_carrier())
}

proptest! {
    #[test]
    fn a_holder_sees_its_own_streams_and_a_peer_at_most_an_answer_for_each_message(
        (is_outbound, events) in (any::<bool>(), events()),
    ) {
        let direction = if is_outbound { Direction::Outbound } else { Direction::Inbound };
        let mut asked: HashMap<StreamId, usize> = HashMap::new();
        for event in &events {
            match event {
                // Identify is answered unasked.
                SessionEvent::Message(stream, _) | SessionEvent::Opened(stream, 0) => {
                    *asked.entry(*stream).or_default() += 1;
                }
                _ => {}
            }
        }
        let (seen, carrier) = held(direction, events, false);
        for event in seen {
            let (Event::Accepted(stream) | Event::Message(stream, _) | Event::Ended(stream, _)) = event;
            prop_assert_eq!(stream.0 % 2 == 1, is_outbound);
        }
        let mut answered: HashMap<StreamId, usize> = HashMap::new();
        for (stream, _) in &carrier.sent {
            *answered.entry(*stream).or_default() += 1;
        }
        for (stream, count) in answered {
            prop_assert!(count <= asked.get(&stream).copied().unwrap_or(0), "{:?}", stream);
        }
    }
}

#[test]
fn requests_of_one_stream_are_answered_in_their_order_and_those_of_others_do_not_wait() {
    let (one, other) = (StreamId(2), StreamId(4));
    let message = |stream, byte| SessionEvent::Message(stream, vec![byte, 9]);
    let events = vec![
        SessionEvent::Opened(one, 3),
        SessionEvent::Opened(other, 4),
        message(one, 5),
        message(one, 4),
        message(one, 6),
        message(other, 7),
    ];
    let (seen, carrier) = held(Direction::Outbound, events, true);
    assert!(seen.is_empty() && !carrier.aborted);
    assert_eq!(carrier.sent, [(one, vec![5, 9]), (other, vec![7, 9])]);
}

#[test]
fn a_service_may_hang_up_and_then_answers_nothing_more() {
    let message = |byte| SessionEvent::Message(StreamId(1), vec![byte]);
    let events = vec![SessionEvent::Opened(StreamId(1), 3), message(5), message(3), message(6)];
    let (_, carrier) = held(Direction::Inbound, events, true);
    assert!(carrier.aborted);
    assert_eq!(carrier.sent, [(StreamId(1), vec![5])]);
}

#[test]
fn a_connection_on_which_requests_do_not_end_lets_others_have_their_turn() {
    let (one, other) = (StreamId(1), StreamId(3));
    let mut events = vec![SessionEvent::Opened(one, 3), SessionEvent::Opened(other, 3)];
    events.extend((0..1_000).map(|_| SessionEvent::Message(one, vec![5])));
    let mut duplex = duplex(Direction::Inbound, events, true);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut answered = 0;
    while answered < 1_000 {
        let polled = duplex.poll_next(&mut Context::from_waker(&waker));
        let sent = duplex.carrier().sent.len() - answered;
        answered += sent;
        assert!(polled.is_pending() && (1..=MAX_A_TURN).contains(&sent), "{sent}");
        // It comes back by itself as long as there is something to be done.
        assert_eq!(woken.0.swap(false, Ordering::Relaxed), answered < 1_000);
    }
}

/// Whether somebody was woken.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}
