//! `kadscope runs`: what tools did, and what all of it says of one peer.

use kad::PeerId;
use schema::{ClockStep, RunId, RunState, StepCause, Timestamp, Tool};
use serde::Serialize;
use store::{RunFilter, RunInfo, Store};

use super::{
    crawls::{delete_run, named},
    recount,
};
use crate::{args::RunsArgs, clock, exit::Code, output, render};

/// What is in a store.
#[derive(Debug, Serialize)]
struct Listing {
    /// The store.
    store: String,
    /// Its runs, in the order of their start.
    runs: Vec<ListedRun>,
}

/// What is said of a run.
#[derive(Debug, Serialize)]
pub(crate) struct ListedRun {
    /// Its name.
    pub(crate) run_id: RunId,
    /// Who made it.
    pub(crate) tool: Tool,
    /// The network's name.
    pub(crate) network: String,
    /// When it began.
    pub(crate) started_at: Timestamp,
    /// When it ended; `None` if it did not.
    pub(crate) finished_at: Option<Timestamp>,
    /// How it stands.
    pub(crate) state: RunState,
    /// Peers heard of.
    pub(crate) peers: u64,
    /// Rows of every kind, peers apart.
    pub(crate) rows: u64,
    /// Visits that were there and were pruned.
    pub(crate) pruned: u64,
    /// From where it was made.
    pub(crate) vantage: String,
    /// The version of kadscope.
    pub(crate) version: String,
    /// The steps of the wall clock meanwhile; only of a run that is shown alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) clock_steps: Option<Vec<ListedStep>>,
    /// Every parameter; only of a run that is shown alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parameters: Option<serde_json::Value>,
    /// What was printed at its end; only of a run that is shown alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) summary: Option<serde_json::Value>,
}

/// A step of the wall clock.
#[derive(Debug, Serialize)]
pub(crate) struct ListedStep {
    /// When it was noticed, by the clock of the run.
    pub(crate) noticed_at: Timestamp,
    /// Why.
    pub(crate) cause: StepCause,
    /// By how much the clock was ahead afterwards, in seconds; less than 0 if it went back.
    pub(crate) by_s: f64,
}

/// What is known of a peer.
#[derive(Debug, Serialize)]
pub(crate) struct KnownPeer {
    /// Its id.
    pub(crate) peer: String,
    /// The rows about it by run and kind, the last run first.
    pub(crate) known: Vec<KnownIn>,
    /// Its last visits, the last first.
    pub(crate) visits: Vec<LastVisit>,
}

/// The rows of one kind about a peer in one run.
#[derive(Debug, Serialize)]
pub(crate) struct KnownIn {
    /// The run.
    pub(crate) run_id: RunId,
    /// The kind.
    pub(crate) kind: &'static str,
    /// How many.
    pub(crate) rows: u64,
    /// The first contact.
    pub(crate) first: Option<Timestamp>,
    /// The last.
    pub(crate) last: Option<Timestamp>,
}

/// One visit of a peer.
#[derive(Debug, Serialize)]
pub(crate) struct LastVisit {
    /// When it began.
    pub(crate) started_at: Timestamp,
    /// Whether it reached the peer.
    pub(crate) reachable: bool,
    /// What went wrong.
    pub(crate) error: Option<&'static str>,
    /// What the peer calls its program.
    pub(crate) agent: Option<String>,
    /// The address that connected.
    pub(crate) address: Option<String>,
}

pub(crate) fn run(args: &RunsArgs) -> anyhow::Result<Code> {
    let store = Store::open_existing(&args.place.store)?;
    match (args.run, args.peer) {
        (Some(name), _) if args.delete => {
            let run = named(&store, name, &filter(args))?;
            delete_run(store, run, (args.yes, args.place.json))
        }
        (Some(name), _) if args.recount => {
            recount::run(&store, named(&store, name, &filter(args))?, args.place.json)
        }
        (Some(name), _) => show(args, &store, named(&store, name, &filter(args))?),
        (None, Some(peer)) => know(args, &store, &peer),
        (None, None) => list(args, &store),
    }
}

fn filter(args: &RunsArgs) -> RunFilter {
    let since = args.since.and_then(|ago| i64::try_from(ago.as_micros()).ok());
    RunFilter {
        tool: args.tool.as_deref().and_then(Tool::from_name),
        network: args.network.clone(),
        since: since.map(|ago| Timestamp(clock::now().0.saturating_sub(ago))),
        until: None,
    }
}

fn list(args: &RunsArgs, store: &Store) -> anyhow::Result<Code> {
    let runs: Vec<_> = store.runs(&filter(args))?.into_iter().map(listed).collect();
    if args.place.json {
        output::print_json(&Listing { store: args.place.store.to_string(), runs })?;
    } else {
        output::print(&render::runs(&runs))?;
    }
    Ok(Code::Done)
}

fn show(args: &RunsArgs, store: &Store, run: RunInfo) -> anyhow::Result<Code> {
    let steps = store.rows::<ClockStep>(run.start.id)?.map(|step| step.map(|step| listed_step(&step)));
    let clock_steps = Some(steps.collect::<Result<Vec<_>, _>>()?);
    let (parameters, summary) =
        (run.start.parameters.clone(), run.end.as_ref().map(|end| end.summary.clone()));
    let run = ListedRun { clock_steps, parameters: Some(parameters), summary, ..listed(run) };
    if args.place.json {
        output::print_json(&run)?;
    } else {
        output::print(&render::run(&run))?;
    }
    Ok(Code::Done)
}

fn know(args: &RunsArgs, store: &Store, peer: &PeerId) -> anyhow::Result<Code> {
    let history = store.peer_history(peer)?;
    let known = KnownPeer {
        peer: peer.to_string(),
        known: history
            .known
            .into_iter()
            .map(|rows| KnownIn {
                run_id: rows.run,
                kind: rows.table,
                rows: rows.rows,
                first: rows.first,
                last: rows.last,
            })
            .collect(),
        visits: history.visits.iter().map(last_visit).collect(),
    };
    let is_known = !known.known.is_empty();
    if args.place.json {
        output::print_json(&known)?;
    } else {
        output::print(&render::known_peer(&known))?;
    }
    Ok(if is_known { Code::Done } else { Code::NotFound })
}

fn last_visit(visit: &schema::Visit) -> LastVisit {
    let connection = visit.met.connection.as_ref();
    let address = connection.and_then(|connection| visit.met.addresses.get(connection.address));
    LastVisit {
        started_at: visit.met.started_at,
        reachable: visit.is_reachable(),
        error: visit.fault(),
        agent: visit.met.agent_version.clone(),
        address: address.map(|visited| visited.address.to_string()),
    }
}

fn listed(run: RunInfo) -> ListedRun {
    let RunInfo { start, end, state, totals } = run;
    ListedRun {
        run_id: start.id,
        tool: start.tool,
        network: start.network,
        started_at: start.started_at,
        finished_at: end.map(|end| end.finished_at),
        state,
        peers: totals.peers,
        rows: totals.rows,
        pruned: totals.pruned,
        vantage: start.vantage,
        version: start.version,
        clock_steps: None,
        parameters: None,
        summary: None,
    }
}

fn listed_step(step: &ClockStep) -> ListedStep {
    let by_s = (step.wall.0 - step.expected.0) as f64 / 1e6;
    ListedStep { noticed_at: step.noticed_at, cause: step.cause, by_s }
}
