//! What is kept of an attempt, and the same operation again.

use std::{collections::HashMap, net::SocketAddr, sync::Arc};

use proptest::prelude::{prop_assert_eq, proptest};
use schema::{OperationKind, OperationOutcome};
use store::{RegisteredServer, ServerEntry, ServerId};

use super::*;
use crate::{
    CallFailure, CallFailureClass, OperationAnswer, OperationId, StepMeasurement, explain::PathPiece,
    operation::tests::operation,
};

fn server(number: u8) -> Arc<RegisteredServer> {
    let entry = ServerEntry {
        fleet: format!("fleet {number}"),
        region: "here".to_owned(),
        peer: PeerId::from_bytes(&[&[0x12, 0x20][..], &[number; 32]].concat()).expect("an id"),
        http: SocketAddr::from(([127, 0, 0, 1], 7070)),
        peer_port: None,
        cpu: 1,
        memory: 1,
        strategy: Some(schema::Strategy::OptProv),
        version: "kadscope 0.1.0".to_owned(),
        command: String::new(),
        dependencies: serde_json::Value::Null,
        entered_at: Timestamp(0),
    };
    let id = ServerId(number.into());
    Arc::new(RegisteredServer { id, entry, last_heartbeat: None, offline_since: None })
}

fn attempt(result: Result<OperationAnswer, CallFailure>) -> CallAttempt {
    CallAttempt {
        id: OperationId([9; 16]),
        publication: None,
        round: 3,
        position: 2,
        probe: 0,
        kind: OperationKind::Retrieve,
        server: server(1),
        publisher: Some(server(2)),
        key: vec![0x12, 0],
        cid: "Qm".to_owned(),
        connections: None,
        planned_at: Timestamp(1_000_000),
        asked_at: Some(Timestamp(2_000_000)),
        ended_at: Timestamp(5_000_000),
        result,
        clock_offset_us: Some(-7),
        polls: Vec::new(),
    }
}

fn step(step: &str, duration_ns: u64, error: &str) -> StepMeasurement {
    StepMeasurement { step: step.to_owned(), duration_ns, error: error.to_owned() }
}

fn rows(attempt: &CallAttempt) -> (Vec<Measurement>, Vec<MeasurementRequest>, Vec<PeerId>) {
    let peers = attempt_peers(attempt);
    let numbers: HashMap<PeerId, PeerNumber> = peers.iter().copied().zip((0..).map(PeerNumber)).collect();
    let (mut parts, mut requests) = (Vec::new(), Vec::new());
    for row in attempt_rows(attempt, 4, &|peer| numbers.get(peer).copied()) {
        match row {
            Row::Measurement(row) => parts.push(*row),
            Row::MeasurementRequest(row) => requests.push(*row),
            other => panic!("{other:?}"),
        }
    }
    (parts, requests, peers)
}

#[test]
fn an_attempt_that_met_nobody_is_a_row_as_well() {
    let failure = CallFailure::new(CallFailureClass::TimedOut, "after 3 s");
    let (rows, requests, peers) = rows(&attempt(Err(failure)));
    let [row] = &rows[..] else { panic!("{rows:?}") };
    assert!(requests.is_empty() && row.is_whole && row.is_censored && row.began_at.is_none());
    assert_eq!((row.outcome, row.took), (OperationOutcome::TimedOut, Duration::from_secs(3)));
    assert_eq!((&*row.fleet, row.publisher_fleet.as_deref()), ("fleet 1", Some("fleet 2")));
    assert_eq!((row.server, row.scheduler, row.round, row.position), (1, 4, 3, 2));
    assert_eq!((row.clock_offset, row.clock_is_ahead), (Some(Duration::from_micros(7)), Some(false)));
    assert_eq!(peers.len(), 2);
    assert!(row.failure.as_ref().is_some_and(|failure| failure.contains("after 3 s")));
    assert_eq!(kept_operation(row, &[], |_| None), None, "nobody knows what the server did");
}

#[test]
fn each_step_is_a_row_and_the_last_one_speaks_for_all() {
    let measurements = vec![step("announce", 2_000, ""), step("index", 9_000, "gone")];
    let answer =
        OperationAnswer { cid: "b".to_owned(), measurements, routing_table_size: 7, operation: None };
    let (rows, ..) = rows(&attempt(Ok(answer)));
    let [first, last] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!((first.step.as_deref(), first.step_number, first.is_whole), (Some("announce"), 0, false));
    assert_eq!((first.outcome, first.took), (OperationOutcome::Done, Duration::from_micros(2)));
    assert_eq!((first.table_size, first.requests), (None, None));
    assert_eq!((last.step.as_deref(), last.step_number, last.is_whole), (Some("index"), 1, true));
    assert_eq!((last.outcome, last.took), (OperationOutcome::Failed, Duration::from_micros(9)));
    assert_eq!((last.failure.as_deref(), last.table_size, &*last.cid), (Some("gone"), Some(7), "b"));
}

proptest! {
    #[test]
    fn an_operation_is_made_of_its_rows_again(operation in operation()) {
        let duration_ns = u64::try_from(operation.took.as_nanos()).unwrap_or(u64::MAX);
        let answer = OperationAnswer {
            cid: "b".to_owned(),
            measurements: vec![step("", duration_ns, "")],
            routing_table_size: 1,
            operation: Some(Box::new(operation.clone())),
        };
        let (rows, requests, peers) = rows(&attempt(Ok(answer)));
        let peer_of = |number: PeerNumber| peers.get(number.0 as usize).copied();
        let again = kept_operation(&rows[0], &requests, peer_of).expect("an operation");
        prop_assert_eq!(again.requests.len(), operation.requests.len());
        for (again, request) in again.requests.iter().zip(&operation.requests) {
            prop_assert_eq!((again.peer, again.heard_by), (request.peer, request.heard_by));
            prop_assert_eq!((again.fate, &again.failure), (request.fate, &request.failure));
            prop_assert_eq!((again.sent_after, again.ended_after), (request.sent_after, request.ended_after));
            prop_assert_eq!(again.dial.is_some(), request.dial.is_some());
            prop_assert_eq!((again.is_follow_up, &again.agent), (request.is_follow_up, &request.agent));
        }
        prop_assert_eq!((again.outcome, again.hops), (operation.outcome, operation.hops));
        prop_assert_eq!((again.took, again.searched_after), (operation.took, operation.searched_after));
        let sum: Duration = again.critical_path.iter().map(PathPiece::took).sum();
        prop_assert_eq!(sum, again.took);
    }
}
