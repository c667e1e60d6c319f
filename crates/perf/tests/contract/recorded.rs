//! The recorded exchanges.

use std::{fs, path::PathBuf};

use crate::{
    exchange::{Answered, read, send},
    service::{Service, fabric},
};

/// A recorded exchange.
struct Recorded {
    name: String,
    request: Vec<u8>,
    answer: Answered,
}

/// Those of a folder, in the order in which they were made.
fn recorded(folder: &str) -> Vec<Recorded> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/parsec")).join(folder);
    let files = fs::read_dir(root).expect("a folder").map(|file| file.expect("a file").path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    let of = |path: PathBuf| {
        let bytes = fs::read(&path).expect("a file");
        let mark = b"\n=== response after ";
        let at = bytes.windows(mark.len()).position(|part| part == mark).expect("a mark");
        let line = bytes[at + 1..].iter().position(|&byte| byte == b'\n').expect("its end");
        let answer = read(&bytes[at + line + 2..], false).expect("an answer");
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        Recorded { name, request: bytes[..at].to_vec(), answer }
    };
    files.into_iter().map(of).collect()
}

/// The answer of one of ours without what Parsec's do not say.
fn without_operation(mut answer: Answered) -> Answered {
    if let Some((before, _)) = answer.body.split_once(",\"Operation\":") {
        answer.body = format!("{before}}}");
    }
    answer
}

#[tokio::test]
async fn every_recorded_request_is_answered_as_by_parsec() {
    let all = recorded("http");
    assert_eq!(all.len(), 25);
    let service = Service::of(&fabric(), 1, true).await;
    for Recorded { name, request, answer } in all {
        assert_eq!(send(service.at, &request).await.masked(), answer.masked(), "{name}");
    }
    service.end().await;
}

#[tokio::test]
async fn a_round_of_parsecs_scheduler_over_two_servers_goes_as_it_did() {
    let fabric = fabric();
    let (first, second) = (Service::of(&fabric, 1, true).await, Service::of(&fabric, 2, true).await);
    let all = recorded("round");
    assert_eq!(all.len(), 5);
    for Recorded { name, request, answer } in all {
        let is_second = request.windows(11).any(|part| part == b"127.0.0.12:");
        let at = if is_second { second.at } else { first.at };
        assert_eq!(send(at, &request).await.masked(), answer.masked(), "{name}");
    }
    first.end().await;
    second.end().await;
}

#[tokio::test]
async fn otherwise_the_same_comes_with_the_operation_behind_it() {
    let service = Service::of(&fabric(), 1, false).await;
    let mut operations = 0;
    for Recorded { name, request, answer } in recorded("http") {
        let ours = send(service.at, &request).await;
        operations += usize::from(ours.body.contains(",\"Operation\":{\"id\":"));
        let (ours, theirs) = (without_operation(ours).masked(), answer.masked());
        assert_eq!(ours, theirs, "{name}");
    }
    assert_eq!(operations, 11);
    service.end().await;
}
