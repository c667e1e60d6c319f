//! A server that publishes to an indexer and looks up there: it knows nobody else, says which step failed, and takes all back at its end.

use std::time::Duration;

use serde_json::Value;

use crate::{ipni::TestIndexer, perf_server::Server, program::run};

/// Asks as often as a test has patience for.
const HURRY: [&str; 8] = [
    "--routing",
    "indexer",
    "--publisher",
    "127.0.0.1:0",
    "--indexer-interval",
    "50ms",
    "--indexer-index-timeout",
    "20s",
];

fn server(url: &str, more: &[&str]) -> Server {
    Server::alone(&[&HURRY[..], &["--store", "none", "--indexer", url], more].concat())
}

/// The steps of an answer, with why each failed.
fn steps(answer: &Value) -> Vec<(&str, &str)> {
    let steps = answer["Measurements"].as_array().expect("a list").iter();
    steps
        .map(|step| (step["Step"].as_str().expect("a name"), step["Error"].as_str().expect("a text")))
        .collect()
}

#[test]
fn what_is_published_at_an_indexer_is_found_there_and_taken_back() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let indexer = runtime.block_on(async { TestIndexer::open() });
    let url = indexer.url().to_string();
    let directory = tempfile::tempdir().expect("a directory");
    let events = directory.path().join("events.ndjson");
    let publisher = server(&url, &["--events", &format!("file:{}", events.display())]);
    let finder = server(&url, &[]);
    let provided = publisher.ask("/provide", r#"{"Content":"Z29sZA=="}"#);
    let done = ["announce", "index_ad", "index_entries", "availability"].map(|step| (step, ""));
    assert_eq!(steps(&provided), done, "{provided}");
    assert_eq!(
        (&provided["Operation"]["strategy"], &provided["RoutingTableSize"]),
        (&"indexer".into(), &0.into())
    );
    let cid = provided["CID"].as_str().expect("a CID");
    let found = finder.ask(&format!("/retrieve/{cid}"), "{}");
    assert_eq!(steps(&found), [("retrieval", "")], "{found}");
    let nobody = finder.ask("/retrieve/QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn", "{}");
    assert_eq!(nobody["Operation"]["outcome"], "not_found", "{nobody}");
    assert!(indexer.hashes() > 0);
    assert_eq!((publisher.end().code, finder.end().code), (0, 0));
    // It has fetched what takes that back; it may still be about it.
    runtime.block_on(indexer.until(|indexer| indexer.hashes() == 0));
    assert_eq!(indexer.complaints(), [""; 0]);
    let told = std::fs::read_to_string(&events).expect("events");
    assert!(told.lines().count() == 1 && told.contains(r#""strategy":"indexer""#), "{told}");
}

#[test]
fn the_step_that_failed_is_named() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let indexer = runtime.block_on(async { TestIndexer::open() });
    let server = server(&indexer.url().to_string(), &["--indexer-availability-timeout", "300ms"]);
    let provide = |content: &str| server.ask("/provide", &format!(r#"{{"Content":"{content}"}}"#));

    // Whatever it has fetched it does not find yet.
    indexer.whims(|whims| whims.index_delay = Duration::from_secs(3600));
    let unseen = provide("c2lsdmVy");
    assert!(
        matches!(steps(&unseen)[..], [("announce", ""), ("index_ad", ""), ("index_entries", ""), ("availability", why)] if why.contains("not_found")),
        "{unseen}"
    );
    assert_eq!(unseen["Operation"]["outcome"], "timed_out");

    indexer.whims(|whims| whims.announced = Some(403));
    let refused = provide("Z29sZA==");
    assert!(
        matches!(steps(&refused)[..], [("announce", why)] if why.contains("refused: status 403")),
        "{refused}"
    );
    assert_eq!(refused["Operation"]["outcome"], "failed");
}

#[test]
fn what_cannot_be_is_refused_with_what_to_do() {
    let refused = |more: &[&str], said: &str| {
        let args = ["perf", "server", "--fleet", "x", "--store", "none", "--addresses", "loopback"];
        let ended = run(args.iter().chain(&["--listen", "127.0.0.1:0"]).chain(more));
        assert_eq!(ended.code, 2, "{more:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(said), "{said}: {}", ended.stderr);
    };
    let url = "http://127.0.0.1:1";
    refused(&["--routing", "indexer"], "--indexer <URL>");
    refused(&["--publisher", "127.0.0.1:0"], "--indexer <URL>");
    refused(&["--indexer", url], "--routing indexer");
    refused(&["--routing", "indexer", "--indexer", "ftp://127.0.0.1"], "http://");
    refused(&["--routing", "indexer", "--indexer", url, "--server-mode"], "--server-mode");
    refused(&["--routing", "indexer", "--indexer", url, "--ignore-peers", "x"], "--ignore-peers");
    refused(&["--routing", "indexer", "--indexer", url, "--publisher", "0.0.0.0:0"], "--publisher-announce");
}
