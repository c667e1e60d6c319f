//! One peer as it was looked at.

use super::text::{duration, escaped};
use crate::{
    command::{AddressRow, PeerRow},
    output::Style,
};

/// The most protocols that are listed.
const MOST_PROTOCOLS: usize = 40;

/// What was seen of a peer.
pub(crate) fn ping(row: &PeerRow, style: Style) -> String {
    let mut lines = vec![style.bold(&row.peer), format!("  {}", verdict(row, style))];
    for address in &row.addresses {
        lines.extend(address_lines(address, style).into_iter().map(|line| format!("  {line}")));
    }
    if row.addresses.is_empty() {
        lines.push("  nobody who answered says where it is".to_owned());
    }
    if let Some(observed) = &row.observed_address {
        lines.push(format!("  it sees us at {}", escaped(observed)));
    }
    if !row.protocols.is_empty() {
        let mut listed: Vec<String> =
            row.protocols.iter().take(MOST_PROTOCOLS).map(|name| escaped(name)).collect();
        listed.sort_unstable();
        let more = row.protocols.len().saturating_sub(MOST_PROTOCOLS);
        lines.push(format!("  it speaks {}", style.dim(&wrapped(&listed))));
        if more > 0 {
            lines.push(format!("            and {more} more"));
        }
    }
    lines.join("\n") + "\n\n"
}

fn verdict(row: &PeerRow, style: Style) -> String {
    let agent = row.agent.as_deref().filter(|agent| !agent.is_empty()).map(escaped);
    let agent = agent.map_or_else(String::new, |agent| format!(", {agent}"));
    match (row.reachable, row.server) {
        (true, true) => format!("{}, a server of this network{agent}", style.green("reachable")),
        (true, false) => format!("{}, no server of this network{agent}", style.green("reachable")),
        (false, _) => style.red("unreachable"),
    }
}

/// The address on a line, and what came of it on another: addresses are long.
pub(super) fn address_lines(row: &AddressRow, style: Style) -> Vec<String> {
    let came = match (row.outcome, row.error) {
        ("connected", _) => {
            let over = [row.transport, row.security].into_iter().flatten().collect::<Vec<_>>().join(" with ");
            let ms = |label: &str, ms: Option<f64>| ms.map(|ms| format!("{label} {}", duration(ms / 1e3)));
            let ping = ms("ping", row.ping_ms)
                .or_else(|| row.ping_error.map(|error| format!("no answer ({error})")));
            let times = [ms("dialled in", row.dial_ms), ms("round trip", row.rtt_ms), ping];
            format!(
                "{} over {over}: {}",
                style.green("connected"),
                times.into_iter().flatten().collect::<Vec<_>>().join(", ")
            )
        }
        ("skipped", reason) => style.dim(&format!("not dialled: {}", reason.unwrap_or_default())),
        (_, error) => {
            let phase = row.phase.map_or_else(String::new, |phase| format!(" while in phase {phase}"));
            let detail =
                row.detail.as_deref().map_or_else(String::new, |detail| format!(" ({})", escaped(detail)));
            format!("{}{phase}{detail}", style.red(error.unwrap_or("failed")))
        }
    };
    vec![escaped(&row.address), format!("    {came}")]
}

/// Names on as many lines as they take.
fn wrapped(names: &[String]) -> String {
    const COLUMNS: usize = 66;
    let mut lines = vec![String::new()];
    for name in names {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + name.chars().count() > COLUMNS {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(name);
        }
    }
    lines.join("\n            ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(outcome: &'static str, error: Option<&'static str>) -> AddressRow {
        AddressRow {
            address: "/ip4/127.0.0.1/tcp/4001".to_owned(),
            outcome,
            phase: error.map(|_| "connect"),
            error,
            detail: None,
            transport: (outcome == "connected").then_some("tcp"),
            security: (outcome == "connected").then_some("noise"),
            dial_ms: Some(12.5),
            rtt_ms: Some(0.25),
            rtt_source: Some("tcp_info"),
            ping_ms: (outcome == "connected").then_some(13.0),
            ping_error: None,
        }
    }

    #[test]
    fn a_peer_is_shown_whole() {
        let row = PeerRow {
            peer: "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN".to_owned(),
            reachable: true,
            server: true,
            agent: Some("kubo/0.43.0/\x1b".to_owned()),
            protocols: vec!["/ipfs/kad/1.0.0".to_owned(), "/ipfs/id/1.0.0".to_owned()],
            listen_addresses: Vec::new(),
            observed_address: Some("/ip4/127.0.0.1/tcp/40000".to_owned()),
            addresses: vec![
                address("connected", None),
                address("failed", Some("connection_refused")),
                address("skipped", Some("private")),
            ],
        };
        insta::assert_snapshot!(ping(&row, Style::plain()));
    }
}
