//! Finds providers by a table of the whole network: the closest peers are all asked at once, and nobody is heard of.

use std::time::Duration;

use kad::{
    Persistence,
    fullrt::{FanOut, FanOutEnd},
    lookup::{Enough, FollowUp, LookupKind, Rules},
    message::{K, MAX_PEERS},
    network::Network,
};
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;

use super::{FullTable, FullTerms};
use crate::finder::{Finder, Found, Quest, search::BareSearch};

/// What is looked for by a table of the whole network.
#[derive(Debug, Clone, Copy)]
pub struct FullSearch<'a> {
    /// The key: a multihash.
    pub key: &'a [u8],
    /// When there are enough providers.
    pub enough: Enough,
    /// Who there is.
    pub table: &'a FullTable,
}

impl<N: Network> Finder<N> {
    /// Asks the peers of a table that are closest to a key who provides it, all at once, until there are enough. What comes of it is as of a lookup that knew them from the beginning and heard of nobody.
    ///
    /// By Go's rules it is over when about half have answered, also where none of those knows a provider, and after 5 s. Thoroughly
    /// everybody is waited for.
    pub async fn find_providers_full(
        &self,
        search: FullSearch<'_>,
        terms: impl Into<FullTerms>,
        cancel: &CancellationToken,
    ) -> Found {
        let terms = terms.into();
        let FullSearch { key, enough, table } = search;
        let from = table.closest(key, K);
        let asked = from.iter().filter(|contact| contact.peer != self.terms().own).count();
        let rules = rules(enough, from.len());
        let quest = Quest { kind: LookupKind::Providers, key: key.to_vec(), from, rules };
        let mut fan = match terms.persistence {
            Persistence::Go => Some(FanOut::new(asked, terms.fan_out)),
            Persistence::Thorough => None,
        };
        let mut search = BareSearch::bare(self, quest);
        while !search.ask_all().is_over {
            let until = fan.as_ref().map(FanOut::until);
            let at = search.begun + until.unwrap_or_default();
            tokio::select! {
                biased;
                answered = search.next() => note(&mut fan, answered, search.begun.elapsed()),
                () = sleep_until(at), if until.is_some() => {
                    if let Some(fan) = &mut fan {
                        fan.look(fan.until());
                    }
                }
                () = cancel.cancelled() => search.lookup.cancel(),
            }
            match fan.as_ref().and_then(FanOut::end) {
                Some(FanOutEnd::Enough | FanOutEnd::Lull) => search.lookup.complete(),
                Some(FanOutEnd::TimedOut) => search.lookup.cancel(),
                Some(FanOutEnd::All) | None => {}
            }
        }
        search.end()
    }
}

/// Takes in that a peer has answered, or that it has not.
fn note(fan: &mut Option<FanOut>, answered: Option<bool>, now: Duration) {
    let Some((fan, answered)) = fan.as_mut().zip(answered) else { return };
    if answered { fan.succeeded(now) } else { fan.failed(now) }
}

/// Everybody is asked at once, and nobody else is heard of.
const fn rules(enough: Enough, asked: usize) -> Rules {
    Rules {
        k: K,
        alpha: asked,
        beta: asked,
        follow_up: FollowUp::None,
        enough,
        per_answer: MAX_PEERS,
        known: asked,
        providers_again: false,
    }
}
