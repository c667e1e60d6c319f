//! Every query that docs and program offer is run on a crawl, and says the same as the summary.

use std::{collections::BTreeMap, fs, path::Path};

use rusqlite::Connection;
use serde_json::Value;

use crate::program::{Testnet, run};

/// Peers of every kind: most are visited twice, some are never dialled.
const SCENARIO: &str = "seed = 5\npeers = 80\n\n[[states]]\nstate = \"refusing\"\nshare = 0.2\n\n\
    [[states]]\nstate = \"relayed_only\"\nshare = 0.1\n\n[[states]]\nstate = \"private_only\"\nshare = 0.1\n\n\
    [[states]]\nstate = \"reset\"\nat = \"secure\"\nshare = 0.1\n\n[[states]]\nstate = \"reset\"\nat = \"multiplex\"\nshare = 0.1\n";

/// The queries in the fences of a page.
fn queries(page: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(page);
    let text = fs::read_to_string(path).expect("a page");
    let fences = text.split("```sql\n").skip(1).filter_map(|rest| rest.split("```").next());
    fences
        .flat_map(|fence| fence.split(';'))
        .map(|query| query.trim().to_owned())
        .filter(|q| !q.is_empty())
        .collect()
}

/// A query of two columns, a name and a count.
fn counts(store: &Connection, query: &str) -> BTreeMap<String, u64> {
    let mut select = store.prepare(query).expect("a query");
    let row =
        |row: &rusqlite::Row<'_>| Ok((row.get::<_, Option<String>>(0)?.unwrap_or_default(), row.get(1)?));
    select.query_map((), row).expect("rows").map(|row| row.expect("a row")).collect()
}

fn object(value: &Value) -> BTreeMap<String, u64> {
    let fields = value.as_object().expect("an object");
    fields.iter().map(|(name, count)| (name.clone(), count.as_u64().expect("a number"))).collect()
}

#[test]
fn the_examples_of_the_docs_agree_with_the_summary() {
    let dir = tempfile::tempdir().expect("a directory");
    let scenario = dir.path().join("lab.toml");
    fs::write(&scenario, SCENARIO).expect("written");
    let testnet = Testnet::start(&scenario);
    let path = dir.path().join("a.sqlite");
    let store = path.to_str().expect("UTF-8");
    let bootstrap = testnet.bootstrap().join(",");
    let crawl = [
        "crawl",
        "--addresses",
        "loopback",
        "--neighbors",
        "--json",
        "--store",
        store,
        "--bootstrap",
        &bootstrap,
    ];
    // What was crawled before is not added up.
    run(crawl);
    let summary = run(crawl).json();
    assert!(summary["visits"]["second_pass"].as_u64() > Some(0));

    let db = Connection::open(&path).expect("a store");
    let queries = queries("docs/operating.md");
    assert!(queries.len() >= 5, "{queries:?}");
    assert_eq!(counts(&db, &queries[0]), object(&summary["agents"]));
    // Some were reached, and reset the connection before they said who they are.
    let reached =
        "SELECT 'all', count(*) FROM peer_view WHERE reachable AND run_id = (SELECT max(run_id) FROM run)";
    let reached = counts(&db, reached).get("all").copied();
    assert_eq!(reached, summary["peers"]["reachable"].as_u64());
    assert!(reached > Some(object(&summary["agents"]).values().sum()));
    assert_eq!(counts(&db, &queries[1]), object(&summary["errors"]));
    assert!(summary["peers"]["turned_away"].as_u64() > Some(0));
    assert_eq!(counts(&db, &queries[2]), object(&summary["turned_away"]));
    for query in &queries {
        let mut select = db.prepare(query).expect("a query that SQLite takes");
        assert!(select.query_map((), |_| Ok(())).expect("rows").count() > 0, "{query}");
    }
}

#[test]
fn the_demo_offers_the_first_example() {
    let source = include_str!("../../src/render/next.rs");
    let offered = queries("docs/operating.md")[0].split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(source.contains(&offered), "{offered}");
}
