//! What is written of an operation is read back, and what a stranger writes has bounds.

use kad::{
    PeerId,
    failure::{Failure, FailureClass, Phase},
    lookup::RpcFate,
    network::{Security, Transport},
};
use proptest::{
    collection, option,
    prelude::{BoxedStrategy, any, prop_assert_eq, prop_compose, proptest},
    sample::select,
    strategy::Strategy as _,
};
use schema::RequestPurpose;
use serde_json::{Value, json};

use super::*;
use crate::explain::{PathPart, PathWait};

prop_compose! {
    fn peer()(hash: [u8; 32]) -> PeerId {
        PeerId::from_bytes(&[&[0x12, 0x20][..], &hash].concat()).expect("an id")
    }
}

fn time() -> BoxedStrategy<Duration> {
    (0..u64::MAX).prop_map(Duration::from_nanos).boxed()
}

prop_compose! {
    fn dial()(began_after in time(), ended_after in time(), round_trip in option::of(time()), over in any::<bool>()) -> OperationDial {
        let (transport, security) = (over.then_some(Transport::Quic), over.then_some(Security::Tls));
        OperationDial { began_after, ended_after, transport, security, round_trip }
    }
}

prop_compose! {
    fn request()(
        purpose in select(RequestPurpose::ALL),
        (peer, heard_by) in (peer(), option::of(peer())),
        agent in option::of(".{0,20}"),
        times in collection::vec(time(), 5),
        dial in option::of(dial()),
        fate in select(RpcFate::ALL),
        class in option::of(select(FailureClass::ALL)),
        (closer, bytes_in, is_follow_up, is_critical) in any::<(u32, u64, bool, bool)>(),
        has_record in any::<Option<bool>>(),
    ) -> OperationRequest {
        OperationRequest {
            purpose,
            peer,
            agent,
            heard_by,
            hop: closer % 7,
            common_prefix_len: closer % 256,
            heard_after: times[0],
            asked_after: times[1],
            is_follow_up,
            dial,
            sent_after: is_critical.then_some(times[2]),
            ended_after: is_follow_up.then_some(times[3]),
            fate,
            failure: class.map(|class| Failure::with_detail(Phase::Request, class, "a detail")),
            closer,
            providers: closer / 2,
            bytes_in,
            bytes_out: bytes_in / 3,
            is_critical,
            read_back_after: has_record.map(|_| times[4]),
            has_record,
        }
    }
}

prop_compose! {
    pub(crate) fn operation()(
        id: [u8; 16],
        kind in select(OperationKind::ALL),
        key in collection::vec(any::<u8>(), 0..=MAX_KEY_BYTES),
        strategy in select(Strategy::ALL),
        outcome in select(OperationOutcome::ALL),
        (took, cpu, searched_after) in (time(), time(), option::of(time())),
        text in option::of(".{0,40}"),
        requests in collection::vec(request(), 0..8),
        (began_at, table_size, own_record, size_estimate) in any::<(u64, u64, bool, Option<u64>)>(),
    ) -> Operation {
        let piece = |(position, request): (usize, &OperationRequest)| PathPiece {
            part: PathPart::ALL[position % 3],
            wait: PathWait::ALL[position % 8],
            from: request.heard_after,
            until: request.asked_after,
            request: Some(position),
            peer: request.heard_by,
        };
        let culprit = requests.first().map(|request| Culprit {
            peer: request.peer,
            phase: PathWait::Dial,
            wait: PathWait::Slot,
            part: PathPart::Give,
            failure: request.failure.clone(),
            held: took,
            alike: request.hop,
            faster_by: searched_after,
        });
        let step = |error: &String| OperationStep { step: "provide".to_owned(), took, error: Some(error.clone()) };
        Operation {
            id: OperationId(id),
            kind,
            key,
            strategy,
            policy: ConnectionPolicy::Cold,
            persistence: Persistence::Thorough,
            began_at: UnixNanos(began_at),
            took,
            outcome,
            steps: text.iter().map(step).collect(),
            failure: text,
            table_size,
            own_record,
            left_over: !own_record,
            hops: requests.first().map(|request| request.hop),
            critical_path: requests.iter().enumerate().map(piece).collect(),
            counts: OperationCounts { asked: 7, bytes_in: table_size, ..OperationCounts::default() },
            requests,
            cpu,
            searched_after,
            culprit,
            size_estimate,
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(operation in operation()) {
        let text = serde_json::to_string(&operation).expect("JSON");
        prop_assert_eq!(serde_json::from_str::<Operation>(&text).expect(&text), operation);
    }
}

fn written() -> Value {
    let told = OperationTold {
        id: OperationId([0xab; 16]),
        kind: OperationKind::Provide,
        key: vec![0x12, 1, 0xff],
        strategy: Strategy::Default,
        policy: ConnectionPolicy::Warm,
        persistence: Persistence::Go,
        began_at: UnixNanos(1_795_000_000_123_456_789),
        deadline: Duration::from_secs(180),
        table_size: 80,
        own_record: false,
        left_over: false,
        cpu: Duration::from_micros(1500),
        size_estimate: Some(10_000),
    };
    let operation = Operation::without_requests(told, Duration::from_millis(6), OperationOutcome::Denied);
    serde_json::to_value(operation).expect("JSON")
}

#[test]
fn times_are_whole_nanoseconds_and_names_are_words() {
    let written = written();
    assert_eq!(written["id"], "ab".repeat(16));
    assert_eq!(written["key"], "1201ff");
    assert_eq!((&written["took_ns"], &written["cpu_ns"]), (&json!(6_000_000), &json!(1_500_000)));
    assert_eq!((&written["persistence"], &written["outcome"]), (&json!("go"), &json!("denied")));
    assert_eq!(written["began_at"], json!(1_795_000_000_123_456_789_u64));
}

#[test]
fn what_a_stranger_writes_has_bounds() {
    let with = |name: &str, value: Value| {
        let mut written = written();
        written[name] = value;
        serde_json::from_value::<Operation>(written)
    };
    let step = json!({ "step": "provide", "took_ns": 1 });
    assert!(with("steps", json!(vec![step.clone(); MAX_STEPS])).is_ok());
    let error = with("steps", json!(vec![step; MAX_STEPS + 1])).expect_err("too many").to_string();
    assert!(error.contains("a list of at most 16"), "{error}");
    let request = json!({
        "purpose": "find", "peer": "QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN", "hop": 0, "common_prefix_len": 0,
        "heard_ns": 0, "asked_ns": 0, "fate": "open",
    });
    let read = with("requests", json!([request.clone()])).expect("what may be left out is left out");
    assert_eq!((read.requests[0].sent_after, read.requests[0].closer), (None, 0));
    assert!(with("requests", json!(vec![request; MAX_REQUESTS + 1])).is_err());
    assert!(with("critical_path", json!(vec![Value::Null; 2])).is_err());
    for wrong in ["12f", "1g", &"00".repeat(MAX_KEY_BYTES + 1)] {
        assert!(with("key", json!(wrong)).is_err(), "{wrong}");
    }
    for wrong in ["", "ab", &"ab".repeat(17), &"zz".repeat(16)] {
        assert!(with("id", json!(wrong)).is_err(), "{wrong}");
    }
    for wrong in [json!(-1), json!(1.5), json!("6ms")] {
        assert!(with("took_ns", wrong.clone()).is_err(), "{wrong}");
    }
    let cut = with("failure", json!("ü".repeat(MAX_TEXT_BYTES))).expect("it is cut").failure;
    assert_eq!(cut.map(|text| text.len()), Some(MAX_TEXT_BYTES));
    let unknown = with("persistence", json!("x".repeat(10_000))).expect_err("no name").to_string();
    assert!(unknown.len() < 2 * MAX_TEXT_BYTES, "{}", unknown.len());
}
