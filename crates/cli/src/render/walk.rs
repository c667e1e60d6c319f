//! What random walks came to, for people.

use crawl::{NoWalkedSize, WalkSummary, WalkedSize};

use super::{
    table::heading,
    text::{counted, grouped},
};
use crate::output::Style;

/// The widest label, in columns.
const LABEL: usize = 24;

/// A block of lines: how large the network is.
pub(super) fn size(walk: &WalkSummary, style: Style) -> Vec<String> {
    let title = heading("How large", "the whole network, see docs/methodology/random-walk.md", style);
    let mut lines = vec![String::new(), title];
    let mut line = |label: &str, text: String| lines.push(format!("  {label:<LABEL$}{text}"));
    match (walk.answering, walk.named) {
        (Some(answering), Some(named)) => {
            line("peers that answer", said(answering));
            line("peers that are named", said(named));
        }
        _ => line("peers that answer", format!("no estimate: {}", why(walk.no_size_because))),
    }
    lines
}

/// The walks, and what they took.
pub(super) fn walks(walk: &WalkSummary) -> String {
    format!(
        "{}, {} to their end; {} and {} beside those of visits",
        counted(walk.walks, "walk", "walks"),
        grouped(walk.whole),
        counted(walk.asked, "request", "requests"),
        counted(walk.dialled, "dial", "dials"),
    )
}

fn said(size: WalkedSize) -> String {
    let WalkedSize { peers, low, high, n_walks } = size;
    let [peers, low, high] = [peers, low, high].map(|number| grouped(whole(number)));
    format!("{peers} ({low} to {high} with 95 % confidence, from {})", counted(n_walks, "walk", "walks"))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates; never negative")]
fn whole(number: f64) -> u64 {
    number.round() as u64
}

/// Why there is no size, in words.
fn why(reason: Option<NoWalkedSize>) -> &'static str {
    match reason {
        Some(NoWalkedSize::TooFewWalks) => "fewer than 5 walks came to their end",
        None => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_told_with_its_interval_and_what_there_is_none_of_with_its_reason() {
        let size_of = |peers| WalkedSize { peers, low: peers * 0.98, high: peers * 1.02, n_walks: 1_200 };
        let walk = WalkSummary {
            walks: 1_204,
            whole: 1_200,
            asked: 31_000,
            answered: 30_100,
            dialled: 8_000,
            named: Some(size_of(12_345.6)),
            answering: Some(size_of(9_876.5)),
            no_size_because: None,
        };
        insta::assert_snapshot!(size(&walk, Style::plain()).join("\n"), @r"

        How large  the whole network, see docs/methodology/random-walk.md
          peers that answer       9,877 (9,679 to 10,074 with 95 % confidence, from 1,200 walks)
          peers that are named    12,346 (12,099 to 12,593 with 95 % confidence, from 1,200 walks)
        ");
        insta::assert_snapshot!(walks(&walk), @"1,204 walks, 1,200 to their end; 31,000 requests and 8,000 dials beside those of visits");
        let none = WalkSummary { no_size_because: Some(NoWalkedSize::TooFewWalks), ..WalkSummary::default() };
        assert!(size(&none, Style::plain()).join("\n").contains("fewer than 5 walks"));
    }
}
