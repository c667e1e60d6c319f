//! What a publication came to, as it is printed.

use std::time::Duration;

use dht::{Holder, ProviderRecord, ReadBack};
use kad::Multiaddr;
use serde::Serialize;

use crate::args::TypedKey;

/// What came of publishing one record.
#[derive(Debug, Serialize)]
pub(crate) struct Publication {
    /// What is provided, as it was typed.
    pub(crate) key: String,
    /// Who provides it.
    pub(crate) provider: String,
    /// Where the record says that the provider is.
    pub(crate) addresses: Vec<String>,
    /// The peers closest to the key, which were to hold the record, the closest first.
    pub(crate) holders: Vec<HolderRow>,
    /// How many of them were sent the record.
    pub(crate) sent: usize,
    /// How many of them say that they have it; `None` if they were not asked.
    pub(crate) have_record: Option<usize>,
    /// How long the lookup and the publication took, in seconds.
    pub(crate) duration_s: f64,
}

/// One of those who were to hold a record.
#[derive(Debug, Serialize)]
pub(crate) struct HolderRow {
    /// Who it is.
    pub(crate) peer: String,
    /// Whether it was sent the record, and did not refuse it.
    pub(crate) sent: bool,
    /// Whether it says that it has the record; `None` if it was not asked, or did not answer.
    pub(crate) has_record: Option<bool>,
    /// Whether it gives the provider's addresses with it; `None` if it has no record.
    pub(crate) with_addresses: Option<bool>,
    /// Why it was not sent the record, or did not answer; `None` if nothing went wrong.
    pub(crate) error: Option<&'static str>,
}

impl Publication {
    /// What came of it. `has` is in the order of `holders`; `None` if they were not asked for the record.
    pub(crate) fn of(
        (key, record): (&TypedKey, &ProviderRecord),
        holders: &[Holder],
        has: Option<&[ReadBack]>,
        took: Duration,
    ) -> Self {
        let has = |position: usize| has.and_then(|has| has.get(position));
        let rows: Vec<_> =
            holders.iter().enumerate().map(|(position, holder)| row(holder, has(position))).collect();
        let count = |is: &dyn Fn(&HolderRow) -> bool| rows.iter().filter(|row| is(row)).count();
        Self {
            key: key.text.clone(),
            provider: record.provider.peer.to_string(),
            addresses: record.provider.addrs.iter().map(Multiaddr::to_string).collect(),
            sent: count(&|row| row.sent),
            have_record: has(0).map(|_| count(&|row| row.has_record == Some(true))),
            holders: rows,
            duration_s: took.as_secs_f64(),
        }
    }

    /// Whether anybody has the record, as far as is known.
    pub(crate) const fn is_provided(&self) -> bool {
        match self.have_record {
            Some(count) => count > 0,
            None => self.sent > 0,
        }
    }
}

fn row(holder: &Holder, has: Option<&ReadBack>) -> HolderRow {
    let said = has.and_then(|has| has.has.as_ref().ok());
    let failure = holder.sent.as_ref().err().or_else(|| has?.has.as_ref().err());
    HolderRow {
        peer: holder.contact.peer.to_string(),
        sent: holder.sent.is_ok(),
        has_record: said.map(Option::is_some),
        with_addresses: said.copied().flatten(),
        error: failure.map(|failure| failure.class.name()),
    }
}
