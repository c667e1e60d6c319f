//! How often records are provided again, from who comes to have them.
//!
//! A record whose age jumps back looks as it did before. What can be seen is that somebody who answered without it answers with it: a
//! publication gives it to all who are among the closest by then. So a publication is seen where somebody had come among the closest since
//! the last one, which is likelier the longer that was: with newcomers at a rate λ and publications every T, events are seen at a rate of
//! (1 − exp(−λT)) / T. That is solved for T.

use std::{collections::BTreeMap, time::Duration};

use kad::PeerId;
use serde::Serialize;

use super::ContentKey;

/// What looks saw of who came to have records of one provider.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RecordArrivals {
    /// Looks in which somebody had the record who had answered the look before without it.
    pub events: u64,
    /// Peers that answered without the record while others had it, and had not been asked in that look before: newcomers.
    pub newcomers: u64,
    /// How long records were watched, from one look to the next.
    pub watched: Duration,
}

/// How often records are provided again.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ProvidedAgain {
    /// How many publications were seen.
    pub events: u64,
    /// How many newcomers there were who lacked the record at first.
    pub newcomers: u64,
    /// How many hours all records were watched together.
    pub watched_h: f64,
    /// The hours from one publication to the next; `None` where nothing can be said: none was seen, or as many as newcomers would
    /// allow.
    pub every_h: Option<f64>,
    /// The lower end of its 95 % interval; `None` where nothing bounds it.
    pub low_h: Option<f64>,
    /// The upper end of its 95 % interval; `None` where nothing bounds it.
    pub high_h: Option<f64>,
}

/// What looks saw, over all keys and providers. Looks that did not ask everybody are passed over.
pub fn arrivals(keys: &[ContentKey]) -> RecordArrivals {
    let mut all = RecordArrivals::default();
    for key in keys {
        let whole: Vec<_> = key.looks.iter().filter(|look| look.is_whole).collect();
        for pair in whole.windows(2) {
            let [before, now] = pair else { continue };
            let had = holders(&before.providers);
            for (provider, has) in holders(&now.providers) {
                let Some(had) = had.get(&provider) else { continue };
                let lacked = |peer: &PeerId| {
                    before.without.contains(peer) || holds_another(&before.providers, provider, peer)
                };
                all.watched += now.after.saturating_sub(before.after);
                all.events += u64::from(has.iter().any(|peer| !had.contains(peer) && lacked(peer)));
                let known = |peer: &PeerId| had.contains(peer) || lacked(peer);
                all.newcomers += now.without.iter().filter(|peer| !known(peer)).count() as u64;
            }
        }
    }
    all
}

fn holders(looks: &[super::ProviderLook]) -> BTreeMap<PeerId, &[PeerId]> {
    looks.iter().map(|look| (look.provider, look.holders.as_slice())).collect()
}

/// Whether somebody answered with another provider's record, and without this one's.
fn holds_another(looks: &[super::ProviderLook], provider: PeerId, peer: &PeerId) -> bool {
    looks.iter().any(|look| look.provider != provider && look.holders.contains(peer))
        && !looks.iter().any(|look| look.provider == provider && look.holders.contains(peer))
}

/// How often records are provided again: a time that is rather too long than too short. Newcomers who leave before the next publication
/// make publications seem rarer than they are, and so do those who come and are given the record between two looks: drawn by looks every
/// hour, with a newcomer every 5 to 20 hours, it was 6 to 24 in a hundred too long, and the interval, which counts publications alone,
/// held the truth always.
pub fn provided_again(arrivals: &RecordArrivals) -> ProvidedAgain {
    let &RecordArrivals { events, newcomers, watched } = arrivals;
    let hours = watched.as_secs_f64() / 3600.0;
    let newcomer_rate = newcomers as f64 / hours;
    let every = |events: f64| interval_of(events / hours, newcomer_rate);
    let [fewest, most] = poisson(events);
    let known = (events > 0).then(|| every(events as f64)).flatten();
    ProvidedAgain {
        events,
        newcomers,
        watched_h: hours,
        every_h: known,
        low_h: known.and_then(|_| every(most)),
        high_h: known.and_then(|_| every(fewest)),
    }
}

/// The T of which (1 − exp(−λT)) / T is the rate of events; `None` where there is none: events are no rarer than newcomers.
fn interval_of(rate: f64, newcomer_rate: f64) -> Option<f64> {
    let seen = |every: f64| -(-newcomer_rate * every).exp_m1() / every;
    if !(rate > 0.0 && rate < newcomer_rate) {
        return None;
    }
    // As T goes to zero all newcomers are seen, at once; the rate falls with T.
    let (mut low, mut high) = (0.0, 1.0 / rate);
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if middle > 0.0 && seen(middle) < rate { high = middle } else { low = middle }
    }
    Some(f64::midpoint(low, high))
}

/// The ends of the 95 % interval of a mean of which so many were counted. E. B. Wilson and M. M. Hilferty, Proc. Natl. Acad. Sci. 17 (1931)
/// 684-688, within 0.1 of the exact ends.
fn poisson(events: u64) -> [f64; 2] {
    let end = |count: f64, z: f64| {
        if count <= 0.0 {
            0.0
        } else {
            count * (1.0 - 1.0 / (9.0 * count) + z / (3.0 * count.sqrt())).powi(3)
        }
    };
    let z = 1.959_963_984_540_054;
    [end(events as f64, -z), end(events as f64 + 1.0, z)]
}
