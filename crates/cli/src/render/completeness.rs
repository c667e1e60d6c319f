//! How complete a crawl is, for people.

use crawl::Summary;
use estimate::{Completeness, Estimate, InDegree, Method, NoEstimate};

use super::{
    table::heading,
    text::{counted, grouped, percent},
};
use crate::output::Style;

/// The widest label, in columns.
const LABEL: usize = 24;

/// A block of lines; empty if no table was read.
pub(super) fn completeness(summary: &Summary, style: Style) -> Vec<String> {
    let Completeness { late_share, late_peers, in_degree, estimate, no_estimate_because } =
        summary.completeness;
    if late_share.is_none() {
        return Vec::new();
    }
    let mut lines =
        vec![String::new(), heading("How complete", "see docs/methodology/completeness.md", style)];
    let mut line = |label: &str, text: String| lines.push(format!("  {label:<LABEL$}{text}"));
    match (estimate, no_estimate_because) {
        (Some(estimate), _) => missed(estimate, &mut line),
        (None, reason) => line("missed, reachable", format!("no estimate: {}", why(reason))),
    }
    let late = late_share.map_or_else(String::new, |share| {
        format!("{} of peers in the last tenth of the tables", share_of_one(share))
    });
    line("first heard of late", late);
    line("", format!("{} in the last hundredth", counted(late_peers, "peer", "peers")));
    let mut degree = |label: &str, degree: Option<InDegree>| {
        if let Some(InDegree { median, once_share, .. }) = degree {
            let once = share_of_one(once_share);
            line(label, format!("in {} (median), {once} of them in one", counted(median, "table", "tables")));
        }
    };
    degree("reachable peers", in_degree.reachable);
    degree("unreachable peers", in_degree.unreachable);
    lines
}

fn missed(estimate: Estimate, line: &mut impl FnMut(&str, String)) {
    let Estimate { missed, low, high, method, n_tables, n_peers, .. } = estimate;
    let all = n_peers as f64 + missed;
    let share = if all > 0.0 { share_of_one(missed / all) } else { share_of_one(0.0) };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates; never negative")]
    let best = missed.round() as u64;
    let bound = if method == Method::NoneOnce { "about" } else { "at least about" };
    line("missed, reachable", format!("{bound} {} ({share} of all)", counted(best, "peer", "peers")));
    line("", format!("{} to {} with 95 % confidence", grouped(low), grouped(high)));
    line("", format!("from {} tables, by {}", grouped(n_tables), method.name()));
}

/// Why there is no estimate, in words.
fn why(reason: Option<NoEstimate>) -> &'static str {
    match reason {
        Some(NoEstimate::CutShort) => "the crawl was cut short",
        Some(NoEstimate::PeersLeftOut) => "peers were left out (--max-peers)",
        Some(NoEstimate::TooFewTables) => "fewer than 30 tables were read",
        Some(NoEstimate::NoneTwice) => "no peer stands in two tables",
        Some(NoEstimate::CoverageTooLow) => "the tables overlap too little",
        Some(NoEstimate::CapturesTooUneven) => "tables name peers too unevenly",
        None => "unknown",
    }
}

/// A share from 0 to 1 as percent.
fn share_of_one(share: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range")]
    let parts = (share.clamp(0.0, 1.0) * 1e9).round() as u64;
    percent(parts, 1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_words() {
        let words: Vec<&str> = NoEstimate::ALL.iter().map(|&reason| why(Some(reason))).collect();
        assert!(words.iter().all(|words| !words.is_empty() && words.len() <= 38), "{words:?}");
    }

    #[test]
    fn shares_are_percent() {
        assert_eq!([0.0, 0.5, 1.0, 0.0001].map(share_of_one), ["0.0 %", "50.0 %", "100.0 %", "0.1 %"]);
    }
}
