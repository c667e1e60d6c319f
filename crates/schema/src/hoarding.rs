//! The closed names of studies of who keeps records: what becomes of who published, where a holder is, what it says, which lookups a
//! round has and how it ends. What they mean in full is in [the page on studies](../../../docs/methodology/hoard.md).

kad::named! {
    /// What becomes of who published a key.
    pub enum PublisherEnd: serde {
        /// The arm's publisher hangs up and leaves after its last publication, as CID Hoarder's.
        Closed = "closed",
        /// Each key has a publisher of its own, which leaves right after.
        ClosedEach = "closed_each",
        /// It stays, and holds its connections.
        Connected = "connected",
        /// Somebody else published.
        Foreign = "foreign",
    }
}

kad::named! {
    /// Where a holder is in a round, beside where it was when it was chosen.
    pub enum Whereabouts: serde {
        /// At an address at which it was.
        SameAddress = "same_address",
        /// At an IP at which it was, at another port.
        NewPort = "new_port",
        /// At another IP.
        Moved = "moved",
        /// Only behind a relay, as others say.
        RelayedOnly = "relayed_only",
        /// Nowhere: it was dialled wherever it might be.
        Gone = "gone",
        /// Somebody else answers at its first address, and it was found nowhere.
        OtherId = "other_id",
        /// It was not dialled.
        Undialled = "undialled",
    }
}

kad::named! {
    /// What a holder says of the record when it is asked.
    pub enum HolderAnswer: serde {
        /// It has it, and gives addresses of the provider with it.
        WithAddresses = "with_addresses",
        /// It has it, and gives no address.
        IdOnly = "id_only",
        /// It answers, and does not have it.
        WithoutRecord = "without_record",
        /// It does not speak the protocol, or refused the stream.
        Refused = "refused",
        /// It reset the stream or the connection, or closed it before it answered.
        Reset = "reset",
        /// Nothing came in time.
        TimedOut = "timed_out",
        /// What came was no answer.
        Malformed = "malformed",
        /// There was no connection: the dial says why.
        Unreached = "unreached",
        /// We gave up before it was asked: the round was stopped, or its time was over.
        Unasked = "unasked",
    }
}

kad::named! {
    /// A lookup of a round.
    pub enum HoardLookup: serde {
        /// For the peers closest to the key.
        Closest = "closest",
        /// For providers, until the first is found.
        First = "first",
        /// For providers, until there are as many as were asked for.
        Count = "count",
        /// For providers, until everybody was asked who might know of one.
        Exhaustive = "exhaustive",
    }
}

kad::named! {
    /// How a round of a key ended.
    pub enum RoundEnd: serde {
        /// Everything of it was done.
        Whole = "whole",
        /// Its time was over before everything was done.
        Partial = "partial",
        /// It was not done: its time had passed, since the rounds before took too long or nobody was there.
        Missed = "missed",
        /// It was given up by us.
        Stopped = "stopped",
    }
}

impl HolderAnswer {
    /// Whether it says that it has the record.
    pub const fn has_record(self) -> bool {
        matches!(self, Self::WithAddresses | Self::IdOnly)
    }

    /// Whether it was an answer: the record is there, or is not. All others say nothing of the record.
    pub const fn is_answer(self) -> bool {
        matches!(self, Self::WithAddresses | Self::IdOnly | Self::WithoutRecord)
    }
}

impl Whereabouts {
    /// Whether the holder was connected to.
    pub const fn is_reached(self) -> bool {
        matches!(self, Self::SameAddress | Self::NewPort | Self::Moved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_nothing_of_the_record_is_no_answer() {
        let says: Vec<_> = HolderAnswer::ALL.iter().filter(|answer| answer.is_answer()).collect();
        let has: Vec<_> = HolderAnswer::ALL.iter().filter(|answer| answer.has_record()).collect();
        assert_eq!(says, [&HolderAnswer::WithAddresses, &HolderAnswer::IdOnly, &HolderAnswer::WithoutRecord]);
        assert_eq!(has, says[..2]);
    }
}
