//! On which terms somebody publishes by a table of the whole network.

use std::time::Duration;

use kad::{Persistence, fullrt::FanOutRules, message::K};

use crate::provide::PUT_PATIENCE;

/// On which terms somebody publishes by a table of the whole network. [`Persistence`] makes those that are usual for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FullTerms {
    /// How far it goes.
    pub persistence: Persistence,
    /// How many of the closest are given a record. By Go's rules 20.
    pub k: usize,
    /// By Go's rules, when enough have been sent a record; otherwise of no meaning.
    pub fan_out: FanOutRules,
    /// Thoroughly, how many peers beyond the closest may stand in for those that cannot be given a record; none, if only the closest
    /// of the table are wanted. By Go's rules nobody stands in.
    pub stand_ins: usize,
}

impl FullTerms {
    /// How long one peer may take over one record, the dial not counted.
    pub(super) const fn patience(&self) -> Duration {
        match self.persistence {
            Persistence::Go => self.fan_out.patience,
            Persistence::Thorough => PUT_PATIENCE,
        }
    }
}

impl From<Persistence> for FullTerms {
    /// Twice the number of the closest may stand in: of a table two thirds of which are dead, enough live.
    fn from(persistence: Persistence) -> Self {
        Self { persistence, k: K, fan_out: FanOutRules::go(), stand_ins: 2 * K }
    }
}
