//! The line of adlrocha's go-libp2p-crawler, in its words: what is shown where there is no terminal.

use monitor::watching::NetworkCounts;

/// How a network is, as that program said it every ten seconds. Without anybody seen today the churn is 0 there as well.
pub(super) fn line(counts: &NetworkCounts) -> String {
    format!(
        "==== Total nodes active in run: {}, Total nodes left in run: {}, Total nodes seen today: {}, \
         Total nodes gone today: {}, Daily churn: {:.6}%====",
        counts.active,
        counts.left_in_run,
        counts.seen_today,
        counts.gone_today,
        counts.daily_churn.unwrap_or_default() * 100.0
    )
}
