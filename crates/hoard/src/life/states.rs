//! In which state a holder is: what is known of the record it was to keep, and of where it is itself.
//!
//! Both are tables: a state and what one sight says give the next state and, where something changed, the change. The page
//! `docs/methodology/hoard.md` has them row by row, and a test reads it.

use schema::{HolderAnswer, Whereabouts};

kad::named! {
    /// What is known of the record that a holder was to keep.
    pub enum HolderRecord: serde {
        /// It was chosen; that the record was sent to it is not known.
        Chosen = "chosen",
        /// It was dialled and sent the record, which nobody acknowledges; it was not asked since.
        Dialled = "dialled",
        /// It has the record and gives addresses with it.
        WithAddresses = "with_addresses",
        /// It has the record and gives no address.
        IdOnly = "id_only",
        /// It answers, and never had the record.
        NeverStored = "never_stored",
        /// It had the record, and does not have it any more.
        Lost = "lost",
    }
}

kad::named! {
    /// What is known of where a holder is.
    pub enum HolderPresence: serde {
        /// It was not dialled yet, and not sent anything.
        Unseen = "unseen",
        /// It is reached where it was at first.
        Present = "present",
        /// It is reached nowhere.
        Unreachable = "unreachable",
        /// It is reached where it was at first, and was not in between.
        Returned = "returned",
        /// It is reached at another IP.
        Moved = "moved",
    }
}

kad::named! {
    /// What changes in a holder's life.
    pub enum HolderChange: serde {
        /// It has the record for the first time that it says so.
        Stored = "stored",
        /// It does not have the record any more.
        Lost = "lost",
        /// It has the record again.
        Regained = "regained",
        /// It has the record and does not give addresses any more.
        AddressesEnded = "addresses_ended",
        /// It gives addresses again.
        AddressesRegained = "addresses_regained",
        /// It is not reached any more.
        Left = "left",
        /// It is reached again where it was.
        Returned = "returned",
        /// It is reached at another IP than before.
        Moved = "moved",
    }
}

kad::named! {
    /// What an answer says of the record; silence of any kind says nothing.
    pub enum Saying: serde {
        /// It is there, with addresses.
        With = "with_addresses",
        /// It is there, without.
        Id = "id_only",
        /// It is not there.
        Without = "without_record",
        /// Nothing: refused, reset, timed out, malformed, not reached, not asked.
        Silence = "silence",
    }
}

impl Saying {
    /// What an answer says.
    pub const fn of(answer: HolderAnswer) -> Self {
        match answer {
            HolderAnswer::WithAddresses => Self::With,
            HolderAnswer::IdOnly => Self::Id,
            HolderAnswer::WithoutRecord => Self::Without,
            HolderAnswer::Refused
            | HolderAnswer::Reset
            | HolderAnswer::TimedOut
            | HolderAnswer::Malformed
            | HolderAnswer::Unreached
            | HolderAnswer::Unasked => Self::Silence,
        }
    }
}

impl HolderRecord {
    /// The state after an answer, and what changed.
    pub const fn then(self, saying: Saying) -> (Self, Option<HolderChange>) {
        use HolderChange::{AddressesEnded, AddressesRegained, Lost, Regained, Stored};
        let next = match saying {
            Saying::With => Self::WithAddresses,
            Saying::Id => Self::IdOnly,
            Saying::Without if self.was_stored() => Self::Lost,
            Saying::Without => Self::NeverStored,
            Saying::Silence => return (self, None),
        };
        let change = match (self, next) {
            (Self::Chosen | Self::Dialled | Self::NeverStored, Self::WithAddresses | Self::IdOnly) => {
                Some(Stored)
            }
            (Self::Lost, Self::WithAddresses | Self::IdOnly) => Some(Regained),
            (Self::WithAddresses, Self::IdOnly) => Some(AddressesEnded),
            (Self::IdOnly, Self::WithAddresses) => Some(AddressesRegained),
            (Self::WithAddresses | Self::IdOnly, Self::Lost) => Some(Lost),
            _ => None,
        };
        (next, change)
    }

    /// Whether it said at any time that it has the record.
    pub const fn was_stored(self) -> bool {
        matches!(self, Self::WithAddresses | Self::IdOnly | Self::Lost)
    }

    /// Whether it had the record when it last answered.
    pub const fn is_keeping(self) -> bool {
        matches!(self, Self::WithAddresses | Self::IdOnly)
    }
}

impl HolderPresence {
    /// The state after a look, and what changed.
    pub const fn then(self, whereabouts: Whereabouts) -> (Self, Option<HolderChange>) {
        use HolderChange::{Left, Moved, Returned};
        let is_away = matches!(self, Self::Unreachable);
        match whereabouts {
            Whereabouts::Undialled => (self, None),
            Whereabouts::SameAddress | Whereabouts::NewPort => match self {
                Self::Unseen | Self::Present => (Self::Present, None),
                Self::Returned => (self, None),
                Self::Unreachable | Self::Moved => (Self::Returned, Some(Returned)),
            },
            Whereabouts::Moved if matches!(self, Self::Moved) => (self, None),
            Whereabouts::Moved => (Self::Moved, Some(Moved)),
            Whereabouts::RelayedOnly | Whereabouts::Gone | Whereabouts::OtherId if is_away => (self, None),
            Whereabouts::RelayedOnly | Whereabouts::Gone | Whereabouts::OtherId => {
                (Self::Unreachable, Some(Left))
            }
        }
    }
}
