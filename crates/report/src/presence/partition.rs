//! RFM 2's partition: each peer that was found in a period is in exactly one class.
//!
//! D. Trautwein, "RFM 2: Uptime and Churn" (2022), "Node Classifications".

use crate::{period::Watched, stay::SeenStay};

kad::named! {
    /// How a peer came and went over a period.
    pub enum PresenceClass: serde {
        /// Found, and never seen online.
        Offline = "offline",
        /// Came and went several times.
        Dangling = "dangling",
        /// Came and went once.
        Oneoff = "oneoff",
        /// Online at the beginning, and never seen offline.
        Online = "online",
        /// Offline at the beginning; came, and was not seen to go.
        Entered = "entered",
        /// Online at the beginning; went, and was not seen to come back.
        Left = "left",
    }
}

/// The class of a peer that was found in a period, by its stays in their order. How it stood at the beginning, and at the end, is what
/// was last seen by then; whoever was not heard of before was not there. Where sight of a peer was lost it counts as gone from its last
/// successful look on, as RFM 2 has it.
pub fn partition(stays: &[SeenStay], watched: Watched) -> PresenceClass {
    let Watched { from, until } = watched;
    let mut within =
        stays.iter().filter(|stay| stay.came_by <= until && stay.over_by().is_none_or(|over| over > from));
    let Some(first) = within.next() else { return PresenceClass::Offline };
    if within.next().is_some() {
        return PresenceClass::Dangling;
    }
    let at_beginning = first.came_by <= from;
    let at_end = first.over_by().is_none_or(|over| over > until);
    match (at_beginning, at_end) {
        (true, true) => PresenceClass::Online,
        (true, false) => PresenceClass::Left,
        (false, true) => PresenceClass::Entered,
        (false, false) => PresenceClass::Oneoff,
    }
}
