//! How often intervals of what changes would save hold the truth, in fewer studies than the benchmark `coverage` draws.

#[path = "../../benches/coverage/retrievals.rs"]
mod retrievals;
#[path = "../../benches/coverage/tally.rs"]
mod tally;

use tally::Tally;

/// Of 30 studies with intervals of 95 % no fewer than 24 hold the truth in all but one of a thousand cases.
const STUDIES: u64 = 30;

/// The wrong ones are cheaper to draw: of 50 studies no more than 43.
const WRONG_STUDIES: u64 = 50;

#[test]
fn intervals_of_savings_hold_the_truth_and_those_of_wrong_estimators_do_not() {
    let is_held = |tally: &Tally, at_least: f64| tally.share() >= at_least;
    for tally in retrievals::OURS.iter().flat_map(|case| case.tallies(STUDIES)) {
        assert!(is_held(&tally, 0.8), "{}: {tally:?}", tally.name);
    }
    for tally in retrievals::WRONG.iter().flat_map(|case| case.tallies(WRONG_STUDIES)) {
        assert!(!is_held(&tally, 0.88), "{}: {tally:?}", tally.name);
    }
}
