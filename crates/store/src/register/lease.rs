//! Who may do alone what only one may do at a time, and for how long: decided without a clock.

use schema::Timestamp;

/// What came of asking for a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseOutcome {
    /// It is the asker's.
    Held {
        /// Grows with every holder, and never shrinks: what is done under a smaller number was done by one that has lost the
        /// lease since.
        fence: u64,
    },
    /// It is somebody else's.
    HeldBy {
        /// Whose.
        holder: String,
        /// Until when, by the clock of the register.
        until: Timestamp,
    },
}

/// A lease as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lease {
    pub(super) holder: String,
    pub(super) fence: u64,
    pub(super) until: Timestamp,
}

impl Lease {
    /// What comes of `holder` asking for it: the lease as it is then kept, or who has it.
    pub(super) fn taken(
        found: Option<&Self>,
        holder: &str,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Self, LeaseOutcome> {
        let fence = match found {
            None => 1,
            Some(lease) if lease.until <= now => lease.fence + 1,
            Some(lease) if lease.holder == holder => lease.fence,
            Some(lease) => {
                return Err(LeaseOutcome::HeldBy { holder: lease.holder.clone(), until: lease.until });
            }
        };
        Ok(Self { holder: holder.to_owned(), fence, until })
    }

    /// What its new holder hears.
    pub(super) const fn outcome(&self) -> LeaseOutcome {
        LeaseOutcome::Held { fence: self.fence }
    }
}
