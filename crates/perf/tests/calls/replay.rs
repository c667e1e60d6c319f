//! A round of a Go scheduler over Go servers, as it was recorded (`testdata/parsec/round`): our scheduler over the same servers sends the same,
//! and keeps the same.

use std::{fs, net::Ipv4Addr, path::PathBuf, time::Duration};

use crawl::Clock;
use kadscope_perf::{
    CallAttempt, CallDeadlines, CallTerms, HttpCalls, OperationId, OperationKind, OperationOutcome, Pairing,
    ProbeTerms, ProvideOrder, RoundPace, Scheduler, SchedulerConfig, ServerCalls as _,
};
use schema::{RunId, Timestamp};
use store::{ParsecKind, ParsecRow, Register, SchedulerId, ServerId};
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::stub::{Request, Stub};

/// The CID of the recorded content.
const CID: &str = "QmfKswoMA9d5HeNsiJxQDarGxzRvtoyiWDBNWN9tuMsw73";

/// An exchange that was recorded: what was sent, and what came.
struct Recorded {
    request: Request,
    answer: String,
}

fn recorded(number: u8) -> Recorded {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/parsec/round");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let is_it =
        |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with(&format!("{number}-"));
    let text = fs::read_to_string(files.into_iter().find(is_it).unwrap()).unwrap();
    let (request, rest) = text.split_once("\n=== response after ").unwrap();
    let answer = rest.split_once(" ms ===\n").unwrap().1.strip_suffix('\n').unwrap();
    Recorded { request: Request::parse(request), answer: answer.to_owned() }
}

/// A Go server that answers as it did then, of another key where it is asked of one: both are written in 46 characters.
async fn go_server(numbers: &'static [u8]) -> Stub {
    Stub::at(Ipv4Addr::LOCALHOST, move |request| {
        let (method, target) = request.line();
        let fits = |recorded: &Recorded| {
            let (recorded_method, recorded_target) = recorded.request.line();
            let is_same = |path: &str| target.starts_with(path) && recorded_target.starts_with(path);
            method == recorded_method && ["/readiness", "/provide", "/retrieve/"].into_iter().any(is_same)
        };
        let recorded = numbers.iter().map(|&number| recorded(number)).find(fits).unwrap();
        recorded.answer.replace(CID, &asked_cid(request)).into_bytes()
    })
    .await
}

/// Of which key a server is asked.
fn asked_cid(request: &Request) -> String {
    use sha2::{Digest as _, Sha256};
    if let Some(cid) = request.line().1.strip_prefix("/retrieve/") {
        return cid.to_owned();
    }
    let content = ProvideOrder::read(request.body.as_bytes()).map(|order| order.content).unwrap_or_default();
    multibase::Base::Base58Btc.encode([&[0x12, 0x20][..], &Sha256::digest(content)].concat())
}

/// What can be compared: the method, the path, the headers but for those that say who and where, and the body; each key by its place.
fn masked(request: &Request) -> (String, Vec<(String, String)>, String) {
    let (method, target) = request.line();
    let says_who = |name: &str| matches!(name, "host" | "user-agent" | "accept-encoding");
    let headers = request.headers().into_iter().filter(|(name, _)| !says_who(name)).collect();
    let path = target.split_inclusive('/').next_back().filter(|last| last.len() == 46);
    let target = path.map_or(target.to_owned(), |cid| target.replace(cid, "CID"));
    let content = request.body.split('"').nth(3).filter(|content| content.len() == 1368);
    let body = content.map_or(request.body.clone(), |content| request.body.replace(content, "CONTENT"));
    (format!("{method} {target}"), headers, body)
}

/// One round of our scheduler over the servers.
async fn one_round(register: Register, is_plain: bool) -> Vec<CallAttempt> {
    let fleets = vec!["default".to_owned()];
    let config = SchedulerConfig {
        fleets: fleets.clone(),
        pairing: Pairing::Mixed,
        seed: 1,
        run: RunId([1; 16]),
        scheduler: SchedulerId(36),
        pace: RoundPace { rounds: Some(1), ..RoundPace::default() },
        probes: ProbeTerms { retrievals: 2, ..ProbeTerms::default() },
        deadlines: CallDeadlines::default(),
        marks_offline: false,
        lease: Duration::from_secs(60),
    };
    let calls = HttpCalls::new(&fleets, is_plain).unwrap();
    let (sender, mut receiver) = mpsc::channel(16);
    let clock = Clock::started_at(Timestamp(1_795_000_000_000_000));
    let scheduler = Scheduler::new(calls, register, clock, config, sender);
    let now = scheduler.run(CancellationToken::new()).await;
    assert_eq!(now.rounds.ended, 1);
    let mut attempts = Vec::new();
    while let Ok(attempt) = receiver.try_recv() {
        attempts.push(attempt);
    }
    attempts.sort_by_key(|attempt| attempt.position);
    attempts
}

/// A round over two servers that answer as those of Go did, and what each was sent.
async fn replayed() -> (Vec<CallAttempt>, Vec<Request>) {
    let servers = [go_server(&[1, 2, 3, 4]).await, go_server(&[1, 2, 3, 4]).await];
    let register = Register::memory();
    for server in &servers {
        let id = register.enter_server(&server.entry("default")).await.unwrap();
        register.heartbeat(id, Timestamp(1_795_000_000_000_000)).await.unwrap();
    }
    let attempts = one_round(register, true).await;
    let mut sent: Vec<_> = servers.iter().flat_map(Stub::asked).collect();
    sent.sort_by_key(|request| request.line().1.len());
    (attempts, sent)
}

#[tokio::test]
async fn our_scheduler_sends_what_gos_did() {
    let (_, sent) = replayed().await;
    // By the length of their paths: a publication, two readinesses, two retrievals.
    let expected: Vec<_> =
        [3, 1, 2, 4, 5].into_iter().map(|number| masked(&recorded(number).request)).collect();
    assert_eq!(sent.iter().map(masked).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn our_scheduler_keeps_of_gos_servers_what_gos_did() {
    let (attempts, _) = replayed().await;
    let kinds: Vec<_> = attempts.iter().map(|attempt| attempt.kind).collect();
    assert_eq!(kinds, [OperationKind::Provide, OperationKind::Retrieve, OperationKind::Retrieve]);
    assert!(attempts.iter().all(|attempt| attempt.outcome() == OperationOutcome::Done));
    assert_eq!(attempts[1].publication, Some(attempts[0].id));
    // The rows of schema.md, which are those of this round: sizes of tables, durations in nanoseconds, no error.
    let rows: Vec<_> = attempts.iter().flat_map(|attempt| attempt.parsec_rows(SchedulerId(36))).collect();
    let provide = ParsecKind::Provide { step: "provide".to_owned() };
    let kept = |kind: ParsecKind, table_size, ns, at: usize| ParsecRow {
        kind,
        scheduler: SchedulerId(36),
        server: attempts[at].server.id,
        table_size,
        took: Duration::from_nanos(ns),
        cid: attempts[0].cid.clone(),
        failure: None,
        created_at: attempts[at].ended_at,
    };
    let retrieval = |at| kept(ParsecKind::Retrieval, 59, 5_166_922, at);
    assert_eq!(rows, [kept(provide, 61, 65_110_581, 0), retrieval(1), retrieval(2)]);
    // The clock of those servers stood in November 2026, at the second of their `Date`.
    let offset = attempts[0].clock_offset_us.unwrap();
    let date = Timestamp::parse("2026-11-21T03:15:00.500Z").unwrap();
    assert_eq!(offset, date.0 - attempts[0].ended_at.0);
}

#[tokio::test]
async fn the_recorded_content_is_sent_as_it_was() {
    let server = go_server(&[3]).await;
    let golden = recorded(3).request;
    let content = ProvideOrder::read(golden.body.as_bytes()).unwrap().content;
    let terms = CallTerms {
        id: OperationId([0; 16]),
        deadline: Duration::from_secs(5),
        connections: None,
        persistence: None,
        read_back: Vec::new(),
    };
    let calls = HttpCalls::new(&["default".to_owned()], true).unwrap();
    let began = Instant::now();
    let said = calls.provide(&server.server(62), &content, &terms).await.unwrap().said;
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!((said.cid.as_str(), said.measurements[0].duration_ns), (CID, 65_110_581));
    let sent = &server.asked()[0];
    assert_eq!((&sent.body, server.server(62).id), (&golden.body, ServerId(62)));
    assert_eq!(masked(sent), masked(&golden));
}
