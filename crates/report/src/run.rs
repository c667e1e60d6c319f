//! The rows that no table keeps: the run itself, and the peers that it heard of.

use schema::NatClass;
use store::RunInfo;

use crate::{
    Described,
    names::Verdict,
    values::{Field, Lens},
};

/// The fields of a run, behind its id.
pub(crate) const RUN: [&str; 12] = [
    "tool",
    "network",
    "state",
    "started_at",
    "finished_at",
    "version",
    "seed",
    "privacy",
    "peers",
    "peers_left_out",
    "vantage",
    "parameters",
];

/// Those of a peer.
pub(crate) const PEER: [&str; 4] = ["peer_id", "visits", "reachable", "nat"];

/// How the other rows were made.
pub(crate) fn run<'a>(info: &'a RunInfo, lens: &Lens<'_>) -> Described<'a> {
    let RunInfo { start, end, state, .. } = info;
    let open = |field: Field<'a>| if lens.veil.is_open() { field } else { Field::Absent };
    let mut parameters = start.parameters.clone();
    if let Some(parameters) = parameters.as_object_mut() {
        // They may have asked not to be measured since.
        for named in ["bootstrap", "peers"] {
            parameters.remove(named);
        }
    }
    let finished = end.as_ref().map(|end| Field::Text(end.finished_at.to_string().into()));
    let fields = [
        Field::Text(start.tool.name().into()),
        Field::Text(start.network.as_str().into()),
        Field::Text(state.name().into()),
        Field::Text(start.started_at.to_string().into()),
        finished.unwrap_or(Field::Absent),
        Field::Text(start.version.as_str().into()),
        Field::Number(start.seed),
        Field::Text(lens.veil.level().name().into()),
        Field::Number(lens.names.len()),
        Field::Number(lens.names.left_out()),
        open(Field::Text(start.vantage.as_str().into())),
        open(Field::Json(parameters)),
    ];
    Described::new("run", start.id, RUN.into_iter().zip(fields).collect())
}

/// A peer that was heard of.
pub(crate) fn peer(run: schema::RunId, name: &str, verdict: Verdict) -> Described<'_> {
    let Verdict { visits, reachable, nat } = verdict;
    let fields = [
        Field::Text(name.into()),
        Field::Number(visits.into()),
        if visits > 0 { Field::Flag(reachable) } else { Field::Absent },
        nat.map_or(Field::Absent, |nat: NatClass| Field::Text(nat.name().into())),
    ];
    Described::new("peer", run, PEER.into_iter().zip(fields).collect())
}
