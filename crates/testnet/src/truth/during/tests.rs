//! The judge of those who watch peers come and go: right observers pass, and each lie is counted where it belongs.

use std::sync::Arc;

use super::*;
use crate::{
    Scenario, World,
    life::{HostPlace, Life, Presence},
};

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

struct Watched {
    truth: Truth,
    history: History,
    observed: ObservedDuring,
}

/// A world, its history of an hour, and an observer that visited everyone half an hour after the start, each within a
/// second, and saw what there was.
fn watched() -> Watched {
    let text = "peers = 150\n[life]\nlearn_s = 60\nforget_s = 300\n[[life.classes]]\nname = 'all'\nshare = 1.0\n\
                up = { law = 'exponential', median_s = 900 }\ndown = { law = 'exponential', median_s = 900 }\n\
                moves = { share = 0.5, addresses = 2 }";
    let world = Arc::new(World::generate(&Scenario::parse(text, "test").expect("a scenario")));
    let mut life = Life::of(&world).expect("a life");
    let mut history = History::starting(&life);
    for event in life.advance(HOUR / 2) {
        history.record(&event);
    }
    let during = (life.now(), life.now());
    let visits = world.peers().map(|peer| seen(&life, peer, during)).collect();
    for event in life.advance(HOUR) {
        history.record(&event);
    }
    history.extend_to(life.now());
    Watched { truth: Truth::of(world), history, observed: ObservedDuring { visits } }
}

fn seen(life: &Life, peer: u32, during: (Moment, Moment)) -> VisitDuring {
    let world = life.world();
    let is_up = life.presence(peer).is_none_or(Presence::is_up);
    let neighbors = life.neighbors(peer).into_iter().map(|(other, _)| other).collect();
    let place = life.presence(peer).map_or(HostPlace(0), |presence| presence.last.place);
    VisitDuring {
        peer: ObservedPeer {
            id: world.peer_id(peer),
            reachable: is_up,
            class: (!is_up).then_some("connection_refused".into()),
            neighbors: is_up.then_some(neighbors),
            said: None,
        },
        during: Some(during),
        dialled: world.addresses_at(peer, place),
    }
}

impl Watched {
    fn verdict(&self) -> DuringVerdict {
        self.truth.judge_during(&self.history, &self.observed, Duration::ZERO)
    }

    fn visit(&mut self, peer: u32) -> &mut VisitDuring {
        &mut self.observed.visits[peer as usize]
    }

    /// The first peer that comes and goes and is up, or down, for a minute around the visit.
    fn steady(&self, is_up: bool) -> u32 {
        let (from, to) = self.observed.visits[0].during.expect("a visit");
        let (from, to) = (from.before(MINUTE), to.after(MINUTE));
        let world = self.truth.world();
        let is = |&peer: &u32| {
            world.life_class(peer).is_some()
                && if is_up {
                    self.history.was_up_throughout(peer, from, to)
                } else {
                    !self.history.was_up(peer, from, to)
                }
        };
        world.peers().find(is).expect("a steady peer")
    }
}

#[test]
fn who_says_what_there_is_is_right() {
    let watched = watched();
    let verdict = watched.verdict();
    assert!(verdict.is_right(), "{verdict:#?}");
    assert_eq!((verdict.visits, verdict.visits_beyond), (150, 0));
    assert!(verdict.edges > 2_000 && verdict.edges == verdict.edges_expected, "{verdict:?}");
    assert!(verdict.peers_expected > 80);
}

#[test]
fn a_wrong_outcome_is_counted() {
    for (is_up, reachable, class) in [
        (true, false, Some("connection_refused")),
        (true, true, Some("connection_reset")),
        (true, false, None),
        (false, true, None),
        (false, false, Some("timeout")),
        (false, false, Some("host_unreachable")),
    ] {
        let mut watched = watched();
        let peer = watched.steady(is_up);
        let said = &mut watched.visit(peer).peer;
        (said.reachable, said.class, said.neighbors) = (reachable, class.map(Into::into), None);
        let verdict = watched.verdict();
        assert_eq!((verdict.wrong_outcomes, verdict.wrong.len()), (1, 1), "{reachable} {class:?}");
        assert_eq!(verdict.wrong[0].counted_as, "wrong_outcomes");
        assert!(!verdict.is_right());
    }
}

#[test]
fn what_held_at_some_moment_of_a_longer_visit_is_right() {
    let mut watched = watched();
    let (from, to) = watched.observed.visits[0].during.expect("a visit");
    let world = Arc::clone(watched.truth.world());
    // A peer that goes within the next minutes, and is not back at the end of them.
    let to = to.after(5 * MINUTE);
    let goes = |peer: u32| {
        let sessions = watched.history.sessions(peer, from, to)?;
        let goes = sessions.len() == 1 && sessions[0].from < from && sessions[0].to < to;
        goes.then_some(peer)
    };
    let peer = world.peers().find_map(goes).expect("a peer that goes");
    watched.visit(peer).during = Some((from, to));
    for (reachable, class, right) in [
        (true, None, true),
        (false, Some("connection_refused"), true),
        (true, Some("connection_reset"), true),
        (false, Some("connection_reset"), true),
        (true, Some("timeout"), false),
        (false, Some("timeout"), false),
        (false, Some("peer_id_mismatch"), false),
    ] {
        let said = &mut watched.visit(peer).peer;
        (said.reachable, said.class, said.neighbors) = (reachable, class.map(Into::into), None);
        assert_eq!(watched.verdict().wrong_outcomes == 0, right, "{reachable} {class:?}");
    }
}

#[test]
fn slack_counts_in_favour_of_the_observer() {
    let mut watched = watched();
    let peer = watched.steady(true);
    let at = watched.visit(peer).during.expect("a visit").0;
    let last = watched.history.presence(peer, at);
    let from = last.expect("comes and goes").last.from;
    // A second before it came.
    watched.visit(peer).during =
        Some((from.before(Duration::from_secs(1)), from.before(Duration::from_secs(1))));
    watched.visit(peer).peer.neighbors = None;
    let with = |slack| watched.truth.judge_during(&watched.history, &watched.observed, slack).wrong_outcomes;
    assert_eq!((with(Duration::ZERO), with(Duration::from_secs(2))), (1, 0));
}

#[test]
fn an_address_that_was_left_proves_nothing_against_a_peer() {
    let mut watched = watched();
    let peer = watched.steady(true);
    let world = Arc::clone(watched.truth.world());
    let at = watched.visit(peer).during.expect("a visit").0;
    let place = watched.history.presence(peer, at).expect("comes and goes").last.place;
    let visit = watched.visit(peer);
    visit.dialled = world.addresses_at(peer, HostPlace(1 - place.0));
    let said = &mut visit.peer;
    (said.reachable, said.class, said.neighbors) = (false, Some("connection_refused".into()), None);
    assert_eq!(watched.verdict().wrong_outcomes, 0);
    watched.visit(peer).peer.reachable = true;
    watched.visit(peer).peer.class = None;
    assert_eq!(watched.verdict().wrong_outcomes, 1, "it was not there");
}

#[test]
fn edges_that_never_were_and_edges_that_always_were_are_counted() {
    let mut watched = watched();
    let peer = watched.steady(true);
    let neighbors = watched.visit(peer).peer.neighbors.clone().expect("neighbors");
    let stranger = (0..150).find(|other| *other != peer && !neighbors.contains(other)).expect("one");
    let mut wrong = neighbors.clone();
    wrong[0] = stranger;
    watched.visit(peer).peer.neighbors = Some(wrong);
    let verdict = watched.verdict();
    assert_eq!((verdict.edges_never_listed, verdict.edges_missed, verdict.wrong_outcomes), (1, 1, 0));
    // What was cut short is not complete.
    watched.visit(peer).peer.neighbors = Some(neighbors[1..].to_vec());
    watched.visit(peer).peer.class = Some("connection_reset".into());
    assert_eq!(watched.verdict().edges_missed, 0);
}

#[test]
fn who_could_be_found_and_was_not_is_missed_and_who_is_nowhere_is_invented() {
    let mut watched = watched();
    let peer = watched.steady(true);
    watched.visit(peer).peer.id = libp2p_identity::PeerId::random();
    watched.visit(peer).peer.neighbors = None;
    let verdict = watched.verdict();
    assert_eq!((verdict.peers_missed, verdict.peers_invented), (1, 1));
    assert!(verdict.wrong.iter().any(|wrong| wrong.counted_as == "peers_missed"), "{:?}", verdict.wrong);
}

#[test]
fn what_the_history_does_not_know_is_not_judged() {
    let mut watched = watched();
    let peer = watched.steady(true);
    let late = Moment::at(2 * HOUR);
    watched.visit(peer).during = Some((late, late));
    watched.visit(peer).peer.reachable = false;
    let verdict = watched.verdict();
    assert_eq!((verdict.visits_beyond, verdict.wrong_outcomes), (1, 0));
}
