//! Measurements of which everything is there, and of which nothing is.

use std::time::Duration;

use kad::{
    Persistence,
    failure::{Failure, FailureClass, Phase},
    lookup::RpcFate,
    network::Transport,
};
use schema::{
    ConnectionPolicy, Measurement, MeasurementRequest, OperationKind, OperationOutcome, PeerNumber,
    RequestPurpose, Row, Strategy, Timestamp,
};

/// Two measurements of the peer 1, one of which nothing is absent and one of which all that can be is, and a request in the
/// first. The peers 0 to 2 are introduced before.
pub(crate) fn measured(at: Timestamp) -> Vec<Row> {
    let bare = Measurement::planned(PeerNumber(1), [8; 16], OperationKind::Provide, at);
    vec![whole(at).into(), bare.into(), asked(at).into()]
}

/// One of which nothing is absent.
fn whole(at: Timestamp) -> Measurement {
    Measurement {
        peer: PeerNumber(1),
        server: 12,
        fleet: "fleet".to_owned(),
        region: "region".to_owned(),
        version: Some("version".to_owned()),
        scheduler: 16,
        round: 17,
        position: 18,
        attempt: [7; 16],
        kind: OperationKind::Findable,
        publisher: Some(PeerNumber(0)),
        publisher_fleet: Some("publisher_fleet".to_owned()),
        publisher_region: Some("publisher_region".to_owned()),
        key: vec![0x12, 0x20, 9],
        cid: "cid".to_owned(),
        strategy: Some(Strategy::FullRt),
        policy: Some(ConnectionPolicy::Cold),
        persistence: Some(Persistence::Thorough),
        planned_at: at.after(Duration::from_secs(29)),
        asked_at: Some(at.after(Duration::from_secs(30))),
        began_at: Some(at.after(Duration::from_secs(31))),
        step: Some("step".to_owned()),
        step_number: 33,
        is_whole: true,
        took: Duration::from_micros(35),
        more_than: Some(Duration::from_micros(36)),
        is_censored: true,
        outcome: OperationOutcome::TimedOut,
        failure: Some("failure".to_owned()),
        table_size: Some(40),
        own_record: Some(true),
        left_over: Some(true),
        hops: Some(43),
        requests: Some(44),
        failed_requests: Some(45),
        wasted_requests: Some(46),
        dials: Some(47),
        failed_dials: Some(48),
        bytes_in: Some(49),
        bytes_out: Some(50),
        cpu: Some(Duration::from_micros(51)),
        searched_after: Some(Duration::from_micros(52)),
        holders: Some(52),
        holders_sent: Some(53),
        size_estimate: Some(54),
        culprit: Some(PeerNumber(1)),
        culprit_reason: Some("culprit_reason".to_owned()),
        culprit_time: Some(Duration::from_micros(57)),
        clock_offset: Some(Duration::from_micros(58)),
        clock_is_ahead: Some(true),
    }
}

/// A request of which nothing is absent.
fn asked(at: Timestamp) -> MeasurementRequest {
    MeasurementRequest {
        peer: PeerNumber(1),
        attempt: [7; 16],
        purpose: RequestPurpose::ReadBack,
        began_at: at.after(Duration::from_secs(14)),
        agent: Some("agent".to_owned()),
        heard_by: Some(PeerNumber(1)),
        hop: 17,
        common_prefix_len: 256,
        heard_after: Duration::from_micros(19),
        asked_after: Duration::from_micros(20),
        is_follow_up: true,
        dial_began_after: Some(Duration::from_micros(21)),
        dial_ended_after: Some(Duration::from_micros(22)),
        transport: Some(Transport::Quic),
        sent_after: Some(Duration::from_micros(24)),
        ended_after: Some(Duration::from_micros(25)),
        fate: RpcFate::Failed,
        failure: Some(Failure::with_detail(Phase::Request, FailureClass::Other, "no")),
        closer: 28,
        providers: 29,
        is_critical: true,
        read_back_after: Some(Duration::from_micros(31)),
        has_record: Some(true),
    }
}
