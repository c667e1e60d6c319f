//! Who was there over a period: the partition of peers, and the classes that others have.

use estimate::{Mean, Proportion};

use super::{
    ChurnNumbers, ClassNumbers, ClassShare, GroupClasses, HeadlineNumbers,
    agents::{groups, program},
    churn::all_stays,
};
use crate::{
    gathered::{Gathered, SeenPeer},
    period::Watched,
    presence::{AvailabilityClass, PresenceClass, UpShare, partition, weekly_sql},
};

impl ClassNumbers {
    /// The classes of all peers that were visited.
    pub(super) fn of(gathered: &Gathered, watched: Watched) -> Self {
        let class = |peer: &SeenPeer| partition(&peer.stays, watched);
        let shares: Vec<UpShare> =
            gathered.peers.iter().filter_map(|peer| UpShare::of(&peer.stays, watched)).collect();
        let weekly = |wanted: Option<PresenceClass>| {
            gathered.peers.iter().filter(|peer| weekly_sql(&peer.stays, watched) == wanted).count() as u64
        };
        let is_unclear =
            |share: &&UpShare| AvailabilityClass::of(share.at_least) != AvailabilityClass::of(share.at_most);
        Self {
            partition: class_shares(PresenceClass::ALL, gathered.peers.iter().map(class)),
            weekly_sql: PresenceClass::ALL.iter().map(|class| (*class, weekly(Some(*class)))).collect(),
            weekly_sql_none: weekly(None),
            availability: class_shares(
                AvailabilityClass::ALL,
                shares.iter().map(|share| AvailabilityClass::of(share.share)),
            ),
            availability_unclear: shares.iter().filter(is_unclear).count() as u64,
            by_agent: groups(gathered)
                .into_iter()
                .map(|group| GroupClasses::of(gathered, group, class))
                .collect(),
        }
    }
}

impl GroupClasses {
    fn of(gathered: &Gathered, group: String, class: impl Fn(&SeenPeer) -> PresenceClass) -> Self {
        let is_of = |peer: &&SeenPeer| gathered.agent(peer).is_some_and(|agent| program(agent) == group);
        let partition = class_shares(PresenceClass::ALL, gathered.peers.iter().filter(is_of).map(class));
        Self { group, partition }
    }
}

/// The share of each class, those of nobody included; nothing of nobody.
fn class_shares<C: Copy + PartialEq>(all: &[C], of_peers: impl Iterator<Item = C>) -> Vec<ClassShare<C>> {
    let of_peers: Vec<C> = of_peers.collect();
    let share = |class: &C| {
        let hits = of_peers.iter().filter(|one| *one == class).count() as u64;
        Some(ClassShare { class: *class, share: Proportion::of(hits, of_peers.len() as u64)? })
    };
    all.iter().filter_map(share).collect()
}

impl HeadlineNumbers {
    /// What readers look for first.
    pub(super) fn of(gathered: &Gathered) -> Self {
        let count = |is_meant: fn(&&SeenPeer) -> bool| gathered.peers.iter().filter(is_meant).count() as u64;
        let whole = || gathered.crawls.iter().filter(|crawl| crawl.is_whole());
        let up = |watched: Watched| {
            let seen = gathered.peers.iter().filter(|peer| !peer.stays.is_empty());
            Mean::of(seen.filter_map(|peer| Some(UpShare::of(&peer.stays, watched)?.share)))
        };
        let stays = gathered.watched.and_then(|watched| ChurnNumbers::survival(all_stays(gathered), watched));
        Self {
            crawls: gathered.crawls.len() as u64,
            visits: gathered.visits,
            monitors: gathered.monitors,
            peers: gathered.peers.len() as u64,
            found: count(|peer| peer.is_found),
            seen_up: count(|peer| peer.last_up.is_some()),
            ips: gathered.ips.len() as u64,
            visited_by_crawl: Mean::of(whole().map(|crawl| crawl.visited as f64)),
            reached_by_crawl: Mean::of(whole().map(|crawl| crawl.reached as f64)),
            up_share: gathered.watched.and_then(up),
            median_stay_h: stays.as_ref().map(|stays| stays.quantile(0.5)),
            mean_stay_h: stays.as_ref().map(super::churn::restricted_mean),
        }
    }
}
