//! What holders give out and where they are, beside what can be said of it without them.

use std::sync::Arc;

use super::{
    HolderGives::{IdOnly, Nothing, WithAddresses},
    *,
};
use kad::{failure::FailureClass, network::Network as _};

use crate::{
    Life, Scenario, SimConfig, SimNetwork, World,
    life::{EventKind, Presence},
};

const HOUR: Duration = Duration::from_secs(3600);

fn truth(text: &str) -> Truth {
    Truth::of(Arc::new(World::generate(&Scenario::parse(text, "test").expect("a scenario"))))
}

#[test]
fn what_is_given_follows_the_clock_that_the_holder_goes_by() {
    let kinds = truth(
        "peers = 60\n\
        [[holders]]\nname = 'swallows'\nshare = 0.2\nswallows = true\n\
        [[holders]]\nname = 'announced'\nshare = 0.2\naddresses_s = 600\nkeep_s = 7200\n\
        [[holders]]\nname = 'seen'\nshare = 0.2\naddresses_s = 600\naddresses_since = 'seen'\n\
        [[holders]]\nname = 'hung up'\nshare = 0.2\naddresses_s = 600\naddresses_since = 'hung_up'\n",
    );
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let told = RecordTold { announced: minutes(1), asked: minutes(10), hung_up: Some(minutes(20)) };
    let stays = RecordTold { hung_up: None, ..told };
    let of = |kind: Option<&str>| {
        let is_of_it = |&peer: &u32| kinds.world().holder(peer).map(|holder| holder.name.as_str()) == kind;
        kinds.world().peers().find(is_of_it).expect("one")
    };
    for (kind, at, closed, connected) in [
        (Some("swallows"), minutes(2), Nothing, Nothing),
        (Some("announced"), minutes(10), WithAddresses, WithAddresses),
        (Some("announced"), minutes(12), IdOnly, IdOnly),
        (Some("announced"), minutes(122), Nothing, Nothing),
        (Some("seen"), minutes(19), WithAddresses, WithAddresses),
        (Some("seen"), minutes(21), IdOnly, IdOnly),
        (Some("hung up"), minutes(29), WithAddresses, WithAddresses),
        (Some("hung up"), minutes(31), IdOnly, WithAddresses),
        (None, 23 * HOUR, WithAddresses, WithAddresses),
        (None, 25 * HOUR, IdOnly, IdOnly),
        (None, 49 * HOUR, Nothing, Nothing),
    ] {
        let given = [told, stays].map(|told| kinds.given(of(kind), &told, at));
        assert_eq!(given, [Some(closed), Some(connected)], "{kind:?} {at:?}");
    }
}

#[test]
fn who_answers_nobody_gives_nothing_and_is_where_its_state_says() {
    let dead = truth(
        "peers = 4\nbootstrap = 1\nstates = [{ state = 'refusing', share = 0.25 }, { state = 'wrong_peer_id', share = 0.25 }, { state = 'silent', at = 'request', share = 0.25 }]",
    );
    let told = RecordTold { announced: Duration::ZERO, asked: Duration::ZERO, hung_up: None };
    let always = (Moment::START, Moment::START, Moment::at(HOUR));
    for (state, given, place) in [
        ("refusing", None, HolderPlace::Gone),
        ("wrong_peer_id", None, HolderPlace::OtherId),
        ("silent", None, HolderPlace::Same),
        ("online", Some(WithAddresses), HolderPlace::Same),
    ] {
        let is_so = |&peer: &u32| dead.world().state(peer).name() == state;
        let peer = dead.world().peers().find(is_so).expect("one");
        assert_eq!((dead.given(peer, &told, HOUR), dead.places(None, peer, always)), (given, vec![place]));
    }
}

#[test]
fn who_moves_goes_or_makes_room_for_another_id_is_known_at_every_moment() {
    let moving = truth(
        "peers = 60\nbootstrap = 1\n[life]\n\
        [[life.classes]]\nname = 'moves'\nshare = 0.5\nup = { law = 'exponential', median_s = 3600 }\n\
        down = { law = 'exponential', median_s = 600 }\nmoves = { share = 0.7, addresses = 3 }\n\
        [[life.classes]]\nname = 'rotates'\nshare = 0.5\nup = { law = 'exponential', median_s = 3600 }\n\
        down = { law = 'exponential', median_s = 60 }\nrotates = { share = 0.9, ids = 3 }\n",
    );
    let mut life = Life::of(moving.world()).expect("a life");
    let mut history = History::starting(&life);
    let events = life.advance(24 * HOUR);
    for event in &events {
        history.record(event);
    }
    history.extend_to(Moment::at(24 * HOUR));
    let mut met = Vec::new();
    for event in &events {
        let just = (Moment::START, event.at, event.at);
        let places = moving.places(Some(&history), event.peer, just);
        let began = history.presence(event.peer, Moment::START).expect("it lives").last.place;
        let expected = match event.kind {
            EventKind::Down | EventKind::Left => HolderPlace::Gone,
            _ if event.place == began => HolderPlace::Same,
            _ => HolderPlace::Moved,
        };
        assert_eq!(places, [expected], "{event:?}");
        met.push(expected);
        // Who comes under another id takes the place of those before.
        if event.kind == EventKind::Rotated {
            let others = moving.world().siblings(event.peer).expect("siblings");
            for &other in others.iter().filter(|&&other| other != event.peer) {
                let places = moving.places(Some(&history), other, just);
                assert_eq!(places, [HolderPlace::OtherId], "{event:?}");
                met.push(HolderPlace::OtherId);
            }
        }
    }
    for place in [HolderPlace::Same, HolderPlace::Moved, HolderPlace::Gone, HolderPlace::OtherId] {
        assert!(met.contains(&place), "{place}");
    }
}

#[tokio::test(start_paused = true)]
async fn for_eighty_hours_who_dials_the_first_addresses_meets_whom_the_truth_says() {
    let world = Arc::new(World::generate(&Scenario::named("forgetful").expect("built in")));
    let network = SimNetwork::new(Arc::clone(&world), SimConfig::default());
    let (truth, clock) = (Truth::of(Arc::clone(&world)), network.life_clock().expect("a life"));
    let first: Vec<_> = world
        .peers()
        .filter_map(|peer| {
            let place = truth.start.as_ref()?.presence(peer).map_or(Some(HostPlace(0)), Presence::place)?;
            Some((peer, world.addresses_at(peer, place)))
        })
        .collect();
    let (mut met, began) = ([0_u32; 4], clock.now());
    for _ in 0..160 {
        tokio::time::sleep(HOUR / 2).await;
        for (peer, addresses) in &first {
            let from = clock.now();
            let dial = network.connect(world.peer_id(*peer), addresses.clone()).await;
            let history = network.history().expect("a life");
            let places = truth.places(Some(&history), *peer, (began, from, clock.now()));
            let class = dial.attempts.first().and_then(|attempt| Some(attempt.outcome.failure()?.class));
            let is_right = |place: &HolderPlace| match place {
                HolderPlace::Same => dial.connection.is_some(),
                HolderPlace::OtherId => class == Some(FailureClass::PeerIdMismatch),
                HolderPlace::Moved | HolderPlace::Gone => class.is_some(),
            };
            assert!(places.iter().any(is_right), "{peer}: {places:?}, {class:?}");
            met[places[0] as usize] += 1;
        }
    }
    assert!(met.iter().all(|&count| count > 100), "{met:?}");
}
