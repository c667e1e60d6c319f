//! A lookup: each request while it goes on, and what it came to.

use kad::lookup::{Rpc, RpcFate, Trace};

use super::{
    providers::{provider_lines, verdict},
    text::{bytes, duration, escaped, fit, grouped},
};
use crate::{
    command::{Answer, FoundRow, ValueRow},
    output::Style,
};

/// How much of an agent is shown beside a peer.
const AGENT_COLUMNS: usize = 20;

/// Shows the requests of a lookup as they end.
#[derive(Debug)]
pub(crate) struct Hops {
    style: Style,
    is_begun: bool,
}

impl Hops {
    /// Nothing was shown yet.
    pub(crate) const fn new(style: Style) -> Self {
        Self { style, is_begun: false }
    }

    /// The line of a request that has ended, under a heading if it is the first.
    pub(crate) fn line(&mut self, trace: &Trace, rpc: usize) -> String {
        let Some(rpc) = trace.rpcs.get(rpc) else { return String::new() };
        let line = self.row(trace, rpc);
        if std::mem::replace(&mut self.is_begun, true) {
            return line;
        }
        let heading = format!(
            "{:>3}  {:<10}  {:<10}  {:>3}  {:>8}  {:>8}  {}",
            "hop", "asked", "named by", "cpl", "dial", "answer", "came"
        );
        format!("{}\n{line}", self.style.dim(&heading))
    }

    fn row(&self, trace: &Trace, rpc: &Rpc) -> String {
        let name = |peer: u32| trace.peer(peer).map_or_else(String::new, |peer| short(&peer.to_string()));
        let by = rpc.heard_by.map_or_else(|| "(given)".to_owned(), name);
        let between = |from: Option<std::time::Duration>, to: Option<std::time::Duration>| match (from, to) {
            (Some(from), Some(to)) => duration(to.saturating_sub(from).as_secs_f64()),
            _ => "-".to_owned(),
        };
        let dial_end = rpc.sent.or(rpc.ended);
        format!(
            "{:>3}  {:<10}  {by:<10}  {:>3}  {:>8}  {:>8}  {}",
            rpc.hop,
            name(rpc.peer),
            rpc.common_prefix_len,
            between(Some(rpc.asked), dial_end),
            between(rpc.sent, rpc.ended),
            self.came(rpc),
        )
    }

    fn came(&self, rpc: &Rpc) -> String {
        if let Some(failure) = &rpc.failure {
            return self.style.red(failure.class.name());
        }
        if rpc.fate != RpcFate::Answered {
            return self.style.dim(rpc.fate.name());
        }
        let mut parts = vec![many(rpc.closer.len(), "peer")];
        if !rpc.providers.is_empty() {
            let without = rpc.providers.iter().filter(|named| !named.has_addresses).count();
            let remark = if without > 0 { format!(" ({without} without addresses)") } else { String::new() };
            parts.push(self.style.green(&(many(rpc.providers.len(), "provider") + &remark)));
        }
        if rpc.has_value {
            parts.push(self.style.green("the value"));
        }
        parts.join(", ")
    }
}

/// What a lookup came to.
pub(crate) fn lookup(answer: &Answer, style: Style) -> String {
    let mut lines = vec![style.bold(&headline(answer))];
    for found in &answer.found {
        match found {
            // The closest are listed below, with what is known of them.
            FoundRow::Peer { .. } if answer.kind == "closest" => {}
            FoundRow::Peer { addresses, .. } => {
                lines.extend(addresses.iter().map(|addr| format!("  {}", escaped(addr))));
            }
            FoundRow::Provider(provider) => lines.extend(provider_lines(provider, style)),
            FoundRow::Value(value) => lines.extend(value_lines(value, style)),
        }
    }
    if answer.kind == "closest" {
        lines.extend(closest(answer, style));
    }
    lines.push(String::new());
    lines.extend(cost(answer));
    if let Some(retrieval) = &answer.retrieval {
        lines.extend([String::new(), verdict(retrieval, style)]);
    }
    lines.join("\n") + "\n"
}

fn headline(answer: &Answer) -> String {
    let key = escaped(&answer.key);
    let count = answer.found.len();
    match (answer.kind, count) {
        ("closest", _) => format!("The {} closest to {key}", many(count, "peer")),
        ("peer", 0) => format!("Nobody who answered says where {key} is"),
        ("peer", _) => format!("{key} is at"),
        ("providers", 0) => {
            format!("Nobody who was asked has a record of {key}: nobody says that it is provided")
        }
        ("providers", _) => format!("{} of {key}", many(count, "provider")),
        (_, 0) => format!("Nobody who was asked has a value under {key} that holds"),
        (_, _) => format!("{} under {key}", many(count, "value")),
    }
}

fn closest(answer: &Answer, style: Style) -> Vec<String> {
    let row = |(number, peer): (usize, &crate::command::Closest)| {
        let agent =
            peer.agent.as_deref().map(|agent| fit(&escaped(agent), AGENT_COLUMNS)).unwrap_or_default();
        let remark = if peer.answered { agent } else { style.red("did not answer") };
        format!("{:>4}  {:<52}  {remark}", number + 1, peer.peer).trim_end().to_owned()
    };
    answer.closest.iter().enumerate().map(row).collect()
}

fn value_lines(value: &ValueRow, style: Style) -> Vec<String> {
    let best = if value.best { style.green("the best") } else { style.dim("older") };
    let sequence = value.sequence.map_or_else(String::new, |sequence| format!(", sequence {sequence}"));
    vec![
        format!("  {}", escaped(&value.value)),
        format!("    {best}, from {}{sequence}", many(value.holders, "peer")),
    ]
}

fn cost(answer: &Answer) -> Vec<String> {
    let rpcs = answer.rpcs;
    let hops = answer.hops.map_or_else(String::new, |hops| format!(" over {}", many(hops.into(), "hop")));
    let mut lines = vec![format!(
        "{} in {}{hops}: {} sent, {} answered, {} failed, {} could not be sent; {} sent, {} received",
        many(rpcs.sent + rpcs.unsent, "request"),
        duration(answer.duration_s),
        rpcs.sent,
        rpcs.answered,
        rpcs.failed,
        rpcs.unsent,
        bytes(answer.bytes.sent),
        bytes(answer.bytes.received),
    )];
    if !answer.errors.is_empty() {
        let named: Vec<String> =
            answer.errors.iter().map(|(class, count)| format!("{count} {class}")).collect();
        lines.push(format!("What went wrong: {}", named.join(", ")));
    }
    lines
}

/// The end of an id, which is what ids differ by.
pub(super) fn short(id: &str) -> String {
    let cut = id.char_indices().rev().nth(8).map_or(0, |(index, _)| index);
    format!("…{}", &id[cut..])
}

/// So many of them: `1 peer`, `20 peers`.
pub(super) fn many(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(count as u64))
}
