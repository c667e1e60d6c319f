//! Publications, holders and what walks return.

use std::sync::Arc;

use estimate::Proportion;
use kad::failure::FailureClass;
use schema::{HoardLookup, HolderAnswer};

use super::made::{arm, key, lookup, response, round, seconds, study};
use crate::{
    report::{HoardArmNumbers, HoardSection, ReportOrder},
    study::{StudyKey, StudyLookup},
};

use HolderAnswer::{IdOnly, Reset, TimedOut, Unasked, Unreached, WithAddresses, WithoutRecord};

fn of_one_arm(keys: Vec<StudyKey>, order: &ReportOrder) -> HoardArmNumbers {
    HoardSection::of(&study(vec![arm(0, "k4", 4)], keys), order).arms.remove(0)
}

/// Of four keys one went to nobody, two to three of four, and one to all.
#[test]
fn publications_count_whom_the_record_was_sent_and_one_that_failed_never_ends() {
    let mut keys: Vec<StudyKey> = (0..4).map(|number| key(0, number, 0..4)).collect();
    for (key, (failed, took)) in keys.iter_mut().zip([(0, 1.0), (1, 2.0), (1, 3.0), (4, 0.5)]) {
        key.took = seconds(took);
        for holder in key.holders.iter_mut().take(failed) {
            holder.send_failure = Some(FailureClass::Timeout);
        }
    }
    round(&mut keys[0], 0, 0.0, &[WithAddresses; 4]);
    round(&mut keys[0], 0, 10.0, &[WithAddresses, IdOnly, WithoutRecord, TimedOut]);
    let numbers = of_one_arm(keys, &ReportOrder::default()).publication;
    assert_eq!((numbers.to_nobody, numbers.sent.n, numbers.distinct_holders), (1, 4, 4));
    assert_eq!(numbers.gifts, Proportion::of_clusters(&[(4, 4), (3, 4), (3, 4), (0, 4)]));
    assert_eq!((numbers.gift_failures[0].name, numbers.gift_failures[0].share.hits), ("timeout", 6));
    let above: Vec<_> = numbers.sent_curve.iter().map(|step| (step.at, step.going_on)).collect();
    assert_eq!(above, [(0.0, 0.75), (3.0, 0.25), (4.0, 0.0)]);
    // Half of four had ended by 2 s, three by 3 s; the fourth never does, however fast it failed.
    let took: Vec<_> = numbers.took.iter().map(|quantile| quantile.value).collect();
    assert_eq!(took, [Some(1.0), Some(1.0), Some(2.0), Some(3.0), None]);
    // Of two readings back the later one counts.
    let read_back = numbers.read_back.unwrap();
    assert_eq!((read_back.n, read_back.mean.unwrap().mean), (1, 2.0));
}

#[test]
fn holders_are_counted_by_what_they_do_and_no_answer_is_no_record() {
    let mut keys: Vec<StudyKey> = (0..3).map(|number| key(0, number, 0..4)).collect();
    round(&mut keys[0], 1, 180.0, &[WithAddresses, WithAddresses, IdOnly, Unreached]);
    round(&mut keys[1], 1, 181.0, &[IdOnly, WithoutRecord, Reset, TimedOut]);
    round(&mut keys[2], 1, 182.0, &[WithAddresses, Unasked, Unasked, Unasked]);
    let arm = of_one_arm(keys, &ReportOrder::default());
    let age = &arm.ages[0];
    assert_eq!((age.looks, age.left_out, age.age_s, age.rounds), (3, 1, 181.0, [1, 1]));
    let mean = |counts: &crate::report::CountNumbers| (counts.n, counts.mean.unwrap().mean);
    assert_eq!(mean(&age.holders.online), (2, 3.5));
    assert_eq!(mean(&age.holders.keeping), (2, 2.0));
    assert_eq!(mean(&age.holders.with_addresses), (2, 1.0));
    // Each outcome is one of its own: of twelve holders three were not asked, and their share is said.
    let shares: Vec<_> = age.answers.iter().map(|share| (share.name, share.share.hits)).collect();
    assert_eq!(
        shares,
        [
            ("with_addresses", 3),
            ("id_only", 2),
            ("without_record", 1),
            ("reset", 1),
            ("timed_out", 1),
            ("unreached", 1),
            ("unasked", 3)
        ]
    );
    assert_eq!(age.answers.iter().map(|share| share.share.hits).sum::<u64>(), age.answers[0].share.n);
    assert_eq!((age.dial_failures[0].name, age.dial_failures[0].share.hits), ("timeout", 1));
    assert_eq!(Some(age.whereabouts[0].share), Proportion::of_clusters(&[(3, 4), (4, 4), (1, 4)]));
}

/// Keys without a holder of the agent count as 0: they do not drop out of the box.
#[test]
fn agents_that_are_counted_apart_and_all_others_make_up_all() {
    let mut keys: Vec<StudyKey> = (0..2).map(|number| key(0, number, 0..4)).collect();
    keys[0].holders[3].agent = Some(Arc::from("hydra-booster/0.7.4"));
    for key in &mut keys {
        round(key, 1, 180.0, &[WithAddresses; 4]);
    }
    let order = ReportOrder { apart: Some("hydra".to_owned()), ..ReportOrder::default() };
    let arm = of_one_arm(keys, &order);
    let of = |counts: &crate::report::CountNumbers| (counts.n, counts.mean.unwrap().mean);
    let age = &arm.ages[0];
    assert_eq!(of(&age.holders_apart.as_ref().unwrap().online), (2, 0.5));
    assert_eq!(of(&age.holders_others.as_ref().unwrap().online), (2, 3.5));
    let agents: Vec<_> = arm
        .agents
        .iter()
        .map(|agent| (&*agent.program, agent.share.hits, agent.peers, agent.per_key.n))
        .collect();
    assert_eq!(agents, [("kubo", 7, 4, 2), ("hydra-booster", 1, 1, 2)]);
}

/// The provider is named by three peers, one of them twice; the first answer has no addresses, a later one has.
#[test]
fn a_walk_counts_each_peer_once_and_ends_by_either_rule() {
    let mut first = key(0, 1, 0..4);
    round(&mut first, 1, 180.0, &[IdOnly; 4]);
    let mut walk = lookup(HoardLookup::Exhaustive, 0..4);
    walk.responses = vec![
        response(7, None),
        response(8, Some(0)),
        response(9, Some(3)),
        response(9, Some(3)),
        response(10, Some(0)),
    ];
    first.rounds[0].lookups = vec![walk];
    let mut second = key(0, 2, 0..4);
    round(&mut second, 1, 180.0, &[IdOnly; 4]);
    let mut kept = lookup(HoardLookup::First, []);
    (kept.first_combo, kept.upgraded_combo) = (0, 0);
    second.rounds[0].lookups = vec![kept];
    let arm = of_one_arm(vec![first, second], &ReportOrder::default());
    let walks = arm.ages[0].lookups.as_ref().unwrap();
    let mean = |counts: &Option<crate::report::CountNumbers>| counts.as_ref().unwrap().mean.unwrap();
    assert_eq!((mean(&walks.returned).n, mean(&walks.returned).mean), (1, 3.0));
    assert_eq!((mean(&walks.returned_with_addresses).n, mean(&walks.returned_with_addresses).mean), (1, 1.0));
    let hits = |shares: crate::report::FinalShares| {
        [shares.nothing, shares.id_only, shares.with_addresses].map(|share| share.hits)
    };
    assert_eq!(hits(walks.first.unwrap()), [1, 1, 0]);
    assert_eq!(hits(walks.upgraded.unwrap()), [1, 0, 1]);
}

/// RFM17 said that no content was ever unreachable since holders always had the record: what lookups find is another question, and is asked.
#[test]
fn that_holders_keep_a_record_says_nothing_of_whether_a_lookup_finds_it() {
    let mut keys: Vec<StudyKey> = (0..2).map(|number| key(0, number, 0..4)).collect();
    for key in &mut keys {
        round(key, 1, 180.0, &[WithAddresses; 4]);
    }
    // The one finds nobody who has it; the other was not looked up.
    keys[0].rounds[0].lookups =
        vec![StudyLookup { responses: vec![response(7, None)], ..lookup(HoardLookup::Exhaustive, 0..4) }];
    let age = &of_one_arm(keys.clone(), &ReportOrder::default()).ages[0];
    assert_eq!(
        (age.holders.keeping.n, age.holders.keeping.mean.unwrap().mean),
        (2, 4.0),
        "every holder keeps it"
    );
    let found = age.lookups.as_ref().unwrap().first.unwrap();
    assert_eq!(
        (found.nothing.hits, found.nothing.n),
        (1, 1),
        "and who was not looked up was not found either"
    );
    keys[0].rounds[0].lookups.clear();
    let without = of_one_arm(keys, &ReportOrder::default());
    assert!(without.ages[0].lookups.is_none(), "without a lookup nothing is said of retrieval");
}

#[test]
fn looks_that_were_late_by_a_round_stand_where_their_age_is() {
    let mut keys: Vec<StudyKey> = (0..2).map(|number| key(0, number, 0..4)).collect();
    for (key, late) in keys.iter_mut().zip([0.0, 200.0]) {
        for number in 1..4 {
            round(key, number, 180.0 * f64::from(number) + late, &[WithAddresses; 4]);
        }
    }
    let arm = of_one_arm(keys, &ReportOrder::default());
    assert!(arm.is_by_age);
    // 180 | 360, 380 | 540, 560, 740: the last is beyond the last round that was planned.
    assert_eq!(arm.ages.iter().map(|age| age.looks).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!((arm.ages[1].ages_s[0], arm.ages[1].ages_s[1]), (360.0, 380.0));
    assert_eq!(arm.course.lag_s, Some([0.0, 200.0, 200.0, 200.0]));
}
