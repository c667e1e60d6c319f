//! What people see of an operation that a black hole held up.

use std::{collections::HashSet, time::Duration};

use kad::{
    PeerId, Persistence,
    failure::{Failure, FailureClass, Phase},
    lookup::RpcFate,
    network::Transport,
};
use perf::{
    OperationCounts, OperationDial, OperationId, OperationTold, UnixNanos,
    explain::{ExplainTally, PathPart},
};
use schema::{ConnectionPolicy, OperationKind, OperationOutcome, RequestPurpose, Strategy};

use super::*;

fn peer(number: u8) -> PeerId {
    PeerId::from_bytes(&[&[0x12, 0x20][..], &[number; 32]].concat()).expect("an id")
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn request(number: u8, by: Option<u8>, heard: u64, times: (u64, u64, u64)) -> OperationRequest {
    let (asked, sent, ended) = times;
    OperationRequest {
        purpose: RequestPurpose::Find,
        peer: peer(number),
        agent: Some(format!("kubo/0.{number}.0/\u{1b}[31m")),
        heard_by: by.map(peer),
        hop: by.map_or(0, |_| 1),
        common_prefix_len: 9,
        heard_after: ms(heard),
        asked_after: ms(asked),
        is_follow_up: false,
        dial: Some(OperationDial {
            began_after: ms(asked),
            ended_after: ms(sent),
            transport: Some(Transport::Quic),
            security: None,
            round_trip: None,
        }),
        sent_after: Some(ms(sent)),
        ended_after: Some(ms(ended)),
        fate: RpcFate::Answered,
        failure: None,
        closer: 20,
        providers: 0,
        bytes_in: 1_500,
        bytes_out: 400,
        is_critical: false,
        read_back_after: None,
        has_record: None,
    }
}

/// A publication whose search ended after 700 ms, and which waited ten seconds more for somebody who never answered.
fn operation() -> ExplainedOperation {
    let told = OperationTold {
        id: OperationId([0x5f; 16]),
        kind: OperationKind::Provide,
        key: vec![0x12, 0x20, 1],
        strategy: Strategy::Default,
        policy: ConnectionPolicy::Cold,
        persistence: Persistence::Go,
        began_at: UnixNanos(0),
        deadline: Duration::from_secs(180),
        table_size: 80,
        own_record: false,
        left_over: false,
        cpu: Duration::from_micros(4_400),
        size_estimate: None,
    };
    let silent = OperationRequest {
        fate: RpcFate::Failed,
        failure: Some(Failure::new(Phase::Request, FailureClass::Timeout)),
        ..request(2, Some(1), 300, (300, 500, 10_500))
    };
    let gift = OperationRequest {
        purpose: RequestPurpose::Give,
        fate: RpcFate::Unconfirmed,
        ..request(4, Some(1), 300, (10_500, 10_700, 10_800))
    };
    let mut operation = Operation {
        hops: Some(1),
        searched_after: Some(ms(700)),
        requests: vec![
            request(1, None, 0, (0, 200, 300)),
            silent,
            request(3, Some(1), 300, (300, 600, 700)),
            gift,
        ],
        counts: OperationCounts {
            asked: 4,
            answered: 3,
            failed: 1,
            wasted: 1,
            dials: 4,
            bytes_in: 6_000,
            bytes_out: 1_600,
            holders: 20,
            holders_sent: 19,
            ..OperationCounts::default()
        },
        ..Operation::without_requests(told, ms(10_700), OperationOutcome::Done)
    };
    operation.draw_path();
    operation.culprit = Some(Culprit {
        peer: peer(2),
        phase: PathWait::Answer,
        wait: PathWait::InFlight,
        part: PathPart::Search,
        failure: Some(Failure::new(Phase::Request, FailureClass::Timeout)),
        held: ms(10_200),
        alike: 0,
        faster_by: Some(ms(9_800)),
    });
    ExplainedOperation { fleet: "default".to_owned(), region: "eu-central-1".to_owned(), operation }
}

#[test]
fn a_path_is_a_waterfall() {
    insta::assert_snapshot!(explained(&operation(), Style::plain_in(110)));
}

#[test]
fn a_narrow_terminal_has_less_of_it() {
    for width in [60, 80, 200] {
        let text = explained(&operation(), Style::plain_in(width));
        let table = text.lines().skip_while(|line| !line.contains("waiting for"));
        assert!(table.clone().all(|line| columns(line) <= width), "{width}\n{text}");
        assert!(!text.contains('\u{1b}'), "what a peer sends is text: {text}");
    }
    let wide = explained(&operation(), Style::plain_in(110));
    let blocks: HashSet<char> = wide.chars().filter(|c| "█▏▎▍▌▋▊▉".contains(*c)).collect();
    assert!(blocks.contains(&'█'));
}

#[test]
fn many_are_added_up() {
    let mut tally = ExplainTally::default();
    tally.add(&operation().operation);
    tally.add(&operation().operation);
    let summary = tally.summary();
    assert_eq!((summary.operations, summary.held_up, summary.peers[0].operations), (2, 2, 2));
    let share: f64 = summary.waits.iter().map(|wait| wait.share).sum();
    assert!((share - 1.0).abs() < 1e-9, "{share}");
    insta::assert_snapshot!(held_up(&summary, Style::plain_in(100)));
}
