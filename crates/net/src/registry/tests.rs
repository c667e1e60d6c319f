//! What the registry knows, and whom it tells to go.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use kad::{
    PeerId,
    fabric::{CloseReason, Refusal, Says},
    failure::{Failure, FailureClass, Phase},
    network::Traffic,
};
use tokio::time::Instant;

use super::{Order, Peered, Registry, Ticket};
use crate::{
    admission::Bounds,
    identity::Identity,
    persona::{Nothing, Persona, Voice},
};

/// Counts how often it is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

struct Ours {
    registry: Arc<Registry>,
    persona: Arc<Persona>,
}

impl Ours {
    fn new(bounds: Bounds) -> Self {
        let identity = Identity::generate().unwrap();
        let voice = |identity: &Identity, others: &[_]| Voice::of(identity, &Says::default(), others);
        let persona = Arc::new(Persona::new(identity, Arc::new(Nothing), voice));
        Self { registry: Registry::new(bounds), persona }
    }

    fn ends(&self, member: u64, peer: PeerId) -> Peered {
        let remote = "/ip4/127.0.0.1/tcp/1".parse().unwrap();
        Peered { member, persona: Arc::clone(&self.persona), peer, remote }
    }

    fn dialled(&self, member: u64, peer: PeerId) -> Ticket {
        Ticket::dialled(&self.registry, self.ends(member, peer), [127, 0, 0, 1].into())
    }
}

fn order(ticket: &Ticket) -> Option<Order> {
    match ticket.poll_order(&Context::from_waker(Waker::noop())) {
        Poll::Ready(order) => Some(order),
        Poll::Pending => None,
    }
}

#[test]
fn the_longest_idle_go_unless_they_are_protected_and_nobody_twice() {
    let ours = Ours::new(Bounds { high_water: 6, low_water: 4, ..Bounds::default() });
    let now = Instant::now();
    let peers: Vec<_> = (0..6).map(|_| PeerId::random()).collect();
    let tickets: Vec<_> = peers.iter().map(|&peer| ours.dialled(0, peer)).collect();
    // The first has been idle for the longest time, and is protected.
    for (ticket, n) in tickets.iter().zip(1..) {
        ticket.note(Traffic::default(), now + Duration::from_secs(n), 0);
    }
    ours.registry.protect(0, peers[0], true);
    let newcomer = ours.dialled(0, PeerId::random());
    // Of seven there are to be four.
    let told: Vec<_> = tickets.iter().map(order).collect();
    let trim = Some(Order::Trim);
    assert_eq!(told, [None, trim, trim, trim, None, None]);
    // They have not gone yet: nobody else has to.
    let another = ours.dialled(0, PeerId::random());
    assert!(tickets.iter().chain([&newcomer, &another]).all(|ticket| order(ticket).is_none()));
}

#[test]
fn who_holds_most_goes_where_all_hold_too_much() {
    let ours = Ours::new(Bounds { held_bytes: 1_000, ..Bounds::default() });
    let tickets: Vec<_> = (0..5).map(|_| ours.dialled(0, PeerId::random())).collect();
    let hold = |n: usize, bytes| tickets[n].note(Traffic::default(), Instant::now(), bytes);
    for (n, bytes) in [(0, 100), (1, 400), (2, 200), (3, 300)] {
        hold(n, bytes);
    }
    assert!(tickets.iter().all(|ticket| order(ticket).is_none()), "it is as much as may be");
    ours.registry.protect(0, tickets[1].peer(), true);
    hold(4, 150);
    let told: Vec<_> = tickets.iter().map(order).collect();
    assert_eq!(told, [None, None, None, Some(Order::Unload), None], "the one that holds most, and no more");
    // It has not gone yet: nobody else has to, until there is too much without it.
    hold(0, 200);
    assert!(tickets.iter().all(|ticket| order(ticket).is_none()));
    hold(0, 500);
    assert_eq!(order(&tickets[0]), Some(Order::Unload));
    // What is gone holds nothing.
    drop(tickets);
    let one = ours.dialled(0, PeerId::random());
    one.note(Traffic::default(), Instant::now(), 1_000);
    assert_eq!(order(&one), None);
}

#[test]
fn who_loses_its_place_is_told_and_cannot_come_in() {
    let ours = Ours::new(Bounds { half_open: 2, ..Bounds::default() });
    let [one, other] = [[127, 0, 0, 2], [127, 0, 0, 3]].map(Into::into);
    let (first, second) = (ours.registry.arrive(one).unwrap(), ours.registry.arrive(one).unwrap());
    let third = ours.registry.arrive(other).unwrap();
    assert!(first.replaced().is_cancelled() && !second.replaced().is_cancelled());
    assert!(first.establish(ours.ends(0, PeerId::random())).is_none());
    let counted = ours.registry.counted();
    assert_eq!((counted.half_open, &counted.refused[..]), (2, &[(Refusal::HalfOpen, 1)][..]));
    drop((second, third));
    assert_eq!(ours.registry.counted().half_open, 0);
}

#[test]
fn orders_wake_and_the_most_urgent_comes_first() {
    let ours = Ours::new(Bounds::default());
    let (ticket, other) = (ours.dialled(0, PeerId::random()), ours.dialled(1, PeerId::random()));
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let cx = Context::from_waker(&waker);
    assert!(ticket.poll_order(&cx).is_pending());
    ours.registry.order_all(0, Order::Push);
    ours.registry.order_all(0, Order::Leave);
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    assert_eq!(
        [order(&ticket), order(&ticket), order(&ticket)],
        [Some(Order::Leave), Some(Order::Push), None]
    );
    assert_eq!(order(&other), None, "it is another peer's");
}

#[test]
fn what_ends_is_counted_by_its_reason_and_its_place_is_free_again() {
    let ours = Ours::new(Bounds { per_peer: 1, ..Bounds::default() });
    let (peer, from) = (PeerId::random(), [127, 0, 0, 2].into());
    let mut first = ours.registry.arrive(from).unwrap().establish(ours.ends(0, peer)).unwrap();
    assert!(ours.registry.arrive(from).unwrap().establish(ours.ends(0, peer)).is_none());
    drop(ours.registry.arrive(from).unwrap());
    first.end(CloseReason::Idle, &Failure::new(Phase::Request, FailureClass::Cancelled));
    first.end(CloseReason::Failed, &Failure::new(Phase::Request, FailureClass::Timeout));
    drop(first);
    drop(ours.registry.arrive(from).unwrap().establish(ours.ends(0, peer)).unwrap());
    let counted = ours.registry.counted();
    assert_eq!((counted.open, counted.half_open), (0, 0));
    assert_eq!(counted.closed, [(CloseReason::HungUp, 1), (CloseReason::Idle, 1)]);
    assert_eq!(counted.refused, [(Refusal::Peer, 1)]);
}

#[test]
fn who_is_protected_before_it_comes_is_protected() {
    let ours = Ours::new(Bounds::default());
    let peer = PeerId::random();
    ours.registry.protect(0, peer, true);
    let (ticket, other) = (ours.dialled(0, peer), ours.dialled(1, peer));
    assert!(ticket.is_protected() && !other.is_protected());
    ours.registry.protect(0, peer, false);
    assert!(!ticket.is_protected());
}
