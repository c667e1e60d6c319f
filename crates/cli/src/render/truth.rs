//! A crawl beside the truth, for people.

use std::collections::BTreeMap;

use testnet::{Verdict, life::EventKind, truth::StateCount};

use super::{table::heading, text::grouped};
use crate::{
    command::{Churn, During, Judged},
    output::Style,
};

/// Columns of a label.
const LABEL: usize = 28;

/// Columns of a number.
const NUMBER: usize = 10;

/// How right a crawl was.
pub(crate) fn truth(judged: &Judged, style: Style) -> String {
    match judged {
        Judged::Still(verdict) => of_still(verdict, style),
        Judged::During(during) => of_life(during, style),
    }
}

/// Over all, and for each kind of peer.
fn of_still(verdict: &Verdict, style: Style) -> String {
    let mut lines =
        vec![String::new(), heading("Beside the truth", "of which the crawl was not told", style)];
    lines.extend(over_all(verdict, style));
    lines.extend([String::new(), heading("What each peer does", "and what there is to say of it", style)]);
    lines.push(style.dim(&line("", &["peers", "right"].map(str::to_owned))));
    lines.extend(verdict.states.iter().map(|count| state(count, style)));
    lines.push(String::new());
    lines.join("\n")
}

/// What was said of peers that came and went, beside what held at some moment of each visit.
fn of_life(during: &During, style: Style) -> String {
    let During { verdict, churn } = during;
    let heading = heading("Beside the truth", "at some moment of each visit, since peers come and go", style);
    let mut lines = came_and_went(churn, style);
    lines.extend([
        String::new(),
        heading,
        style.dim(&line("", &["judged", "wrong"].map(str::to_owned))),
        marked("what visits came to", &[verdict.visits, verdict.wrong_outcomes], style),
        marked("neighbors that were named", &[verdict.edges, verdict.edges_never_listed], style),
        marked("those to be seen throughout", &[verdict.edges_expected, verdict.edges_missed], style),
        marked("peers to be found throughout", &[verdict.peers_expected, verdict.peers_missed], style),
        marked("peers that exist", &[verdict.visits, verdict.peers_invented], style),
        String::new(),
    ]);
    lines.join("\n")
}

/// Who came and went before the crawl and during it, and what that makes of its numbers.
fn came_and_went(churn: &Churn, style: Style) -> Vec<String> {
    let count = |counts: &BTreeMap<&str, u64>, kind: EventKind| {
        grouped(counts.get(kind.name()).copied().unwrap_or_default())
    };
    let mut lines = vec![
        String::new(),
        heading("Who came and went", "and left tables behind that follow late", style),
        style.dim(&line("", &["before", "during"].map(str::to_owned))),
    ];
    lines.extend(
        EventKind::ALL.iter().map(|&kind| {
            line(what_happened(kind), &[count(&churn.before, kind), count(&churn.during, kind)])
        }),
    );
    lines.push(line("ids up, at start and end", &[grouped(churn.up_at_start), grouped(churn.up_at_end)]));
    lines.push(format!(
        "  of {} ids. The others are down, or never came: those that stand in a table still, or at an",
        grouped(churn.ids)
    ));
    lines.push("  address or under an id that they have left, are the unreachable ones above.".to_owned());
    lines
}

const fn what_happened(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Entered => "came for the first time",
        EventKind::Up => "returned",
        EventKind::Moved => "returned elsewhere",
        EventKind::Rotated => "came under a new id",
        EventKind::Down => "went",
        EventKind::Left => "went for good",
    }
}

fn over_all(verdict: &Verdict, style: Style) -> Vec<String> {
    let (peers, edges) = (verdict.peers, verdict.edges);
    let wrong = verdict.wrongly_reachable + verdict.wrongly_unreachable;
    let all = verdict.peers.found + verdict.peers_beyond + verdict.announced_fakes;
    let known = verdict.peers.found + verdict.peers_beyond;
    let right_or_wrong = |label, wrong: u64| marked(label, &[known.saturating_sub(wrong), wrong], style);
    let mut lines = vec![
        style.dim(&line("", &["found", "missed", "invented"].map(str::to_owned))),
        marked("peers", &[peers.found, peers.missed, verdict.peers_invented], style),
        marked("edges", &[edges.found, edges.missed, verdict.edges_invented], style),
        style.dim(&line("", &["right", "wrong"].map(str::to_owned))),
        marked("reachable or not", &[all.saturating_sub(wrong), wrong], style),
        right_or_wrong("agent and protocols", verdict.wrong_identities),
        right_or_wrong("addresses", verdict.wrong_addresses),
    ];
    let heard = [
        (verdict.peers_beyond, "that only liars or silent peers know"),
        (verdict.announced_fakes, "that liars made up"),
    ];
    lines.extend(
        heard
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, whom)| format!("  heard of {} more peers {whom}", grouped(*count))),
    );
    lines
}

/// A line whose numbers but for the first should be 0.
fn marked(label: &str, numbers: &[u64], style: Style) -> String {
    let is_right = numbers.iter().skip(1).all(|&number| number == 0);
    let mark = if is_right { style.green("all right") } else { style.red("not all right") };
    let mut cells: Vec<String> = numbers.iter().copied().map(grouped).collect();
    cells.resize(3, String::new());
    format!("{}  {mark}", line(label, &cells))
}

fn line(label: &str, cells: &[String]) -> String {
    cells.iter().fold(format!("  {label:<LABEL$}"), |line, cell| format!("{line}{cell:>NUMBER$}"))
}

fn state(count: &StateCount, style: Style) -> String {
    let numbers = line(&count.state, &[grouped(count.peers), grouped(count.right)]);
    let reach = if count.reachable { "reachable" } else { "unreachable" };
    let promise = match count.classes {
        [] => reach.to_owned(),
        classes => format!("{reach}, {}", classes.join(" or ")),
    };
    if count.right == count.peers {
        format!("{numbers}  {promise}")
    } else {
        format!("{}  {promise}", style.red(&numbers))
    }
}

#[cfg(test)]
mod tests {
    use testnet::DuringVerdict;

    use super::*;

    fn verdict() -> Verdict {
        let mut verdict = Verdict { wrongly_unreachable: 2, announced_fakes: 40, ..Verdict::default() };
        (verdict.peers.expected, verdict.peers.found) = (1000, 1000);
        (verdict.edges.expected, verdict.edges.found, verdict.edges.missed) = (20_400, 20_399, 1);
        let refusing = StateCount {
            state: "refusing".to_owned(),
            peers: 60,
            found: 60,
            right: 58,
            reachable: false,
            classes: &["connection_refused"],
        };
        let online = StateCount {
            state: "online".to_owned(),
            peers: 940,
            found: 940,
            right: 940,
            reachable: true,
            classes: &[],
        };
        verdict.states = vec![online, refusing];
        verdict
    }

    #[test]
    fn what_is_wrong_shows() {
        insta::assert_snapshot!(truth(&Judged::Still(Box::new(verdict())), Style::plain()));
    }

    #[test]
    fn what_was_wrong_at_every_moment_shows() {
        let verdict =
            DuringVerdict { visits: 600, wrong_outcomes: 2, edges: 41_000, ..DuringVerdict::default() };
        let churn = Churn {
            ids: 600,
            up_at_start: 431,
            up_at_end: 433,
            before: [("up", 12), ("down", 13)].into(),
            during: [("up", 5), ("left", 3)].into(),
        };
        insta::assert_snapshot!(truth(&Judged::During(Box::new(During { verdict, churn })), Style::plain()));
    }
}
