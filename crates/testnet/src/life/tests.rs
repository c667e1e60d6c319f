//! Life by its laws: stationary from the start, determined, and nobody in two places.

use std::collections::HashMap;

use super::*;
use crate::{Scenario, State};

const HOUR: Duration = Duration::from_secs(3600);

pub(crate) fn world(text: &str) -> Arc<World> {
    Arc::new(World::generate(&Scenario::parse(text, "test").expect("a scenario")))
}

fn life(text: &str) -> Life {
    Life::of(&world(text)).expect("somebody comes and goes")
}

/// Everyone but the bootstrap peers is in one class.
fn all(peers: u32, class: &str) -> String {
    format!("peers = {peers}\n[[life.classes]]\nname = 'all'\nshare = 1.0\n{class}")
}

const PLAIN: &str = "up = { law = 'weibull', median_s = 1800, shape = 0.6 }\n\
                     down = { law = 'log_normal', median_s = 3600, sigma = 1.0 }\n";

fn parts(life: &Life) -> Vec<u32> {
    life.world().peers().filter(|&peer| life.presence(peer).is_some()).collect()
}

fn up(life: &Life) -> usize {
    parts(life).iter().filter(|&&peer| life.presence(peer).is_some_and(Presence::is_up)).count()
}

#[test]
fn as_many_are_up_as_the_laws_say_at_the_start_and_ever_after() {
    let mut life = life(&all(4_000, PLAIN));
    let class = life.world().scenario().life.as_ref().expect("life").classes[0].clone();
    let share = class.up.mean_s() / (class.up.mean_s() + class.down.mean_s());
    for hours in [0, 1, 2, 5, 12, 48, 49] {
        life.advance(hours * HOUR);
        let found = up(&life) as f64 / 3_995.0;
        assert!((found - share).abs() < 0.025, "{found} after {hours} h, not {share}");
    }
}

#[test]
fn ages_and_what_is_left_at_the_start_are_those_of_sessions_under_way() {
    let life = life(&all(6_000, PLAIN));
    let law = life.world().scenario().life.as_ref().expect("life").classes[0].up;
    let rng = &mut stream(1, Stream::Life, u32::MAX);
    let whole: Vec<f64> = (0..100_000).map(|_| law.draw_us(rng) as f64).collect();
    // P(left < t) = E[min(X, t)] / E[X].
    for minutes in [5, 30, 120, 600] {
        let t = f64::from(minutes) * 6e7;
        let expected = whole.iter().map(|x| x.min(t)).sum::<f64>() / whole.iter().sum::<f64>();
        let ups =
            parts(&life).into_iter().filter_map(|peer| life.end_of_session(peer).map(|end| (peer, end)));
        let ups: Vec<_> = ups.collect();
        let left = ups.iter().filter(|(_, end)| (end.micros() as f64) < t).count();
        let age = |peer: u32| life.presence(peer).map_or(0, |presence| -presence.since().micros()) as f64;
        let young = ups.iter().filter(|(peer, _)| age(*peer) < t).count();
        for found in [left, young] {
            let found = found as f64 / ups.len() as f64;
            assert!((found - expected).abs() < 0.035, "{found} within {minutes} min, not {expected}");
        }
    }
}

#[test]
fn events_come_as_evenly_in_the_first_hour_as_later() {
    let mut life = life(&all(4_000, PLAIN));
    let counts: Vec<usize> = (1..=6).map(|hours| life.advance(hours * HOUR).len()).collect();
    let mean = counts.iter().sum::<usize>() as f64 / 6.0;
    for count in &counts {
        assert!((*count as f64 / mean - 1.0).abs() < 0.08, "{counts:?}");
    }
}

#[test]
fn events_are_in_order_and_presence_is_what_they_say() {
    let mut life = life(&all(
        600,
        &format!(
            "{PLAIN}moves = {{ share = 0.5, addresses = 3 }}\nrotates = {{ share = 0.5, ids = 4 }}\n\
             leaves = 0.05\nenters = {{ share = 0.2, within_s = 7200 }}"
        ),
    ));
    let mut is_up: HashMap<u32, bool> = parts(&life)
        .into_iter()
        .map(|peer| (peer, life.presence(peer).is_some_and(Presence::is_up)))
        .collect();
    let mut last = Moment::START;
    let mut kinds = Vec::new();
    for event in life.clone().advance(24 * HOUR) {
        assert!(event.at >= last);
        last = event.at;
        assert_eq!(life.next(event.at), Some(event));
        let before = is_up.insert(event.peer, event.kind.comes());
        assert_eq!(before, Some(!event.kind.comes()), "{event:?}");
        let presence = life.presence(event.peer).expect("takes part");
        assert_eq!((presence.is_up(), presence.since()), (event.kind.comes(), event.at));
        assert_eq!(presence.last.place, event.place);
        let siblings = life.world().siblings(event.peer).expect("takes part");
        let up = siblings.iter().filter(|peer| is_up[peer]).count();
        assert!(up <= 1, "{up} ids of one host are up");
        kinds.push(event.kind);
    }
    for kind in EventKind::ALL {
        assert!(kinds.contains(kind), "{kind:?} never happens");
        assert_eq!(EventKind::from_name(kind.name()), Some(*kind));
    }
    assert_eq!(EventKind::from_name("asleep"), None);
}

#[test]
fn the_same_seed_lives_the_same_life_however_it_is_advanced() {
    let text = all(300, PLAIN);
    let at_once = life(&text).advance(10 * HOUR);
    let mut slowly = life(&text);
    let steps: Vec<LifeEvent> = (1..=600).flat_map(|step| slowly.advance(step * HOUR / 60)).collect();
    assert!(at_once.len() > 1_000);
    assert!(at_once == steps, "{} events, {} in steps", at_once.len(), steps.len());
    assert_eq!(slowly.advance(HOUR), [], "what is over does not happen again");
    let other = life(&format!("seed = 2\n{text}")).advance(10 * HOUR);
    assert!(at_once != other);
}

#[test]
fn a_change_of_one_class_leaves_the_others_as_they_were() {
    let text = |other: &str| {
        format!(
            "peers = 400\n[[life.classes]]\nname = 'a'\nshare = 0.3\n{other}\n\
             [[life.classes]]\nname = 'b'\nshare = 0.5\n{PLAIN}"
        )
    };
    let of_b = |mut life: Life| {
        let events = life.advance(5 * HOUR).into_iter();
        let is_b = |peer| life.world().life_class(peer).is_some_and(|class| class.name == "b");
        events.filter(|event| is_b(event.peer)).collect::<Vec<_>>()
    };
    let one = of_b(life(&text(PLAIN)));
    let slow = "up = { law = 'exponential', median_s = 60 }\ndown = { law = 'exponential', median_s = 60 }\n\
                rotates = { share = 1.0, ids = 3 }\nmoves = { share = 1.0, addresses = 2 }";
    assert!(one == of_b(life(&text(slow))));
    assert!(one.len() > 100);
}

#[test]
fn who_leaves_does_not_return_and_who_enters_was_never_there() {
    let mut life =
        life(&all(2_000, &format!("{PLAIN}leaves = 1.0\nenters = {{ share = 0.25, within_s = 3600 }}")));
    let never = |life: &Life| {
        parts(life).iter().filter(|&&peer| life.presence(peer) == Some(&Presence::NEVER)).count()
    };
    assert!((450..550).contains(&never(&life)), "{}", never(&life));
    // Nobody returns, so nobody is between two sessions at the start.
    assert_eq!(up(&life), 1_995 - never(&life));
    let events = life.advance(HOUR);
    let entered = events.iter().filter(|event| event.kind == EventKind::Entered).count();
    assert!((450..550).contains(&entered));
    assert!(events.iter().all(|event| matches!(event.kind, EventKind::Entered | EventKind::Left)));
    assert_eq!(never(&life), 0);
    life.advance(2_000_000 * HOUR);
    assert_eq!((up(&life), life.next_due()), (0, None));
}

#[test]
fn only_online_peers_that_are_not_handed_out_take_part() {
    let life = life(&format!("{}\n[[states]]\nstate = 'refusing'\nshare = 0.3", all(500, PLAIN)));
    let world = life.world();
    for peer in world.peers() {
        let may = world.state(peer) == State::Online && !world.bootstrap().contains(&peer);
        assert_eq!(life.presence(peer).is_some(), may);
    }
    assert!(Life::of(&self::world("peers = 20")).is_none());
}

#[test]
fn sites_lead_back_to_their_hosts() {
    let life = life(&all(
        200,
        &format!("{PLAIN}moves = {{ share = 0.5, addresses = 3 }}\nrotates = {{ share = 0.5, ids = 4 }}"),
    ));
    let (world, cast) = (life.world(), &life.world().cast);
    let mut sites = std::collections::HashSet::new();
    for (number, host) in cast.hosts().iter().enumerate() {
        let peer = cast.ids()[host.first_id as usize];
        for place in (0..3).map(HostPlace) {
            let site = cast.site(peer, place);
            assert!(sites.insert(site), "{site} belongs to one host");
            assert_eq!(cast.host_at(site), Some((number, place)));
            for &sibling in world.siblings(peer).expect("takes part") {
                assert_eq!(cast.site(sibling, place), site);
                assert_eq!(world.addresses_at(sibling, place), world.addresses_at(peer, place));
            }
        }
        assert!(cast.occupant_count(&life, number) <= 1);
    }
    assert_eq!(cast.host_at(1_000_000), None);
    assert_eq!(cast.host_at(world.bootstrap()[0]), None);
}

impl Cast {
    fn occupant_count(&self, life: &Life, host: usize) -> usize {
        let places = (0..self.hosts()[host].places).map(HostPlace);
        places.filter(|place| life.occupant(host, *place).is_some()).count()
    }
}

#[test]
fn tables_name_those_of_the_rule_and_no_others() {
    let text = format!(
        "{}[life]\nlearn_s = 300\nforget_s = 900\n{}",
        "peers = 700\n",
        &all(0, PLAIN)["peers = 0\n".len()..]
    );
    let mut life = life(&text);
    for minutes in [0, 7, 60, 61, 300] {
        life.advance(Duration::from_secs(60) * minutes);
        let (now, world) = (life.now(), Arc::clone(life.world()));
        let mut stale = 0;
        for owner in world.peers().step_by(23) {
            let table = life.neighbors(owner);
            assert_eq!(
                table.iter().filter(|(peer, _)| world.neighbors(owner).contains(peer)).count(),
                table.len()
            );
            for (peer, _) in table {
                let Some(presence) = life.presence(peer) else { continue };
                let for_us = now.micros_since(presence.since());
                if presence.is_up() {
                    let returned = presence.last.from.micros_since(presence.before.to);
                    assert!(for_us >= world.cast.lag().learn_us(owner, peer) || returned < 900_000_000);
                } else {
                    stale += 1;
                    assert!(for_us < world.cast.lag().forget_us(owner, peer));
                }
            }
        }
        assert!(stale > 20, "{stale} stale entries after {minutes} min");
    }
}

#[test]
fn buckets_are_as_full_as_those_of_a_world_where_everyone_stays() {
    let lively = life(&all(3_000, PLAIN));
    let world = lively.world();
    let still = self::world("peers = 3000");
    let mut sizes = [0.0; 2];
    for peer in world.peers().step_by(29) {
        // The first bucket of each has 1,500 candidates, the fifth about a hundred.
        for (bucket, (candidates, places)) in world.tables.buckets(peer).take(5).enumerate() {
            let shown =
                candidates.iter().filter(|&&other| lively.listed(peer, other, lively.now()).is_some());
            sizes[0] += shown.take(places).count() as f64;
            sizes[1] += still.tables.buckets(peer).nth(bucket).map_or(0, |(all, _)| all.len()) as f64;
        }
    }
    assert!((sizes[0] / sizes[1] - 1.0).abs() < 0.03, "{sizes:?}");
}

#[test]
fn holes_are_as_many_among_those_who_come_and_go() {
    let text = format!("[tables]\nholes = 0.4\n{}", &all(0, PLAIN)["peers = 0\n".len()..]);
    let [whole, holed] = [all(2_000, PLAIN), format!("peers = 2000\n{text}")].map(|text| life(&text));
    let entries = |life: &Life| {
        life.world().peers().step_by(17).map(|peer| life.neighbors(peer).len()).sum::<usize>() as f64
    };
    let share = entries(&holed) / entries(&whole);
    assert!((share - 0.6).abs() < 0.02, "{share}");
}

#[test]
fn the_closest_are_those_that_sorting_the_table_of_the_moment_finds() {
    let mut life = life(&all(900, PLAIN));
    life.advance(3 * HOUR);
    let world = life.world();
    for peer in world.peers().step_by(101) {
        for target in (0..40_u64).map(|n| crate::luck::mixed(n + 1)) {
            let mut sorted = life.neighbors(peer);
            sorted.sort_by_key(|(other, _)| world.prefixes[*other as usize] ^ target);
            sorted.truncate(20);
            let listed = |other| life.listed(peer, other, life.now());
            assert_eq!(world.tables.closest_listed(&world.prefixes, peer, (target, 20), listed), sorted);
        }
    }
}

#[test]
fn a_host_costs_tens_of_bytes_and_the_queue_does_not_grow() {
    let mut life = life(&all(4_000, PLAIN));
    let mut count = 0;
    while life.next(Moment::at(24 * HOUR)).is_some() {
        count += 1;
    }
    assert!(count > 20_000, "{count}");
    assert!(life.queue.len() <= 4_000);
    assert!(size_of::<HostState>() + size_of::<Presence>() + size_of::<Reverse<(Moment, u32)>>() <= 96);
}

#[test]
fn in_a_mass_departure_its_share_goes_at_once_and_does_not_return() {
    let text = format!("{PLAIN}departs = {{ share = 0.5, at_s = 7200 }}");
    let mut life = life(&all(4_000, &text));
    let before = up(&life);
    life.advance(Duration::from_secs(7_199));
    let eve = up(&life);
    assert!(eve.abs_diff(before) < 160, "{before} and {eve}");
    let events = life.advance(Duration::from_secs(7_201));
    let left = events.iter().filter(|event| event.kind == EventKind::Left).count();
    assert!(left.abs_diff(eve / 2) < 100, "{left} of {eve}");
    // The others are as many as the laws say, ever after.
    for hours in [3, 12, 48] {
        life.advance(hours * HOUR);
        assert!(up(&life).abs_diff(before / 2) < 120, "{} after {hours} h", up(&life));
    }
}

#[test]
fn at_night_those_who_sleep_are_down_and_by_day_they_are_as_many_as_the_laws_say() {
    let text = format!("{PLAIN}night = {{ share = 0.6, dark_s = 28800, spread_s = 0 }}");
    let mut life = life(&all(4_000, &text));
    let mut at = |hours: u32| {
        life.advance(hours * HOUR);
        up(&life)
    };
    let (start, noon, evening, midnight, dawn) = (at(0), at(8), at(15), at(20), at(23));
    assert!(noon.abs_diff(start) < 160 && evening.abs_diff(start) < 160, "{start}, {noon}, {evening}");
    let awake = start * 2 / 5;
    assert!(midnight.abs_diff(awake) < 120 && dawn.abs_diff(awake) < 120, "{start}, {midnight}, {dawn}");
    // Many come at once in the morning: all those who would have come in the night.
    assert!(at(25) > awake + 400);
    assert!(at(24 + 20).abs_diff(awake) < 120);
}
