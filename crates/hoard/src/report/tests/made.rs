//! Studies made by hand: small ones whose numbers can be worked out on paper, and one as large as RFM 17.1's.

use std::{sync::Arc, time::Duration};

use kad::{Key, PeerId, Persistence, failure::FailureClass, lookup::RpcFate};
use schema::{HoardLookup, HolderAnswer, PublisherEnd, RoundEnd, Strategy, Timestamp};

use crate::study::{
    Study, StudyArm, StudyHolder, StudyKey, StudyLookup, StudyPeer, StudyProvider, StudyResponse, StudyRound,
    StudySight,
};

/// How many peers a study names, who provides everything being the last.
const PEERS: u32 = 1100;

/// When every key was published: 2026-11-28 00:00 UTC.
pub(super) const AT: Timestamp = Timestamp(1_795_824_000_000_000);

/// A peer by its number.
pub(super) fn peer(number: u32) -> PeerId {
    let digest = Key::of(&number.to_be_bytes());
    let mut bytes = vec![0x12, 0x20];
    bytes.extend(digest.as_bytes());
    PeerId::from_bytes(&bytes).unwrap()
}

/// Who provides everything.
pub(super) fn provider() -> PeerId {
    peer(PEERS)
}

pub(super) fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

pub(super) fn arm(number: u16, name: &str, k: u16) -> StudyArm {
    StudyArm {
        number,
        name: Arc::from(name),
        strategy: Some(Strategy::Default),
        persistence: Some(Persistence::Go),
        k,
        publisher_end: PublisherEnd::Closed,
    }
}

/// A key of an arm that was published to these peers, of one program, in a second.
pub(super) fn key(arm: u16, number: u8, holders: impl IntoIterator<Item = u32>) -> StudyKey {
    let of_holder = |(number, rank)| StudyHolder {
        agent: Some(Arc::from("kubo/0.38.1/abc")),
        ..StudyHolder::given(StudyPeer(number), rank, Some(Duration::ZERO))
    };
    StudyKey {
        took: seconds(1.0),
        holders: holders.into_iter().zip(1..).map(of_holder).collect(),
        ..StudyKey::published(vec![0x12, 0x20, number], arm, provider(), AT)
    }
}

/// One round more, in which each holder answers as is said.
pub(super) fn round(key: &mut StudyKey, number: u32, age: f64, answers: &[HolderAnswer]) {
    for (holder, answer) in key.holders.iter_mut().zip(answers) {
        let first_failure = (*answer == HolderAnswer::Unreached).then_some(FailureClass::Timeout);
        holder.sights.push(StudySight { first_failure, ..StudySight::seen(number, seconds(age), *answer) });
    }
    let is_whole = !answers.contains(&HolderAnswer::Unasked);
    key.rounds.push(StudyRound {
        planned_after: seconds(180.0 * f64::from(number)),
        end: if is_whole { RoundEnd::Whole } else { RoundEnd::Partial },
        ..StudyRound::made(number, seconds(age))
    });
}

/// A lookup that found these peers.
pub(super) fn lookup(kind: HoardLookup, closest: impl IntoIterator<Item = u32>) -> StudyLookup {
    StudyLookup {
        took: seconds(2.0),
        contacted: 24,
        tree_depth: 4,
        hops_to_closest: Some(3),
        closest: closest.into_iter().map(StudyPeer).collect(),
        ..StudyLookup::begun(kind, AT)
    }
}

/// An answer of a walk: from whom, and with how many addresses of the provider, if it names it.
pub(super) fn response(from: u32, addresses: Option<u32>) -> StudyResponse {
    let named = addresses.map(|addresses| StudyProvider { peer: StudyPeer(PEERS), addresses });
    StudyResponse {
        from: StudyPeer(from),
        asked_after: Duration::ZERO,
        answered_after: Some(seconds(f64::from(from) / 1000.0)),
        hop: 1,
        fate: RpcFate::Answered,
        failure: None,
        closer: 20,
        providers: named.into_iter().collect(),
    }
}

pub(super) fn study(arms: Vec<StudyArm>, keys: Vec<StudyKey>) -> Study {
    Study { arms, keys, peers: (0..=PEERS).map(peer).collect(), ..Study::default() }
}

/// Numbers that look drawn, and are the same each time.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Between 0 and 1.
    pub(super) fn roll(&mut self) -> f64 {
        // The generator of D. H. Lehmer with M. Fishman's multiplier.
        self.0 = (self.0 * 48_271 + 11) % 2_147_483_647;
        self.0 as f64 / 2_147_483_647.0
    }
}

/// The programs of holders, and the share of each.
const PROGRAMS: [(&str, f64); 4] =
    [("kubo/0.38.1/abc", 0.6), ("hydra-booster/0.7.4", 0.15), ("storm", 0.15), ("", 0.1)];

/// A study like RFM 17.1's: so many keys an arm, so many rounds every so many seconds, addresses that end after four to ten rounds.
pub(super) fn large((arms, count): (&[(&str, u16)], u8), (rounds, every): (u32, f64)) -> Study {
    let mut dice = Dice::new(17);
    let mut keys = Vec::new();
    for (of_arm, (_, k)) in (0..).zip(arms) {
        for number in 0..count {
            keys.push(large_key(&mut dice, (of_arm, number), *k, (rounds, every)));
        }
    }
    study((0..).zip(arms).map(|(number, (name, k))| arm(number, name, *k)).collect(), keys)
}

fn large_key(dice: &mut Dice, (arm, number): (u16, u8), k: u16, (rounds, every): (u32, f64)) -> StudyKey {
    let first = u32::from(number) * 37 % 900;
    let mut key = key(arm, number, first..first + u32::from(k));
    key.took = seconds(3.0 + 40.0 * dice.roll().powi(3));
    let mut ends: Vec<[f64; 2]> = Vec::new();
    for holder in &mut key.holders {
        let mut roll = dice.roll();
        let program = PROGRAMS.iter().find(|(_, share)| {
            roll -= share;
            roll <= 0.0
        });
        holder.agent = program.map(|(name, _)| *name).filter(|name| !name.is_empty()).map(Arc::from);
        holder.send_failure = (dice.roll() < 0.06).then_some(FailureClass::ConnectionRefused);
        let leaves = if dice.roll() < 0.25 { dice.roll() * every * f64::from(rounds) } else { f64::INFINITY };
        ends.push([leaves, every * (4.0 + 6.0 * dice.roll())]);
    }
    for number in 0..=rounds {
        large_round(dice, &mut key, (number, every), &ends);
    }
    key
}

fn large_round(dice: &mut Dice, key: &mut StudyKey, (number, every): (u32, f64), ends: &[[f64; 2]]) {
    let planned = f64::from(number) * every;
    let age = if number == 0 { 10.0 } else { planned + dice.roll() * 2.0 };
    let answer = |holder: &StudyHolder, [leaves, addresses]: [f64; 2]| match holder.send_failure {
        _ if age > leaves => HolderAnswer::Unreached,
        Some(_) => HolderAnswer::WithoutRecord,
        None if age > addresses => HolderAnswer::IdOnly,
        None => HolderAnswer::WithAddresses,
    };
    let answers: Vec<_> = key.holders.iter().zip(ends).map(|(holder, ends)| answer(holder, *ends)).collect();
    round(key, number, age, &answers);
    let Some(round) = key.rounds.last_mut() else { return };
    round.planned_after = seconds(planned);
    if number == 0 {
        return;
    }
    let shift = u32::from(dice.roll() < 0.4) + number / 8;
    let numbers: Vec<u32> = {
        let first = u32::from(key.key[2]) * 37 % 900;
        (first + shift..first + shift + u32::try_from(key.holders.len()).unwrap()).collect()
    };
    let mut walk =
        lookup(HoardLookup::Exhaustive, numbers.iter().map(|number| number + u32::from(dice.roll() < 0.1)));
    walk.responses = answers
        .iter()
        .zip(0..)
        .filter_map(|(answer, from)| match answer {
            HolderAnswer::WithAddresses => Some(response(from, Some(2))),
            HolderAnswer::IdOnly => Some(response(from, Some(0))),
            HolderAnswer::WithoutRecord => Some(response(from, None)),
            _ => None,
        })
        .collect();
    let mut closest = lookup(HoardLookup::Closest, numbers);
    closest.began_at.0 += i64::try_from(seconds(age).as_micros()).unwrap();
    walk.began_at.0 = closest.began_at.0 + 400_000;
    closest.contacted = 22 + u32::from(dice.roll() < 0.5) * 3;
    closest.tree_depth = 3 + u16::from(dice.roll() < 0.4);
    closest.hops_to_closest = Some(2 + u16::from(dice.roll() < 0.5));
    round.lookups = vec![closest, walk];
}
