//! Why an operation took as long as it did, as a waterfall of its critical path; and who holds up most over many of them.

use std::time::Duration;

use perf::{
    AcceptedShare, Operation, OperationRequest,
    explain::{Culprit, ExplainSummary, HeldUpBy, PathPiece, PathWait},
};

use super::{
    lookup::{many, short},
    text::{bar, bytes, columns, counted, duration, escaped, fit, grouped, left, right},
};
use crate::{command::ExplainedOperation, output::Style};

/// Columns of a time.
const TIME: usize = 9;

/// Columns of what was waited for, with the part of the operation.
const WAIT: usize = 19;

/// Columns of a peer.
const PEER: usize = 10;

/// Columns of what a peer calls its program, where there is room for it.
const AGENT: usize = 16;

/// The fewest columns of the waterfall, and the most.
const WATERFALL: (usize, usize) = (12, 40);

/// One operation: what it did, who held it up, and what it waited for.
pub(crate) fn explained(explained: &ExplainedOperation, style: Style) -> String {
    let ExplainedOperation { fleet, region, operation } = explained;
    let place = if region.is_empty() { fleet.clone() } else { format!("{fleet}, {region}") };
    let title = format!("{} {}", operation.kind, operation.id);
    let how = format!(
        "{}, {}, {} connections, by {}",
        operation.outcome,
        time(operation.took),
        operation.policy,
        operation.strategy
    );
    let mut lines = vec![style.bold(&title), format!("  {how} ({})", escaped(&place))];
    lines.extend(operation.failure.iter().map(|failure| format!("  {}", style.red(&escaped(failure)))));
    lines.extend(counts(operation));
    lines.extend(operation.culprit.iter().flat_map(|culprit| blamed(operation, culprit, style)));
    let agents = operation.critical_path.iter().any(|piece| agent(operation, piece).is_some());
    let layout = Layout::of(style, agents);
    lines.push(String::new());
    lines.push(style.dim(&layout.heading()));
    let rows = operation.critical_path.iter().map(|piece| layout.line(operation, piece, style));
    lines.extend(rows);
    lines.join("\n") + "\n"
}

/// A time, to the tenth of a second where it is some seconds.
fn time(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if (9.95..999.95).contains(&seconds) => format!("{seconds:.1} s"),
        seconds => duration(seconds),
    }
}

/// What it cost.
fn counts(operation: &Operation) -> Vec<String> {
    let counts = operation.counts;
    let some = |count: u32, what: &str| (count > 0).then(|| format!("{} {what}", grouped(count.into())));
    let parts = [some(counts.failed, "failed"), some(counts.wasted, "not needed")];
    let of_these: Vec<String> = parts.into_iter().flatten().collect();
    let remark = if of_these.is_empty() { String::new() } else { format!(" ({})", of_these.join(", ")) };
    let mut asked = vec![many(counts.asked as usize, "request") + &remark];
    asked.push(many(counts.dials as usize, "dial"));
    asked.extend(some(counts.failed_dials, "in vain"));
    asked.extend(operation.hops.map(|hops| many(hops as usize, "hop")));
    let mut cost = vec![format!("{} in", bytes(counts.bytes_in)), format!("{} out", bytes(counts.bytes_out))];
    if !operation.cpu.is_zero() {
        cost.push(format!("{} of a core", duration(operation.cpu.as_secs_f64())));
    }
    if counts.holders > 0 {
        cost.push(format!("record sent to {} of {}", counts.holders_sent, counts.holders));
    }
    vec![format!("  {}", asked.join(", ")), format!("  {}", cost.join(", "))]
}

/// Who held it up.
fn blamed(operation: &Operation, culprit: &Culprit, style: Style) -> Vec<String> {
    let asked = operation.requests.iter().rfind(|request| request.peer == culprit.peer);
    let program =
        asked.and_then(|request| request.agent.as_deref()).map(|agent| format!(" ({})", escaped(agent)));
    let what = match (culprit.phase, &culprit.failure) {
        (PathWait::Dial, Some(failure)) => format!("its dial failed: {}", failure.class),
        (PathWait::Dial, None) => "its dial was slow".to_owned(),
        (PathWait::Answer, Some(failure)) => format!("it did not answer: {}", failure.class),
        (PathWait::Answer, None) => "its answer was slow".to_owned(),
        (phase, Some(failure)) => format!("{phase}: {}", failure.class),
        (phase, None) => format!("{phase} took long"),
    };
    let rule = if culprit.wait == culprit.phase { String::new() } else { format!(", by {}", culprit.wait) };
    let mut lines = vec![
        format!("  {} {}{}", style.red("held up by"), culprit.peer, program.unwrap_or_default()),
        format!("    for {}: {what} (in {}{rule})", time(culprit.held), culprit.part),
    ];
    if culprit.alike > 0 {
        lines.push(format!(
            "    {} held it up just as long",
            counted(culprit.alike.into(), "other", "others")
        ));
    }
    lines.extend(culprit.faster_by.map(|faster| match faster {
        Duration::ZERO => "    without this peer it would have taken as long".to_owned(),
        faster => format!("    without this peer: {} faster", time(faster)),
    }));
    lines
}

/// Which columns there is room for.
struct Layout {
    agent: usize,
    waterfall: usize,
}

impl Layout {
    fn of(style: Style, has_agents: bool) -> Self {
        let base = 2 + TIME + 2 + TIME + 2 + WAIT + 2 + PEER;
        let room = style.columns().saturating_sub(base);
        let wanted = if has_agents { AGENT + 2 } else { 0 };
        let agent = if room >= wanted + 2 + WATERFALL.0 { wanted.saturating_sub(2) } else { 0 };
        let room = room.saturating_sub(if agent > 0 { agent + 2 } else { 0 } + 2);
        let waterfall = if room < WATERFALL.0 { 0 } else { room.min(WATERFALL.1) };
        Self { agent, waterfall }
    }

    fn heading(&self) -> String {
        let agent = if self.agent > 0 { format!("  {}", left("program", self.agent)) } else { String::new() };
        let line = format!(
            "  {}  {}  {}  {}{agent}",
            right("from", TIME),
            right("took", TIME),
            left("waiting for", WAIT),
            left("peer", PEER)
        );
        line.trim_end().to_owned()
    }

    fn line(&self, operation: &Operation, piece: &PathPiece, style: Style) -> String {
        let peer = piece.peer.map_or_else(String::new, |peer| short(&peer.to_string()));
        let what = format!("{}: {}", piece.part, piece.wait);
        let agent = if self.agent > 0 {
            let agent = agent(operation, piece).map_or_else(String::new, escaped);
            format!("  {}", left(&fit(&agent, self.agent), self.agent))
        } else {
            String::new()
        };
        let start = format!(
            "  {}  {}  {}  {}{agent}",
            right(&time(piece.from), TIME),
            right(&time(piece.took()), TIME),
            left(&what, WAIT),
            left(&peer, PEER)
        );
        format!("{start}  {}", self.block(operation, piece, style)).trim_end().to_owned()
    }

    /// The piece on the line of time.
    fn block(&self, operation: &Operation, piece: &PathPiece, style: Style) -> String {
        let all = operation.took.as_secs_f64();
        if self.waterfall == 0 || all <= 0.0 {
            return String::new();
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of some columns"
        )]
        let indent = (piece.from.as_secs_f64() / all * self.waterfall as f64).floor() as usize;
        let indent = indent.min(self.waterfall - 1);
        let block = bar(piece.took().as_secs_f64() / all, self.waterfall);
        let block = fit(&block, self.waterfall - indent);
        let is_blamed = operation.culprit.as_ref().is_some_and(|culprit| piece.peer == Some(culprit.peer));
        let block = if is_blamed { style.red(&block) } else { style.blue(&block) };
        " ".repeat(indent) + &block
    }
}

/// What the peer of a piece calls its program.
fn agent<'a>(operation: &'a Operation, piece: &PathPiece) -> Option<&'a str> {
    let is_it = |request: &&OperationRequest| Some(request.peer) == piece.peer;
    operation.requests.iter().filter(is_it).find_map(|request| request.agent.as_deref())
}

/// What many operations waited for, and for whom.
pub(crate) fn held_up(summary: &ExplainSummary, style: Style) -> String {
    let title = format!(
        "{}, {} in all; {} held up",
        counted(summary.operations, "operation", "operations"),
        duration(summary.took_s),
        grouped(summary.held_up)
    );
    let mut lines = vec![style.bold(&title)];
    if !summary.waits.is_empty() {
        lines.push(style.dim("  what they waited for"));
    }
    let room = style.columns().saturating_sub(2 + WAIT + 2 + TIME + 2 + 7 + 2).min(30);
    lines.extend(summary.waits.iter().map(|wait| {
        let what = left(&format!("{}: {}", wait.part, wait.wait), WAIT);
        let share = format!("{:.1} %", wait.share * 100.0);
        let bar = style.blue(&bar(wait.share, room));
        format!("  {what}  {}  {}  {bar}", right(&duration(wait.took_s), TIME), right(&share, 7))
            .trim_end()
            .to_owned()
    }));
    lines.extend(names("who held them up", &summary.peers, style));
    lines.extend(names("whose programs", &summary.agents, style));
    lines.extend(names("what took so long, and what came of it", &summary.reasons, style));
    if !summary.accepted.is_empty() {
        lines.push(style.dim("  who keeps records that it was sent"));
        lines.extend(summary.accepted.iter().map(accepted));
    }
    lines.join("\n") + "\n"
}

fn names(heading: &str, names: &[HeldUpBy], style: Style) -> Vec<String> {
    if names.is_empty() {
        return Vec::new();
    }
    let most = style.columns().saturating_sub(2 + TIME + 2 + 7).clamp(12, 54);
    let shown: Vec<String> = names.iter().map(|held| fit(&escaped(&held.name), most)).collect();
    let width = shown.iter().map(|name| columns(name)).max().unwrap_or(0);
    let line = |(held, name): (&HeldUpBy, &String)| {
        format!(
            "  {}  {}  {}",
            left(name, width),
            right(&duration(held.held_s), TIME),
            right(&format!("{} ×", grouped(held.operations)), 6)
        )
    };
    let lines = names.iter().zip(&shown).map(line);
    std::iter::once(style.dim(&format!("  {heading}"))).chain(lines).collect()
}

fn accepted(share: &AcceptedShare) -> String {
    let agent = share.agent.as_deref().map_or_else(|| "(unknown)".to_owned(), escaped);
    let kept = share.kept.map_or_else(
        || "nobody answered".to_owned(),
        |kept| {
            let percent = |share: f64| format!("{:.1}", share * 100.0);
            let (low, high) = (percent(kept.low), percent(kept.high));
            format!("{} % ({low}–{high} %) of {}", percent(kept.share), grouped(kept.n))
        },
    );
    format!("  {}  {}  {kept}", left(&fit(&agent, 24), 24), right(&duration(share.after_s), TIME))
}

#[cfg(test)]
mod tests;
