//! Lists of runs and what they know of a peer, for people.

use crawl::Difference;
use schema::StepCause;

use super::{
    table::aligned,
    text::{counted, escaped, fit, grouped},
};
use crate::command::{Compared, KnownPeer, ListedRun};

/// The most columns of a network's name, and of an agent.
const NAME: usize = 30;

/// One line for each run, under a heading.
pub(crate) fn runs(runs: &[ListedRun]) -> String {
    if runs.is_empty() {
        return "there is no such run in this store\n".to_owned();
    }
    let heading = ["RUN", "TOOL", "NETWORK", "STARTED", "STATE", "PEERS", "ROWS"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(runs.iter().map(row));
    lines(&rows, 5)
}

/// One run, whole.
pub(crate) fn run(run: &ListedRun) -> String {
    let (vantage, version) = (escaped(&run.vantage), escaped(&run.version));
    let mut parts = vec![runs(std::slice::from_ref(run)), format!("from {vantage}, by kadscope {version}\n")];
    if run.pruned > 0 {
        parts.push(format!("{} visits more were there, and were pruned\n", grouped(run.pruned)));
    }
    parts.extend(run.clock_steps.iter().flatten().map(|step| {
        let how = match step.cause {
            StepCause::Set => "the wall clock was set",
            StepCause::Suspended => "the machine slept",
        };
        format!("{how}, by {:+.3} s, noticed at {}\n", step.by_s, second(step.noticed_at))
    }));
    for (what, value) in [("parameters", &run.parameters), ("summary", &run.summary)] {
        parts.extend(value.as_ref().map(|value| format!("{what}: {}\n", escaped(&format!("{value:#}")))));
    }
    parts.concat()
}

/// The summary of a run beside its rows.
pub(crate) fn compared(compared: &Compared) -> String {
    let Compared { run_id, has_summary, same, differences, missing, .. } = compared;
    let fields = counted(*same, "field", "fields");
    let said = match (has_summary, differences.as_slice()) {
        (false, _) => format!("run {run_id} has no summary; --json prints what its rows come to\n"),
        (true, []) => format!("of the summary of run {run_id}, {fields} are what its rows come to\n"),
        (true, found) => {
            let lines = differing(found);
            format!("the summary of run {run_id} is not what its rows come to:\n\n{lines}")
        }
    };
    if missing.is_empty() {
        return said;
    }
    said + &format!("cannot be recounted, since rows are not there: {}\n", missing.join(", "))
}

fn differing(found: &[Difference]) -> String {
    let value = |value: &Option<serde_json::Value>| {
        value.as_ref().map_or_else(|| "-".to_owned(), |value| fit(&escaped(&value.to_string()), NAME))
    };
    let mut rows = vec![["NUMBER", "SUMMARY", "ROWS"].map(str::to_owned).to_vec()];
    rows.extend(
        found.iter().map(|found| vec![escaped(&found.name), value(&found.summary), value(&found.rows)]),
    );
    lines(&rows, 1)
}

/// What all runs know of a peer.
pub(crate) fn known_peer(known: &KnownPeer) -> String {
    if known.known.is_empty() {
        return format!("no run has rows about {}\n", known.peer);
    }
    let moment = |time: Option<schema::Timestamp>| time.map_or_else(|| "-".to_owned(), second);
    let mut rows = vec![["RUN", "KIND", "FIRST", "LAST", "ROWS"].map(str::to_owned).to_vec()];
    rows.extend(known.known.iter().map(|of| {
        vec![of.run_id.to_string(), of.kind.to_owned(), moment(of.first), moment(of.last), grouped(of.rows)]
    }));
    let text = format!("{}\n\n{}", known.peer, lines(&rows, 4));
    if known.visits.is_empty() {
        return text;
    }
    let mut rows = vec![["LAST VISITS", "", "AGENT", "ADDRESS"].map(str::to_owned).to_vec()];
    rows.extend(known.visits.iter().map(|visit| {
        let how = if visit.reachable { "reached" } else { visit.error.unwrap_or("not reached") };
        let or_none = |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), escaped);
        let agent = fit(&or_none(&visit.agent), NAME);
        vec![second(visit.started_at), how.to_owned(), agent, or_none(&visit.address)]
    }));
    format!("{text}\n{}", lines(&rows, 4))
}

fn row(run: &ListedRun) -> Vec<String> {
    vec![
        run.run_id.to_string(),
        run.tool.to_string(),
        fit(&escaped(&run.network), NAME),
        second(run.started_at),
        run.state.to_string(),
        grouped(run.peers),
        grouped(run.rows),
    ]
}

/// To the second: `2026-11-21 14:31:00`.
pub(super) fn second(time: schema::Timestamp) -> String {
    time.to_string().chars().take(19).collect::<String>().replace('T', " ")
}

/// Aligned lines, each ended.
pub(super) fn lines(rows: &[Vec<String>], left: usize) -> String {
    aligned(rows, left).into_iter().fold(String::new(), |text, line| text + &line + "\n")
}
