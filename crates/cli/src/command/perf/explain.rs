//! `kadscope perf explain`: why operations took as long as they did, from rows that are kept.

use std::{cmp::Reverse, collections::HashMap};

use ::perf::{
    Operation,
    explain::{ExplainSummary, ExplainTally},
    kept_operation,
};
use schema::{Measurement, MeasurementRequest, OperationKind, OperationOutcome, Tool};
use serde::Serialize;
use store::{RunFilter, RunInfo, Store};

use crate::{
    args::PerfExplainArgs,
    exit::{Code, Failed},
    output,
    outputs::InUse,
    render,
};

/// What is printed.
#[derive(Debug, Serialize)]
struct Explained {
    /// All operations together; `None` if one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<ExplainSummary>,
    /// Those that were asked for, the slowest first.
    operations: Vec<ExplainedOperation>,
}

/// One operation, and who did it.
#[derive(Debug, Serialize)]
pub(crate) struct ExplainedOperation {
    /// The server's fleet.
    pub(crate) fleet: String,
    /// Where it is.
    pub(crate) region: String,
    /// What it did.
    pub(crate) operation: Operation,
}

pub(super) fn run(args: &PerfExplainArgs, in_use: &mut InUse) -> anyhow::Result<Code> {
    let store = Store::open_existing(&args.store)?;
    in_use.store(&args.store);
    let runs = store.runs(&RunFilter::of(Tool::Perf))?;
    let mut gathering = Gathering { args, tally: ExplainTally::default(), shown: Vec::new() };
    for run in &runs {
        gathering.take_run(&store, run)?;
    }
    let Gathering { tally, shown, .. } = gathering;
    if let (Some(id), []) = (args.operation, &shown[..]) {
        let what = "has no such operation, or its server told nothing of it";
        return Err(Failed::usage(format!("{} {what}: {id}", store.name())).into());
    }
    let summary = args.operation.is_none().then(|| tally.summary());
    let explained = Explained { summary, operations: shown };
    if args.json {
        output::print_json(&explained)?;
    } else {
        let style = output::Style::of_stdout();
        let summary = explained.summary.iter().map(|summary| render::held_up(summary, style));
        let operations = explained.operations.iter().map(|operation| render::explained(operation, style));
        output::print(&summary.chain(operations).collect::<Vec<_>>().join("\n"))?;
    }
    Ok(Code::Done)
}

/// Operations as they are read.
struct Gathering<'a> {
    args: &'a PerfExplainArgs,
    tally: ExplainTally,
    /// The slowest first.
    shown: Vec<ExplainedOperation>,
}

impl Gathering<'_> {
    fn take_run(&mut self, store: &Store, run: &RunInfo) -> anyhow::Result<()> {
        let id = run.start.id;
        let peers = store.peers(id)?;
        let mut whole: HashMap<[u8; 16], Measurement> = HashMap::new();
        for row in store.rows::<Measurement>(id)? {
            let row = row?;
            let is_meant = self.args.operation.is_none_or(|operation| operation.0 == row.attempt);
            if row.is_whole && is_meant {
                whole.insert(row.attempt, row);
            }
        }
        // The rows of an attempt are written one behind the other.
        let mut requests: Vec<MeasurementRequest> = Vec::new();
        for row in store.rows::<MeasurementRequest>(id)? {
            let row = row?;
            if let Some(before) =
                requests.first().map(|before| before.attempt).filter(|&id| id != row.attempt)
            {
                self.take(whole.remove(&before), &requests, &peers);
                requests.clear();
            }
            if whole.contains_key(&row.attempt) {
                requests.push(row);
            }
        }
        if let Some(last) = requests.first().map(|last| last.attempt) {
            self.take(whole.remove(&last), &requests, &peers);
        }
        for row in whole.into_values() {
            self.take(Some(row), &[], &peers);
        }
        Ok(())
    }

    fn take(&mut self, row: Option<Measurement>, requests: &[MeasurementRequest], peers: &store::Peers) {
        let Some(row) = row else { return };
        let Some(operation) = kept_operation(&row, requests, |number| peers.get(number)) else { return };
        self.tally.add(&operation);
        if self.args.failed && !is_failed(&operation) {
            return;
        }
        let most = usize::try_from(self.args.slowest).unwrap_or(usize::MAX);
        let place =
            self.shown.partition_point(|other| Reverse(other.operation.took) <= Reverse(operation.took));
        if place < most {
            let Measurement { fleet, region, .. } = row;
            self.shown.insert(place, ExplainedOperation { fleet, region, operation });
            self.shown.truncate(most);
        }
    }
}

/// Whether it came to nothing. What nobody provides is not to be found.
fn is_failed(operation: &Operation) -> bool {
    let expected = match operation.kind {
        OperationKind::Negative => OperationOutcome::NotFound,
        _ => OperationOutcome::Done,
    };
    operation.outcome != expected
}
