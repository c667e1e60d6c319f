//! The numbers as tables for people.

use estimate::{Mean, Proportion, Quantile};
use figure::{PageTable, written};

use super::numbers::{
    AgentShare, ArrivalNumbers, ChurnCurve, ChurnNumbers, ClassNumbers, HeadlineNumbers, RotatingIp,
    UpdatingNumbers, VersionAlert,
};

/// What readers look for first.
pub(super) fn headline(headline: &HeadlineNumbers) -> PageTable {
    let count = |what: &str, count: u64| vec![what.to_owned(), written::count(count)];
    let [crawls, monitors] = headline.visits;
    let mut rows = vec![
        count("crawls", headline.crawls),
        count("visits of crawls", crawls),
        count("visits of monitors", monitors),
        count("peers visited", headline.peers),
        count("peers found in the network", headline.found),
        count("peers ever seen up", headline.seen_up),
        count("IP addresses connected to", headline.ips),
    ];
    let told = [
        (
            "peers visited by a crawl, mean",
            headline.visited_by_crawl.map(|mean| written_mean(mean, written::tenths)),
        ),
        (
            "peers reached by a crawl, mean",
            headline.reached_by_crawl.map(|mean| written_mean(mean, written::tenths)),
        ),
        (
            "share of the time that peers are up that ever were, mean",
            headline.up_share.map(|mean| written_mean(mean, written::percent)),
        ),
        ("half of stays last longer than", headline.median_stay_h.as_ref().map(hours)),
        ("stays last in the mean, as far as they were watched", headline.mean_stay_h.map(written_hours)),
    ];
    rows.extend(told.into_iter().map(|(what, told)| vec![what.to_owned(), told.unwrap_or_else(none)]));
    table("In numbers", &["", "over the period"], (1, rows))
}

/// `None` without an address that has several ids.
pub(super) fn rotating(rotating: &[RotatingIp]) -> Option<PageTable> {
    let row = |ip: &RotatingIp| vec![ip.ip.clone(), ip.agents.join(", "), written::count(ip.peers)];
    (!rotating.is_empty()).then(|| {
        table(
            "IP addresses with most ids",
            &["address", "programs", "ids"],
            (2, rotating.iter().map(row).collect()),
        )
    })
}

/// `None` if no peer said its program.
pub(super) fn updating(updating: &UpdatingNumbers) -> Option<String> {
    let peers = updating.peers?;
    Some(format!(
        "Of {} peers that said their program {} changed it ({}), {} times together, one of them {} times.",
        written::count(peers.n),
        written::count(peers.hits),
        share(peers),
        written::count(updating.changes),
        updating.most
    ))
}

/// The partition beside that of the weekly report.
pub(super) fn classes(classes: &ClassNumbers) -> PageTable {
    let mut rows: Vec<Vec<String>> = classes
        .partition
        .iter()
        .map(|of| {
            let weekly = classes
                .weekly_sql
                .iter()
                .find(|(class, _)| *class == of.class)
                .map_or(0, |(_, count)| *count);
            vec![
                of.class.name().to_owned(),
                written::count(of.share.hits),
                share(of.share),
                written::count(weekly),
            ]
        })
        .collect();
    rows.push(vec!["in none".to_owned(), "0".to_owned(), none(), written::count(classes.weekly_sql_none)]);
    table(
        "Peers by how they came and went",
        &["class", "peers", "share", "peers by the weekly report's SQL"],
        (1, rows),
    )
}

/// `ProbeLab`'s classes.
pub(super) fn availability(classes: &ClassNumbers) -> PageTable {
    let mut rows: Vec<Vec<String>> = classes
        .availability
        .iter()
        .map(|of| vec![of.class.name().replace('_', " "), written::count(of.share.hits), share(of.share)])
        .collect();
    rows.push(vec![
        "of these unclear, by what looks leave open".to_owned(),
        written::count(classes.availability_unclear),
        none(),
    ]);
    table(
        "Peers by the share of the time that they were up: at least 80 %, 40 %, 10 %, less",
        &["class", "peers", "share"],
        (1, rows),
    )
}

/// How long stays last.
pub(super) fn stays(churn: &ChurnNumbers) -> PageTable {
    let row = |curve: &ChurnCurve| {
        let [half, fifth] = &curve.quantiles;
        vec![
            curve.group.clone(),
            written::count(half.n),
            written::count(half.censored),
            hours(half),
            hours(fifth),
        ]
    };
    table(
        "Stays that began within the period",
        &["of", "n", "of these going on", "half last longer than", "a fifth lasts longer than"],
        (1, churn.overall.iter().chain(&churn.versions).map(row).collect()),
    )
}

/// `None` without two versions to compare.
pub(super) fn versions(churn: &ChurnNumbers) -> Option<PageTable> {
    let row = |alert: &VersionAlert| {
        let [version, before] = &alert.versions;
        let [new, old] =
            alert.medians_h.map(|median| median.map_or_else(|| "not reached".to_owned(), written_hours));
        let verdict = if alert.is_worse { "shorter" } else { "" };
        vec![
            version.clone(),
            before.clone(),
            new,
            old,
            format!("{:.2e}", alert.adjusted_p),
            verdict.to_owned(),
        ]
    };
    (!churn.compared.is_empty()).then(|| {
        table(
            "Each version against the one before it (log-rank, corrected by Holm)",
            &["version", "before it", "median", "median before", "p", "stays are"],
            (2, churn.compared.iter().map(row).collect()),
        )
    })
}

/// How long absences last, in words.
pub(super) fn away(arrivals: &ArrivalNumbers) -> String {
    let median = &arrivals.away_median_h;
    format!(
        "Of {} absences {} were not over at the last look; half are over after {}.",
        written::count(median.n),
        written::count(median.censored),
        hours(median)
    )
}

/// Shares by names.
pub(super) fn shares(caption: &str, shares: &[AgentShare]) -> PageTable {
    let row = |of: &AgentShare| vec![of.name.clone(), written::count(of.share.hits), share(of.share)];
    table(caption, &["", "peers", "share"], (1, shares.iter().map(row).collect()))
}

/// `None` if nobody's is known.
pub(super) fn round_trips(quantiles: &[Quantile]) -> Option<PageTable> {
    let row = |of: &Quantile| {
        let ms = |value: f64| format!("{value:.1} ms");
        vec![
            written::percent(of.share),
            written::within(of.value, [of.low, of.high], ms),
            written::count(of.n),
        ]
    };
    (!quantiles.is_empty()).then(|| {
        table(
            "The shortest round trip to each peer",
            &["of peers", "not longer than", "n"],
            (1, quantiles.iter().map(row).collect()),
        )
    })
}

fn hours(of: &Quantile) -> String {
    written::within(of.value, [of.low, of.high], written_hours)
}

fn written_hours(hours: f64) -> String {
    if hours < 1.0 { format!("{:.0} min", hours * 60.0) } else { format!("{hours:.1} h") }
}

fn written_mean(mean: Mean, value: fn(f64) -> String) -> String {
    written::within(Some(mean.mean), [mean.low, mean.high], value)
}

fn share(of: Proportion) -> String {
    written::within(Some(of.share), [Some(of.low), Some(of.high)], written::percent)
}

fn none() -> String {
    "–".to_owned()
}

fn table(caption: &str, head: &[&str], (numbers_from, rows): (usize, Vec<Vec<String>>)) -> PageTable {
    let head = head.iter().map(|name| (*name).to_owned()).collect();
    PageTable { caption: caption.to_owned(), head, rows, numbers_from }
}
