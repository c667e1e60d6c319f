//! The numbers as tables for people.

use estimate::{Proportion, Quantile, QuantileDifference};
use figure::{PageTable, written};

use super::{
    numbers::{FleetDifference, GroupNumbers, KindNumbers, PlacementNumbers},
    page::words,
};

/// Quantiles of groups with their intervals.
pub(super) fn quantiles(numbers: &KindNumbers, groups: &[GroupNumbers]) -> PageTable {
    let has = |of: fn(&GroupNumbers) -> bool| groups.iter().any(of);
    let (regions, policies) = (has(|group| group.region.is_some()), has(|group| group.policy.is_some()));
    let between = has(|group| !group.quantiles_at_least.is_empty());
    let mut head = vec!["fleet"];
    head.extend(regions.then_some("region"));
    head.extend(policies.then_some("connections"));
    let numbers_from = head.len();
    head.extend(["n", "apart", "cut short", "succeeded", "p50", "p90", "p99"]);
    head.extend(between.then_some(["p50 at least", "p90 at least"]).into_iter().flatten());
    let row = |group: &GroupNumbers| {
        let mut row = vec![group.fleet.clone()];
        row.extend(regions.then(|| group.region.clone().unwrap_or_default()));
        row.extend(policies.then(|| group.policy.clone().unwrap_or_else(|| "not said".to_owned())));
        let n = group.succeeded.map_or(0, |succeeded| succeeded.n);
        row.extend([n.to_string(), group.apart.to_string(), group.cut_short.to_string()]);
        row.push(group.succeeded.map_or_else(|| "–".to_owned(), share));
        row.extend((0..3).map(|index| quantile(group.quantiles.get(index))));
        let earlier = (0..2).filter(|_| between);
        row.extend(earlier.map(|index| quantile(group.quantiles_at_least.get(index))));
        row
    };
    let (what, time) = words(numbers.kind);
    let rows = groups.iter().map(row).collect();
    PageTable { caption: format!("{what}: {time}"), head: owned(&head), rows, numbers_from }
}

/// What came of all attempts.
pub(super) fn outcomes(numbers: &KindNumbers) -> PageTable {
    let row = |found: &super::numbers::OutcomeNumbers| {
        vec![
            found.fleet.clone(),
            found.outcome.name().replace('_', " "),
            found.share.hits.to_string(),
            found.share.n.to_string(),
            share(found.share),
        ]
    };
    let caption = format!("{}: what came of them", words(numbers.kind).0);
    let head = owned(&["fleet", "outcome", "attempts", "of", "share"]);
    PageTable { caption, head, rows: numbers.outcomes.iter().map(row).collect(), numbers_from: 2 }
}

/// Fleets against another one.
pub(super) fn differences(differences: &[FleetDifference]) -> PageTable {
    let row = |found: &FleetDifference| {
        vec![
            words(found.kind).0.to_owned(),
            found.fleet.clone(),
            found.against.clone(),
            found.median.map_or_else(|| "–".to_owned(), difference),
            found.log_rank.map_or_else(
                || "–".to_owned(),
                |test| if test.p < 1e-4 { "< 0.0001".to_owned() } else { format!("{:.4}", test.p) },
            ),
        ]
    };
    PageTable {
        caption: "By how much the median is later (earlier, if below zero), and how likely as large a difference is if both are alike (log-rank test)".to_owned(),
        head: owned(&["operations", "fleet", "against", "median later by", "p"]),
        rows: differences.iter().map(row).collect(),
        numbers_from: 3,
    }
}

/// Where records went.
pub(super) fn placements(placements: &[PlacementNumbers]) -> PageTable {
    let count = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.0}"));
    let row = |found: &PlacementNumbers| {
        let quartiles =
            found.size_quartiles.map_or_else(String::new, |[low, high]| format!(" ({low:.0}–{high:.0})"));
        vec![
            found.fleet.clone(),
            found.publications.to_string(),
            found.holders.map_or_else(|| "–".to_owned(), |holders| format!("{holders:.1}")),
            found.sent.map_or_else(|| "–".to_owned(), share),
            found.fewest_sent.map_or_else(|| "–".to_owned(), |fewest| fewest.to_string()),
            found.size_estimates.to_string(),
            count(found.size_median) + &quartiles,
        ]
    };
    PageTable {
        caption: "Peers that a record was to go to, the share that was sent it, and estimates of the network's size (median, quartiles)".to_owned(),
        head: owned(&["fleet", "publications", "holders", "sent", "fewest sent", "estimates", "peers in the network"]),
        rows: placements.iter().map(row).collect(),
        numbers_from: 1,
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// A quantile with its interval, in units that fit.
pub(super) fn quantile(quantile: Option<&Quantile>) -> String {
    let Some(Quantile { value, low, high, .. }) = quantile else { return "–".to_owned() };
    written::within(*value, [*low, *high], written::seconds)
}

fn difference(found: QuantileDifference) -> String {
    let Some(value) = found.difference else { return "–".to_owned() };
    let end = |end: Option<f64>| end.map_or_else(String::new, signed);
    format!("{} ({} to {})", signed(value), end(found.low), end(found.high))
}

fn signed(value: f64) -> String {
    let sign = if value < 0.0 { "−" } else { "+" };
    format!("{sign}{}", written::seconds(value.abs()))
}

/// A share with its interval.
pub(super) fn share(share: Proportion) -> String {
    written::within(Some(share.share), [Some(share.low), Some(share.high)], written::percent)
}
