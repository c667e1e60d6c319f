//! Single lives.

use schema::{
    HolderAnswer::{
        IdOnly, Malformed, Refused, Reset, TimedOut, Unasked, Unreached, WithAddresses, WithoutRecord,
    },
    Whereabouts,
};

use super::{
    super::{HolderChange, HolderLife, HolderPresence, HolderRecord, LifeChange, Lifespan},
    answering, minutes, sight,
};

const SENT: Option<std::time::Duration> = Some(std::time::Duration::ZERO);

fn span(after: u64, by: Option<u64>, until: u64) -> Lifespan {
    Lifespan { after: minutes(after), by: by.map(minutes), until: minutes(until) }
}

#[test]
fn what_never_was_stored_is_not_what_was_lost() {
    let never = HolderLife::of(SENT, answering(&[WithoutRecord, TimedOut, WithoutRecord]));
    assert_eq!((never.record, never.kept, never.addressed), (HolderRecord::NeverStored, None, None));
    let lost = HolderLife::of(SENT, answering(&[WithoutRecord, WithAddresses, WithAddresses, WithoutRecord]));
    assert_eq!((lost.record, lost.kept), (HolderRecord::Lost, Some(span(6, Some(9), 9))));
    let unknown = HolderLife::of(SENT, answering(&[TimedOut, Unreached, Unasked]));
    assert_eq!((unknown.record, unknown.kept), (HolderRecord::Dialled, None));
    assert_eq!(HolderLife::of(None, []).record, HolderRecord::Chosen);
}

/// Neither a dial that failed, nor a refusal, a reset, a time-out, something malformed or a question that was never put.
#[test]
fn who_does_not_answer_has_lost_nothing() {
    for silent in [Unreached, Refused, Reset, TimedOut, Malformed, Unasked] {
        let silence = HolderLife::of(SENT, answering(&[WithAddresses, silent, silent]));
        assert_eq!(
            (silence.record, silence.kept),
            (HolderRecord::WithAddresses, Some(span(0, None, 0))),
            "{silent}"
        );
        // The end is between the last answer with the record and the first without, however long nobody answered.
        let lost = HolderLife::of(SENT, answering(&[WithAddresses, silent, silent, WithoutRecord]));
        assert_eq!(lost.kept, Some(span(0, Some(9), 9)), "{silent}");
        assert_eq!(lost.addressed, Some(span(0, None, 0)), "{silent}");
    }
    let unasked = HolderLife::of(SENT, answering(&[WithAddresses, Unasked]));
    assert_eq!((unasked.presence, unasked.reached), (HolderPresence::Present, Some(span(0, None, 0))));
}

#[test]
fn addresses_end_where_the_record_is_given_without_them() {
    let life =
        HolderLife::of(SENT, answering(&[WithAddresses, WithAddresses, IdOnly, IdOnly, WithoutRecord]));
    assert_eq!(life.addressed, Some(span(3, Some(6), 9)));
    assert_eq!(life.kept, Some(span(9, Some(12), 12)));
}

#[test]
fn each_change_is_between_the_two_sights_that_bound_it() {
    let mut sights = answering(&[WithoutRecord, WithAddresses, TimedOut, IdOnly, Unreached]);
    sights.push(sight(5, IdOnly, Whereabouts::NewPort));
    sights.push(sight(6, WithAddresses, Whereabouts::Moved));
    sights.push(sight(7, Unreached, Whereabouts::OtherId));
    sights.push(sight(8, WithoutRecord, Whereabouts::SameAddress));
    sights.push(sight(9, IdOnly, Whereabouts::SameAddress));
    let change = |change, after, by| LifeChange { change, after: Some(minutes(after)), by: minutes(by) };
    assert_eq!(
        HolderLife::changes(SENT, sights.clone()),
        [
            change(HolderChange::Stored, 0, 3),
            change(HolderChange::AddressesEnded, 3, 9),
            change(HolderChange::Left, 9, 12),
            change(HolderChange::Returned, 12, 15),
            change(HolderChange::AddressesRegained, 15, 18),
            change(HolderChange::Moved, 15, 18),
            change(HolderChange::Left, 18, 21),
            change(HolderChange::Lost, 18, 24),
            change(HolderChange::Returned, 21, 24),
            change(HolderChange::Regained, 24, 27),
        ]
    );
    let life = HolderLife::of(SENT, sights);
    assert!(life.has_moved && life.has_returned);
    assert_eq!((life.record, life.presence), (HolderRecord::IdOnly, HolderPresence::Returned));
    assert_eq!(life.reached, Some(span(9, Some(12), 27)));
}

/// What is read back over the connection that is there already dials nobody.
#[test]
fn who_answers_is_there() {
    let life = HolderLife::of(None, [sight(0, WithAddresses, Whereabouts::Undialled)]);
    assert_eq!((life.presence, life.reached), (HolderPresence::Present, Some(span(0, None, 0))));
    assert_eq!(
        HolderLife::changes(None, [sight(0, WithAddresses, Whereabouts::Undialled)]),
        [LifeChange { change: HolderChange::Stored, after: None, by: minutes(0) }]
    );
}
