//! Many lives that are few enough to be counted by hand.

use std::time::Duration;

use estimate::NoCommonTime;
use kad::PeerId;
use places::Clouds;
use schema::{
    HolderAnswer::{self, IdOnly, TimedOut, WithAddresses, WithoutRecord},
    Whereabouts,
};

use super::{
    super::{
        HolderPresence, HolderRecord, LifeAspect, LifeGrouping, LifeHolder, LifeRows, LifeSection, LifeSight,
        TtlClock,
    },
    answering, minutes,
};

fn peer(number: u8) -> PeerId {
    kad::peer_id::of_public_key(&[&[8, 1, 18, 32][..], &[number; 32][..]].concat()).unwrap()
}

fn holder<'a>(peer: &'a PeerId, rank: u32, agent: &'a str) -> LifeHolder<'a> {
    LifeHolder { peer, rank, agent: Some(agent), ips: &[], sent: Some(Duration::ZERO) }
}

/// A key of an arm, each of whose holders answers so, a round each.
fn key(rows: &mut LifeRows, arm: &str, name: &[u8], answers: &[&[HolderAnswer]]) {
    let mut key = rows.key(arm, name, None);
    for (number, answers) in (1..).zip(answers) {
        key.holder(&holder(&peer(number), u32::from(number), "kubo/0.30.0"), answering(answers).into_iter());
    }
    key.done();
}

#[test]
fn states_are_counted_and_silence_is_in_no_share() {
    let mut rows = LifeRows::default();
    let lives: [&[HolderAnswer]; 5] = [
        &[WithAddresses, WithAddresses, WithoutRecord],
        &[WithoutRecord, TimedOut, WithoutRecord],
        &[WithAddresses, TimedOut, TimedOut],
        &[TimedOut, TimedOut, TimedOut],
        &[IdOnly, IdOnly, IdOnly],
    ];
    key(&mut rows, "one", b"key", &lives);
    let section = LifeSection::of(&rows);
    let census = &section.census[0];
    assert_eq!((census.chosen, census.peers, census.arm.as_str()), (5, 5, "one"));
    let count = |state| census.records.iter().find(|(known, _)| *known == state).unwrap().1;
    let counts = [
        (HolderRecord::Dialled, 1),
        (HolderRecord::WithAddresses, 1),
        (HolderRecord::IdOnly, 1),
        (HolderRecord::NeverStored, 1),
        (HolderRecord::Lost, 1),
    ];
    assert!(counts.iter().all(|(state, expected)| count(*state) == *expected), "{census:?}");
    assert_eq!(census.presences.iter().find(|(_, count)| *count == 5).unwrap().0, HolderPresence::Present);
    let shares = [census.sent, census.stored, census.addressed, census.lost, census.left];
    let shares = shares.map(|share| share.map(|share| (share.hits, share.n)));
    assert_eq!(shares, [Some((5, 5)), Some((3, 4)), Some((2, 3)), Some((1, 3)), Some((0, 5))]);
    assert_eq!((census.returned, census.moved.unwrap().hits), (None, 0));
    let seen = |round: usize| &section.rounds[round];
    let means = |round: usize| {
        let round = seen(round);
        [round.reached.mean, round.answered.mean, round.keeping.mean, round.with_addresses.mean]
    };
    assert_eq!(
        [means(0), means(1), means(2)],
        [[5.0, 4.0, 3.0, 2.0], [5.0, 2.0, 2.0, 1.0], [5.0, 3.0, 1.0, 0.0]]
    );
    assert!((seen(2).age_s.mean - 360.0).abs() < 1e-9);
    let curve = section.curves.iter().find(|curve| curve.aspect == LifeAspect::Record).unwrap();
    assert_eq!((curve.by, curve.survival.n, curve.survival.censored), (LifeGrouping::All, 3, 2));
    assert!(!serde_json::to_string(&section).unwrap().is_empty());
}

/// Addresses end a quarter of an hour after the publisher hung up, whenever the key was published, as RFM 17.1 is seen today; records stay.
#[test]
fn the_time_to_live_of_addresses_runs_from_the_disconnect() {
    let mut rows = LifeRows::default();
    for number in 0..20_u8 {
        // All keys are published within ten minutes, and the publisher leaves then.
        let closed = Duration::from_secs(600 - 30 * u64::from(number));
        let mut key = rows.key("closed", &[number], Some(closed));
        let sights = (0..17_u32).map(|round| {
            let after = minutes(3 * u64::from(round)) + Duration::from_millis(300);
            let is_given = after < closed + minutes(15);
            let answer = if is_given { WithAddresses } else { IdOnly };
            LifeSight { round, after, answer, whereabouts: Whereabouts::SameAddress }
        });
        for of in 0..5 {
            key.holder(&holder(&peer(of), 1, "kubo/0.30.0"), sights.clone());
        }
        key.done();
    }
    let times = rows.times();
    let of = |aspect| times.iter().find(|time| time.aspect == aspect && time.program.is_none()).unwrap();
    let addresses = of(LifeAspect::Addresses);
    assert_eq!((addresses.clock, addresses.is_clear), (Some(TtlClock::Closed), Some(true)), "{addresses:?}");
    let [time] = addresses.times_s[..] else { panic!("{addresses:?}") };
    assert!(time.low <= 900.0 && 900.0 <= time.high && time.high - time.low < 35.0, "{time:?}");
    assert_eq!((time.agreeing, time.n, addresses.n, addresses.ended), (100, 100, 100, 100));
    let record = of(LifeAspect::Record);
    assert_eq!((record.ended, record.clock, record.is_clear), (0, None, None));
    assert_eq!(record.fits[0].no_time_because, Some(NoCommonTime::TooFewEnded));
    assert!(record.longer_than_s.is_some_and(|longer| longer > 2800.0), "{record:?}");
    assert!(times.iter().any(|time| time.program.as_deref() == Some("kubo/0.30.0")));
}

#[test]
fn arms_are_compared_on_the_keys_that_both_published() {
    let mut rows = LifeRows::default();
    let kept: &[HolderAnswer] = &[WithAddresses; 5];
    let lost: &[HolderAnswer] = &[WithAddresses, WithAddresses, WithoutRecord, WithoutRecord, WithoutRecord];
    let silent: &[HolderAnswer] = &[TimedOut; 5];
    key(&mut rows, "one", b"first", &[kept, kept]);
    key(&mut rows, "two", b"first", &[kept, lost]);
    key(&mut rows, "one", b"second", &[kept, silent]);
    key(&mut rows, "two", b"second", &[lost, lost]);
    key(&mut rows, "one", b"third", &[kept, kept]);
    key(&mut rows, "two", b"third", &[silent, silent]);
    key(&mut rows, "one", b"fourth", &[kept]);
    let pairs = rows.pairs();
    let at_the_end = pairs.iter().rfind(|pair| pair.aspect == LifeAspect::Record).unwrap();
    assert_eq!((at_the_end.arms.clone(), at_the_end.left_out), (["one".to_owned(), "two".to_owned()], 1));
    // One half less of the first key, all of the second: the third says nothing of the one arm.
    let difference = at_the_end.difference.unwrap();
    assert_eq!((difference.n, difference.mean, at_the_end.at_s), (2, -0.75, 720.0));
}

#[test]
fn holders_are_told_apart_by_program_rank_and_cloud() {
    let mut rows = LifeRows::new(Clouds::parse("a table", "192.0.2.0/24 one").unwrap());
    let mut key = rows.key("arm", b"key", None);
    let ips = [["192.0.2.7".parse().unwrap()], ["198.51.100.1".parse().unwrap()]];
    for number in 0..4_u8 {
        let peer = peer(number);
        let agent = if number == 0 { None } else { Some("kubo/0.30.0/x") };
        let ips = ips.get(usize::from(number)).map_or(&[][..], |ips| &ips[..]);
        let rank = u32::from(number) * 6 + 1;
        let holder = LifeHolder { peer: &peer, rank, agent, ips, sent: Some(Duration::ZERO) };
        key.holder(&holder, answering(&[WithAddresses, WithAddresses]).into_iter());
    }
    key.done();
    let curves = rows.curves();
    let groups = |by| -> Vec<(&str, u64)> {
        let all = curves.iter().filter(|curve| curve.by == by && curve.aspect == LifeAspect::Record);
        all.map(|curve| (curve.group.as_str(), curve.survival.n)).collect()
    };
    assert_eq!(groups(LifeGrouping::All), [("", 4)]);
    assert_eq!(groups(LifeGrouping::Program), [("kubo/0.30.0", 3), ("unknown", 1)]);
    assert_eq!(groups(LifeGrouping::Rank), [("01-05", 1), ("06-10", 1), ("11-15", 1), ("16-20", 1)]);
    assert_eq!(groups(LifeGrouping::Cloud), [("no address", 2), ("no cloud", 1), ("one", 1)]);
}

#[test]
fn of_nothing_there_is_nothing() {
    assert_eq!(LifeSection::of(&LifeRows::default()), LifeSection::default());
}
