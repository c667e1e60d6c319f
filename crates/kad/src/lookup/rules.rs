//! The rules of a lookup as data: a lookup that was traced can be decided anew under others.

use super::FollowUp;
use crate::message::{K, MAX_PEERS};

/// How many peers go-libp2p-kad-dht asks at a time (`amino.DefaultConcurrency`).
pub const ALPHA: usize = 10;

/// How many of the closest peers must have answered before go-libp2p-kad-dht ends a search
/// (`amino.DefaultResiliency`).
pub const BETA: usize = 3;

/// The most peers that a lookup keeps in mind. Go has no such bound; an honest network of any size stays far below it,
/// since a lookup of k = 20 hears of some hundred peers.
pub const MAX_KNOWN: usize = 4096;

/// The rules of a lookup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How many closest peers are looked for.
    pub k: usize,
    /// How many peers are asked at a time while it searches. At least 1; 0 is as 1.
    pub alpha: usize,
    /// How many of the closest peers must have answered for the search to be complete; those that failed do not count. At
    /// least 1; 0 is as 1.
    pub beta: usize,
    /// What follows the search.
    pub follow_up: FollowUp,
    /// When there is enough of what is looked for.
    pub enough: Enough,
    /// The most peers that are taken of one answer, the asker and whoever is known already included.
    pub per_answer: usize,
    /// The most peers that are kept in mind, and so the most requests of a search. Whoever is named beyond it is left
    /// out, however close: liars who fill it have used the lookup up.
    pub known: usize,
    /// Whether a provider that was heard of without addresses is told of again when somebody gives addresses of it, as
    /// go-libp2p-kad-dht does.
    pub providers_again: bool,
}

/// When a lookup has found enough of what it looks for, before it has asked everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enough {
    /// Never: it finds all that its rules let it find.
    All,
    /// With so many providers, or with so many values that hold. At least 1; 0 is as 1.
    Count(usize),
}

impl Enough {
    /// With the first.
    pub const FIRST: Self = Self::Count(1);

    /// What go-libp2p-kad-dht means by a quorum: it stops with the value *after* so many (`searchValueQuorum`), and 0 is
    /// all of them.
    pub const fn go_quorum(quorum: usize) -> Self {
        match quorum {
            0 => Self::All,
            values => Self::Count(values.saturating_add(1)),
        }
    }
}

impl Rules {
    /// The rules of go-libp2p-kad-dht at its defaults on the Amino DHT, as of 0.42: it asks 10 peers at a
    /// time, and stops when the 3 closest have answered.
    ///
    /// Two things differ from it. What is no id of a peer is left out at once, where Go tries to dial it and fails; and
    /// [`known`](Self::known) has a bound.
    pub const fn go() -> Self {
        Self {
            k: K,
            alpha: ALPHA,
            beta: BETA,
            follow_up: FollowUp::Go,
            enough: Enough::All,
            per_answer: MAX_PEERS,
            known: MAX_KNOWN,
            providers_again: true,
        }
    }

    /// As [`go`](Self::go), without what costs it time and brings nothing: nobody is asked twice, and whoever is not among the
    /// closest is not waited for once the search is over.
    pub const fn lean() -> Self {
        Self { follow_up: FollowUp::Rest, ..Self::go() }
    }

    /// The end that the specification of libp2p gives: the search goes on until all of the k closest peers have answered.
    /// On honest, complete tables it always finds them
    /// (<https://github.com/libp2p/specs/blob/master/kad-dht/README.md#peer-routing>).
    pub const fn specification() -> Self {
        Self { beta: K, follow_up: FollowUp::None, ..Self::go() }
    }

    /// The same rules with another end.
    #[must_use]
    pub const fn until(self, enough: Enough) -> Self {
        Self { enough, ..self }
    }

    /// Every set of rules that has a name, which people choose by it.
    pub const NAMED: &'static [(&'static str, Self)] =
        &[("go", Self::go()), ("lean", Self::lean()), ("specification", Self::specification())];
}
