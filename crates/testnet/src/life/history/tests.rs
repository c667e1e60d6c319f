//! The history beside the life that it is of, and intervals beside their moments.

use std::{sync::Arc, time::Duration};

use super::*;
use crate::Scenario;

const MINUTE: Duration = Duration::from_secs(60);

/// Every peer's table.
type Tables = Vec<Vec<(u32, HostPlace)>>;

/// A lively world with its life and its history for an hour, and what was named at each minute.
fn hour() -> (Life, History, Vec<(Moment, Tables)>) {
    let text = "peers = 200\n[life]\nlearn_s = 120\nforget_s = 400\n[[life.classes]]\nname = 'all'\nshare = 1.0\n\
                up = { law = 'weibull', median_s = 600, shape = 0.7 }\n\
                down = { law = 'exponential', median_s = 600 }\n\
                moves = { share = 0.5, addresses = 3 }\nrotates = { share = 0.5, ids = 2 }";
    let world = Arc::new(World::generate(&Scenario::parse(text, "test").expect("a scenario")));
    let mut life = Life::of(&world).expect("a life");
    let mut history = History::starting(&life);
    let mut tables = Vec::new();
    for minute in 0..=60 {
        for event in life.advance(minute * MINUTE) {
            history.record(&event);
        }
        history.extend_to(life.now());
        tables.push((life.now(), world.peers().map(|peer| life.neighbors(peer)).collect()));
    }
    (life, history, tables)
}

#[test]
fn a_history_knows_every_moment_as_it_was() {
    let (life, history, tables) = hour();
    assert!(history.len() > 200);
    for (at, tables) in &tables {
        for (owner, table) in (0..).zip(tables) {
            assert_eq!(&history.neighbors(owner, *at), table);
        }
    }
    for peer in life.world().peers() {
        assert_eq!(history.presence(peer, life.now()).as_ref(), life.presence(peer));
    }
}

#[test]
fn what_an_interval_says_its_moments_say() {
    let (life, history, tables) = hour();
    for owner in life.world().peers().step_by(29) {
        for window in tables.windows(4).step_by(11) {
            let (from, to) = (window[0].0, window[3].0);
            let named = history.named(owner, from, to);
            for (_, tables) in window {
                for (peer, place) in &tables[owner as usize] {
                    assert!(named.get(peer).is_some_and(|naming| naming.is_at(*place)));
                }
                let table: Vec<u32> = tables[owner as usize].iter().map(|(peer, _)| *peer).collect();
                assert!(named.iter().all(|(peer, naming)| !naming.always || table.contains(peer)));
            }
            // A finer look finds nothing that is not in the interval, and all that is.
            let fine = (0..=360).map(|n| from.after(n * MINUTE / 120));
            let seen: std::collections::BTreeSet<u32> =
                fine.flat_map(|at| history.neighbors(owner, at)).map(|(peer, _)| peer).collect();
            assert!(seen.iter().all(|peer| named.contains_key(peer)));
            assert!(
                named.len() - seen.len() <= 1,
                "{} moments were too short to see",
                named.len() - seen.len()
            );
        }
    }
}

#[test]
fn sessions_are_asked_for_with_their_ends() {
    let (life, history, _) = hour();
    let world = life.world();
    let whole = (Moment::START, life.now());
    let peer = world
        .peers()
        .find(|&peer| history.sessions(peer, whole.0, whole.1).is_some_and(|sessions| sessions.len() > 2));
    let peer = peer.expect("a restless peer");
    let session = history.sessions(peer, whole.0, whole.1).expect("sessions")[1];
    let just = |moment: Moment, by: i64| moment.shifted(by);
    assert!(history.was_up_throughout(peer, session.from, just(session.to, -1)));
    assert!(!history.was_up_throughout(peer, session.from, session.to));
    assert!(!history.was_up_throughout(peer, just(session.from, -1), session.from));
    assert!(history.was_up(peer, just(session.from, -1), session.from));
    assert!(!history.was_up(peer, session.to, session.to));
    let always = world.bootstrap()[0];
    assert!(
        history.was_up_throughout(always, whole.0, whole.1) && history.presence(always, whole.0).is_none()
    );
}
