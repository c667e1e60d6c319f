//! What a crawl came to, for people.

use crawl::{Counts, Quantiles, Summary};
use schema::RunState;

use super::{
    completeness::completeness,
    table::{ShareOfWhole, Tone, fact, heading, ranked},
    text::{bytes, counted, duration, escaped, grouped},
    walk,
};
use crate::output::Style;

/// The most agents, and the most protocols, that are listed.
const MOST_NAMES: usize = 10;

/// The summary. `kept` says where the rows are.
pub(crate) fn summary(summary: &Summary, kept: &str, style: Style) -> String {
    let mut lines = vec![title(summary, style), String::new()];
    lines.extend(peers(summary, style));
    lines.extend(nat(summary, style));
    let reachable = summary.peers.reachable;
    let mut agents = summary.agents.clone();
    let silent = reachable.saturating_sub(agents.values().sum());
    if silent > 0 {
        agents.insert("(did not identify themselves)".to_owned(), silent);
    }
    section(&mut lines, "Agents", "of reachable peers", ranked(&agents, MOST_NAMES, reachable, style), style);
    let protocols = ranked(&summary.protocols, MOST_NAMES, reachable, style);
    section(&mut lines, "Protocols", "of reachable peers, which speak several", protocols, style);
    section(&mut lines, "Connections", "by transport, security and IP", connections(summary, style), style);
    let failed = ranked(&summary.crawl_errors, MOST_NAMES, reachable, style);
    section(&mut lines, "Unanswered", "of reachable peers, by what went wrong first", failed, style);
    lines.extend(completeness(summary, style));
    lines.extend(summary.walk.iter().flat_map(|walk| walk::size(walk, style)));
    lines.push(String::new());
    lines.extend(facts(summary, kept, style));
    lines.push(String::new());
    lines.join("\n")
}

fn section(lines: &mut Vec<String>, title: &str, remark: &str, content: Vec<String>, style: Style) {
    if !content.is_empty() {
        lines.extend([String::new(), heading(title, remark, style)]);
        lines.extend(content);
    }
}

fn title(summary: &Summary, style: Style) -> String {
    let (verb, tone): (_, fn(Style, &str) -> String) = match summary.state {
        RunState::Succeeded => ("done", Style::green),
        RunState::Cancelled => ("cut short", Style::red),
        RunState::Interrupted => ("interrupted: rows were lost", Style::red),
        _ => ("failed", Style::red),
    };
    format!(
        "{} of {} {} after {}",
        style.bold(if summary.walk.is_some() { "Random walk" } else { "Crawl" }),
        style.bold(&escaped(&summary.network)),
        tone(style, verb),
        duration(summary.duration_s)
    )
}

/// Every peer in one line, and the lines add up.
fn peers(summary: &Summary, style: Style) -> Vec<String> {
    let peers = summary.peers;
    let line =
        |label: &str, count, tone| ShareOfWhole { label, count, whole: peers.discovered, tone }.line(style);
    let all = ShareOfWhole { label: "Peers", count: peers.discovered, whole: 0, tone: Tone::Neutral };
    let mut lines = vec![
        style.bold(&all.line(style)),
        line("  reachable", peers.reachable, Tone::Good),
        line("    answered requests", peers.crawled, Tone::Good),
        line("  unreachable", peers.unreachable, Tone::Bad),
    ];
    lines.extend(
        most_first(&summary.errors).map(|(name, count)| line(&format!("    {name}"), count, Tone::Bad)),
    );
    if peers.turned_away > 0 {
        lines.push(line("  there, but turned us away", peers.turned_away, Tone::Neutral));
        let evidence = most_first(&summary.turned_away);
        lines.extend(evidence.map(|(name, count)| line(&format!("    {name}"), count, Tone::Neutral)));
    }
    if peers.unvisited > 0 {
        lines.push(line("  not visited", peers.unvisited, Tone::Neutral));
    }
    lines
}

fn most_first(counts: &Counts) -> impl Iterator<Item = (&String, u64)> {
    let mut sorted: Vec<(&String, u64)> = counts.iter().map(|(name, &count)| (name, count)).collect();
    sorted.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    sorted.into_iter()
}

fn connections(summary: &Summary, style: Style) -> Vec<String> {
    let all: u64 = summary.transports.values().sum();
    let certificates: Counts =
        summary.certificates.iter().map(|(name, &count)| (format!("certificate: {name}"), count)).collect();
    [&summary.transports, &summary.security, &certificates, &summary.ip_versions]
        .into_iter()
        .flat_map(|counts: &Counts| ranked(counts, MOST_NAMES, all, style))
        .collect()
}

fn facts(summary: &Summary, kept: &str, style: Style) -> Vec<String> {
    let Summary { requests, visits, peers, .. } = summary;
    let repeated = visits.all() - visits.first;
    let all = visits.all();
    let mut facts = vec![match &summary.walk {
        Some(walk) => ("Walks", walk::walks(walk)),
        None => ("Edges", edges(summary)),
    }];
    facts.extend(summary.rtt_ms.map(|rtt| ("Round trips", round_trips(rtt))));
    facts.extend([
        (
            "Visits",
            format!(
                "{}, {} of them repeated, which reached {} more",
                grouped(all),
                grouped(repeated),
                grouped(visits.recovered)
            ),
        ),
        (
            "Requests",
            format!(
                "{} sent, {} failed, {} saved",
                grouped(requests.sent),
                grouped(requests.failed),
                grouped(requests.saved)
            ),
        ),
        (
            "Traffic",
            format!("{} sent, {} received", bytes(summary.bytes.sent), bytes(summary.bytes.received)),
        ),
        (
            "Time",
            format!(
                "{}, {:.0} visits/s",
                duration(summary.duration_s),
                all as f64 / summary.duration_s.max(1e-6)
            ),
        ),
    ]);
    facts.extend(longer(summary).map(|longer| ("Tables", longer)));
    facts.extend(
        cost(summary, peers.reachable + peers.turned_away + peers.unreachable).map(|cost| ("Cost", cost)),
    );
    facts.extend(left_out(summary).map(|left_out| ("Left out", left_out)));
    if summary.opt_out_entries > 0 {
        facts.push((
            "Opt-out lists",
            format!("{} in force", counted(summary.opt_out_entries, "entry", "entries")),
        ));
    }
    facts.push(("Kept", kept_rows(summary, kept)));
    facts.into_iter().map(|(label, text)| fact(label, &text, style)).collect()
}

/// Where the rows are, and how many visits if not all.
fn kept_rows(summary: &Summary, place: &str) -> String {
    match summary.kept_visits {
        Some(kept) if summary.state == RunState::Interrupted => {
            format!("{} of {} in {place}", grouped(kept), counted(summary.visits.all(), "visit", "visits"))
        }
        _ => place.to_owned(),
    }
}

fn edges(summary: &Summary) -> String {
    let crawled = summary.peers.crawled;
    match crawled {
        0 => grouped(summary.edges),
        _ => format!(
            "{}, {:.1} from each peer that answered",
            grouped(summary.edges),
            summary.edges as f64 / crawled as f64
        ),
    }
}

/// How many tables were not read to an end that is known; `None` if there are none.
fn longer(summary: &Summary) -> Option<String> {
    let count = summary.longer_tables;
    (count > 0)
        .then(|| format!("{} may be longer than what was read (--whole-tables asks on)", grouped(count)))
}

fn round_trips(rtt: Quantiles) -> String {
    let Quantiles { p50, p90, p99, n } = rtt;
    let [p50, p90, p99] = [p50, p90, p99].map(|ms| duration(ms / 1000.0));
    format!("half within {p50}, 90 % {p90}, 99 % {p99} ({} measured)", grouped(n))
}

fn cost(summary: &Summary, visited: u64) -> Option<String> {
    let cpu = summary.cpu_s?;
    let each = if visited == 0 { 0.0 } else { cpu / visited as f64 };
    let memory = summary.peak_rss_bytes.map(|peak| format!(", {} of memory at most", bytes(peak)));
    Some(format!("{} of CPU, {} for each peer{}", duration(cpu), duration(each), memory.unwrap_or_default()))
}

/// Unreachable peers that are not called down, and why: by class, with their share of all peers. Empty if there are none.
fn nat(summary: &Summary, style: Style) -> Vec<String> {
    let (all, whole) = (summary.nat.values().sum(), summary.peers.discovered);
    if all == 0 {
        return Vec::new();
    }
    let line = |label: &str, count| ShareOfWhole { label, count, whole, tone: Tone::Neutral }.line(style);
    let classes = summary.nat.iter().filter(|(_, count)| **count > 0);
    let mut lines =
        vec![String::new(), heading("Behind NAT", "or a firewall: unreachable, but not called down", style)];
    lines.push(line("  all", all));
    lines.extend(classes.map(|(class, &count)| line(&format!("    {class}"), count)));
    lines
}

/// What peers said and is not in the numbers; `None` if there is nothing to say.
fn left_out(summary: &Summary) -> Option<String> {
    let said = |(kind, count)| {
        let (one, several) = describe(kind)?;
        Some(counted(count, one, several))
    };
    let kinds = summary.left_out.kinds();
    let parts: Vec<String> = kinds.into_iter().filter(|(_, count)| *count > 0).filter_map(said).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// A kind of what is left out, in words for one and for several; `None` if another says the same.
fn describe(kind: &str) -> Option<(&str, &str)> {
    Some(match kind {
        "over_max_peers" => ("mention of peers beyond --max-peers", "mentions of peers beyond --max-peers"),
        "over_visit_size" => {
            ("entry beyond what is kept of one visit", "entries beyond what is kept of one visit")
        }
        "peers_in_answer" => {
            ("peer beyond what is taken from one answer", "peers beyond what is taken from one answer")
        }
        "malformed_ids" => ("mention of malformed ids", "mentions of malformed ids"),
        "addresses_of_peer" => {
            ("address beyond what is kept of one peer", "addresses beyond what is kept of one peer")
        }
        "long_addresses" => ("address that is too long", "addresses that are too long"),
        "malformed_addresses" => {
            ("malformed address beyond what is kept", "malformed addresses beyond what is kept")
        }
        "protocols" => {
            ("protocol beyond what is kept of one peer", "protocols beyond what is kept of one peer")
        }
        "listen_addrs" => (
            "listen address beyond what is kept of one peer",
            "listen addresses beyond what is kept of one peer",
        ),
        "long_texts" => ("text that was cut", "texts that were cut"),
        "dns_entries" => {
            ("entry of names beyond what is followed", "entries of names beyond what is followed")
        }
        "opted_out_peers" => ("peer that opted out", "peers that opted out"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
