//! Plans with a name have the numbers that their originals had; plans that cannot be gone by say why.

use std::time::Duration;

use kad::Persistence;
use proptest::prelude::*;
use schema::{PublisherEnd, Strategy};

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

fn own() -> HoardPlan {
    HoardPlan::of(10, RoundTimes::every(MINUTE, HOUR))
}

#[test]
fn rfm17_is_ten_thousand_keys_an_arm_every_half_hour_for_36_hours_with_four_k_on_disjoint_keys() {
    let plan = Preset::Rfm17.plan();
    assert_eq!(plan.check(), Ok(()));
    assert_eq!((plan.keys_per_arm(), plan.rounds.len(), plan.rounds.last()), (Some(10_000), 72, 36 * HOUR));
    assert_eq!(plan.rounds.offsets()[..2], [30 * MINUTE, 60 * MINUTE]);
    assert_eq!(plan.arms.iter().map(|arm| arm.k).collect::<Vec<_>>(), [15, 20, 25, 40]);
    assert!(plan.arms.iter().all(|arm| (arm.strategy, arm.persistence, arm.end)
        == (Strategy::Default, Persistence::Go, PublisherEnd::Closed)));
    assert!(plan.disjoint);
    assert_eq!((plan.key(0, 9_999).is_some(), plan.key(0, 10_000)), (true, None));
    assert_ne!(plan.key(0, 7), plan.key(1, 7), "each arm has keys of its own");
    assert_eq!(plan.observing.attempts, 3);
    assert_eq!(plan.pace.gap * 10_000, 30 * MINUTE, "rounds are spread evenly");
    assert_eq!((plan.publications(), plan.rounds_in_all()), (Some(40_000), Some(2_880_000)));
}

#[test]
fn rfm17_1_is_a_hundred_keys_every_three_minutes_for_fifty_with_lookups_by_a_count_that_is_never_reached() {
    let plan = Preset::Rfm17_1.plan();
    assert_eq!(plan.check(), Ok(()));
    // With the publication 17 rounds, as `int(study / interval) + 1` has it.
    assert_eq!(
        (plan.keys_per_arm(), plan.rounds.len() + 1, plan.rounds.last()),
        (Some(100), 17, 48 * MINUTE)
    );
    assert_eq!((plan.arms.len(), plan.arms[0].k, plan.arms[0].end), (1, 20, PublisherEnd::Closed));
    let lookups =
        LookupSet { closest: true, first: false, count: Some(20), exhaustive: false, patience: 120 * SECOND };
    assert_eq!(plan.lookups, lookups);
    assert!(plan.observing.deadline > plan.lookups.patience && plan.observing.deadline < 3 * MINUTE);
}

#[test]
fn ipchurn_is_ten_thousand_keys_every_half_hour_for_80_hours() {
    let plan = Preset::IpChurn.plan();
    assert_eq!(plan.check(), Ok(()));
    assert_eq!((plan.keys_per_arm(), plan.rounds.len(), plan.rounds.last()), (Some(10_000), 160, 80 * HOUR));
    assert_eq!((plan.arms.len(), plan.arms[0].k, plan.observing.attempts), (1, 20, 3));
}

#[test]
fn what_nobody_says_is_as_cid_hoarder_has_it() {
    let plan = own();
    assert_eq!(plan.check(), Ok(()));
    assert_eq!(
        (plan.pace.gap, plan.pace.deadline, plan.observing.deadline),
        (80 * SECOND, 80 * SECOND, 80 * SECOND)
    );
    assert_eq!(
        (plan.observing.observers, plan.observing.attempts, plan.observing.dial),
        (10, 1, 10 * SECOND)
    );
    assert_eq!(plan.arms, [Arm::usual()]);
    assert_eq!(usize::from(plan.arms[0].k), kad::message::K);
    assert_eq!((plan.lookups.first, plan.lookups.closest), (true, true));
    assert_eq!(
        plan.readings,
        [Duration::ZERO, 10 * SECOND],
        "a record that was never stored is known at once"
    );
}

#[test]
fn dense_rounds_lie_around_the_ages_at_which_programs_forget() {
    let times = RoundTimes::Regular { every: 30 * MINUTE, span: 49 * HOUR, dense: true };
    let offsets = times.offsets();
    assert!(offsets.windows(2).all(|pair| pair[1] >= pair[0] + SECOND), "ascending, each once");
    for (age, gap) in
        [(10 * MINUTE, 15), (15 * MINUTE, 15), (30 * MINUTE, 20), (24 * HOUR, 120), (48 * HOUR, 120)]
    {
        let at = offsets.iter().position(|&at| at == age).expect("the age itself");
        assert_eq!(offsets[at], offsets[at - 1] + gap * SECOND, "before {age:?}");
        assert_eq!(offsets[at + 1], offsets[at] + gap * SECOND, "after {age:?}");
    }
    let short = RoundTimes::Regular { every: 3 * MINUTE, span: 11 * MINUTE, dense: true };
    assert_eq!(short.last(), 11 * MINUTE, "no later than the study");
    let plan = HoardPlan { rounds: times, ..own() };
    assert_eq!(plan.check(), Ok(()));
}

#[test]
fn ages_that_are_listed_are_gone_by_in_their_order_and_each_once() {
    let times = RoundTimes::Listed { at: vec![5 * MINUTE, SECOND, 5 * MINUTE] };
    assert_eq!(*times.offsets(), [SECOND, 5 * MINUTE]);
    assert_eq!((times.len(), times.last()), (2, 5 * MINUTE));
}

#[test]
fn a_plan_that_goes_on_has_no_end_and_a_bound_on_the_keys_at_once() {
    let plan = HoardPlan { keys: KeySource::Random { count: None }, ..own() };
    assert_eq!(plan.check(), Ok(()));
    assert_eq!((plan.publications(), plan.rounds_in_all(), plan.takes()), (None, None, None));
    assert_eq!(plan.watched_at_once(), 46);
    assert!(plan.key(0, 1_000_000).is_some());
    let at_once = PublishPace { gap: Duration::ZERO, ..plan.pace };
    assert!(matches!(HoardPlan { pace: at_once, ..plan }.check(), Err(BadPlan::Keys(_))));
}

#[test]
fn arms_on_the_same_keys_publish_the_same_keys() {
    let arms = vec![Arm::of_k(15), Arm::of_k(20)];
    let plan = HoardPlan { disjoint: false, arms, ..own() };
    assert_eq!(plan.key(0, 3), plan.key(1, 3));
    assert_ne!(plan.key(0, 3), plan.key(0, 4));
    assert_ne!(plan.key(0, 3), HoardPlan { seed: 1, ..plan.clone() }.key(0, 3));
}

type Change = fn(&mut HoardPlan);

#[test]
fn a_plan_that_cannot_be_gone_by_says_why() {
    let listed = |keys: &[u8]| keys.iter().map(|&key| StudyKeyBytes(vec![key; 4])).collect::<Vec<_>>();
    let cases: [(Change, &str); 20] = [
        (|plan| plan.rounds = RoundTimes::every(SECOND / 2, HOUR), "500ms apart"),
        (|plan| plan.rounds = RoundTimes::every(HOUR, MINUTE), "0 rounds"),
        (|plan| plan.rounds = RoundTimes::every(HOUR, 9_000 * HOUR), "a year"),
        (|plan| plan.rounds = RoundTimes::Listed { at: vec![] }, "0 rounds"),
        (|plan| plan.rounds = RoundTimes::Listed { at: vec![SECOND, SECOND * 3 / 2] }, "500ms apart"),
        (|plan| plan.rounds = RoundTimes::Listed { at: vec![Duration::ZERO] }, "apart"),
        (|plan| plan.keys = KeySource::Random { count: Some(0) }, "0 keys"),
        (|plan| plan.keys = KeySource::Random { count: Some(200_000) }, "12000000 rounds"),
        (|plan| plan.arms.clear(), "0 arms"),
        (|plan| plan.arms.push(Arm::usual()), "\"default\""),
        (|plan| plan.arms[0].name.clear(), "called nothing"),
        (|plan| plan.arms[0].k = 0, "1 to 256 peers"),
        (
            |plan| (plan.arms[0].k, plan.arms[0].strategy) = (15, Strategy::Sweep),
            "a sweep gives each record to 20",
        ),
        (|plan| plan.arms[0].strategy = Strategy::Indexer, "indexer"),
        (|plan| plan.arms[0].end = PublisherEnd::Foreign, "others publish"),
        (|plan| plan.pace.at_once = 0, "publications at once is at least 1"),
        (|plan| plan.observing.observers = 0, "observers is at least 1"),
        (|plan| plan.observing.deadline = SECOND, "it may take no longer"),
        (|plan| plan.lookups.count = Some(0), "0 providers"),
        (|plan| plan.readings = vec![SECOND; 17], "17 readings"),
    ];
    for (change, text) in cases {
        let mut plan = own();
        change(&mut plan);
        let said = plan.check().expect_err(text).to_string();
        assert!(said.contains(text), "{said}");
    }
    for (keys, text) in
        [(vec![], "0 keys"), (listed(&[1, 2, 1]), "key 3"), (vec![StudyKeyBytes(vec![])], "key 1")]
    {
        let plan = HoardPlan { keys: KeySource::Listed { keys }, ..own() };
        let said = plan.check().expect_err(text).to_string();
        assert!(said.contains(text), "{said}");
    }
}

#[test]
fn a_plan_is_json_that_people_can_read() {
    let json = serde_json::to_value(Preset::Rfm17_1.plan()).expect("json");
    assert_eq!(json["preset"], "rfm17.1");
    assert_eq!(
        json["rounds"],
        serde_json::json!({"times": "regular", "every": 180.0, "span": 3000.0, "dense": false})
    );
    assert_eq!(json["keys"], serde_json::json!({"source": "random", "count": 100}));
    assert_eq!((&json["arms"][0]["persistence"], &json["arms"][0]["end"]), (&"go".into(), &"closed".into()));
}

proptest! {
    /// A study that is resumed goes by the plan that it was begun with.
    #[test]
    fn a_plan_is_the_same_after_it_was_kept(
        preset in proptest::sample::select(Preset::ALL),
        seed: u64,
        times in proptest::collection::vec(1_u64..400_000_000_000, 1..8),
        keys in proptest::collection::btree_set(proptest::collection::vec(any::<u8>(), 32), 1..5),
    ) {
        let mut plan = HoardPlan { seed, ..preset.plan() };
        plan.rounds = RoundTimes::Listed { at: times.iter().copied().map(Duration::from_micros).collect() };
        plan.pace.gap = Duration::from_micros(times[0]);
        plan.keys = KeySource::Listed {
            keys: keys.into_iter().map(|digest| StudyKeyBytes([&[0x12, 0x20][..], &digest].concat())).collect(),
        };
        let json = serde_json::to_string(&plan).expect("json");
        prop_assert_eq!(serde_json::from_str::<HoardPlan>(&json).expect("a plan"), plan);
    }
}
