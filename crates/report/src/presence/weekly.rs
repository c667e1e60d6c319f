//! The same classes as the SQL of the weekly reports has them, so that its numbers can be set beside ours.
//!
//! Its ranges are from the first successful look to the last. It differs from [the partition](fn@super::partition) in three ways: a peer that
//! went and came within the period, or that came and went once and did half of it again, can be *oneoff*; a peer that was online all the time
//! is so only if a later look found it online as well; and a peer can be in no class.

use schema::Timestamp;

use super::PresenceClass;
use crate::{period::Watched, stay::SeenStay};

/// The class of a peer that was found in a period; `None` if it is in none.
pub fn weekly_sql(stays: &[SeenStay], watched: Watched) -> Option<PresenceClass> {
    let Watched { from, until } = watched;
    let all: Vec<Range> = stays.iter().map(Range::of).collect();
    if all.iter().any(|range| range.lower <= from && range.upper.is_none_or(|upper| upper >= until)) {
        return Some(PresenceClass::Online);
    }
    let overlapping =
        || all.iter().filter(|range| range.lower < until && range.upper.is_none_or(|upper| upper >= from));
    if overlapping().next().is_none() {
        return Some(PresenceClass::Offline);
    }
    let enters = overlapping().any(|range| range.lower >= from);
    let leaves = overlapping().any(|range| range.is_closed && range.ends_until(until));
    let inside = overlapping()
        .filter(|range| range.is_closed && range.lower >= from && range.ends_until(until))
        .count();
    match (enters, leaves) {
        (true, false) => Some(PresenceClass::Entered),
        (false, true) => Some(PresenceClass::Left),
        (true, true) if inside == 1 => Some(PresenceClass::Oneoff),
        (true, true) => Some(PresenceClass::Dangling),
        (false, false) => None,
    }
}

/// `sessions.uptime`.
#[derive(Debug, Clone, Copy)]
struct Range {
    lower: Timestamp,
    /// `None` until a second look succeeds.
    upper: Option<Timestamp>,
    is_closed: bool,
}

impl Range {
    fn of(stay: &SeenStay) -> Self {
        let is_closed = stay.end.is_some();
        let upper = (is_closed || stay.last_up > stay.first_up).then_some(stay.last_up);
        Self { lower: stay.first_up, upper, is_closed }
    }

    fn ends_until(&self, until: Timestamp) -> bool {
        self.upper.is_some_and(|upper| upper <= until)
    }
}
