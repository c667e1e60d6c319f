//! The rungs of the ladder, and what each leaves out.

kad::named! {
    /// How much is done for a request. Which one comes after which is the [ladder's](super::Ladder) to say.
    pub enum Rung {
        /// All: the belly's backend is asked for what memory does not know.
        Belly = "belly",
        /// Records come from memory alone.
        Cached = "cached",
        /// Providers are named only where the head is among the closest to the key.
        Near = "near",
        /// No records: closer peers only.
        CloserPeers = "closer_peers",
        /// Requests are refused.
        Refuse = "refuse",
        /// Service is declined: the heads say that they are no servers.
        Decline = "decline",
    }
}

impl Rung {
    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// What may be done for a request: what is left out by the rung in force, and by those before it on the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    rung: Rung,
    /// A bit for each rung in force.
    in_force: u8,
}

impl Allowed {
    /// All is.
    pub const ALL: Self = Self { rung: Rung::Belly, in_force: 0 };

    /// What is left when one rung more is in force, the last one so far.
    #[must_use]
    pub const fn and(self, rung: Rung) -> Self {
        Self { rung, in_force: self.in_force | rung.bit() }
    }

    /// The last rung in force.
    pub const fn rung(self) -> Rung {
        self.rung
    }

    const fn has(self, rung: Rung) -> bool {
        self.in_force & rung.bit() != 0
    }

    /// Whether the belly's backend may be asked for what memory does not know.
    pub const fn reads(self) -> bool {
        !self.has(Rung::Cached) && self.has_records()
    }

    /// Whether providers are named for keys that the head is not among the closest to.
    pub const fn names_far(self) -> bool {
        !self.has(Rung::Near) && self.has_records()
    }

    /// Whether providers and values are looked for at all.
    pub const fn has_records(self) -> bool {
        !self.has(Rung::CloserPeers) && self.answers()
    }

    /// Whether requests are answered.
    pub const fn answers(self) -> bool {
        !self.has(Rung::Refuse) && self.serves()
    }

    /// Whether we are servers.
    pub const fn serves(self) -> bool {
        !self.has(Rung::Decline)
    }

    /// The same, without records.
    pub(super) const fn without_records(self) -> Self {
        self.and(Rung::CloserPeers)
    }

    pub(super) const fn packed(self) -> u16 {
        u16::from_le_bytes([self.in_force, self.rung as u8])
    }

    pub(super) fn unpacked(packed: u16) -> Self {
        let [in_force, number] = packed.to_le_bytes();
        let rung = Rung::ALL.get(usize::from(number)).copied().unwrap_or(Rung::Belly);
        Self { rung, in_force }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked() {
        for &rung in Rung::ALL {
            let allowed = Allowed::ALL.and(Rung::Near).and(rung);
            assert_eq!(Allowed::unpacked(allowed.packed()), allowed);
            assert_eq!(Rung::from_name(rung.name()), Some(rung));
        }
    }

    #[test]
    fn a_rung_leaves_out_what_those_before_it_did() {
        let what = |allowed: Allowed| {
            [allowed.reads(), allowed.names_far(), allowed.has_records(), allowed.answers(), allowed.serves()]
        };
        let mut allowed = Allowed::ALL;
        assert_eq!(what(allowed), [true; 5]);
        for (left_out, rung) in
            [Rung::Cached, Rung::Near, Rung::CloserPeers, Rung::Refuse, Rung::Decline].into_iter().enumerate()
        {
            allowed = allowed.and(rung);
            assert_eq!(what(allowed), std::array::from_fn(|n| n > left_out), "{rung}");
        }
        assert_eq!(what(Allowed::ALL.and(Rung::Near)), [true, false, true, true, true]);
        assert_eq!(what(Allowed::ALL.and(Rung::Decline)), [false; 5]);
    }
}
