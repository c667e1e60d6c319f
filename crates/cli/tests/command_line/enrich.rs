//! Where addresses are: by databases whose contents are known, once for the same files, again for others, never by a broken one.

use std::{fs, path::Path, sync::Arc};

use jail::names::{NameServer, Zone};
use kad::{Address, Multiaddr, PeerId};
use schema::{
    AddressVisit, PeerNumber, Row, RunEnd, RunId, RunStart, RunState, Timestamp, Tool, Visit, VisitKind,
};
use serde_json::{Value, json};
use store::{Store, StoreUrl};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::program::{Ended, Testnet, run};

/// An address, its kind, country, city and network.
type Known = (&'static str, &'static str, Option<&'static str>, Option<&'static str>, Option<u32>);

/// Addresses of one visit, with what they are by the sources of the test databases (`testdata/mmdb`).
const ADDRESSES: &[Known] = &[
    ("/ip4/89.160.20.129/tcp/4001", "public", Some("SE"), Some("Linköping"), Some(29518)),
    ("/ip4/89.160.20.129/udp/4001/quic-v1", "public", Some("SE"), Some("Linköping"), Some(29518)),
    ("/ip6/::ffff:89.160.20.129/tcp/4001", "public", Some("SE"), Some("Linköping"), Some(29518)),
    ("/ip4/2.125.160.216/tcp/4001", "public", Some("GB"), Some("Boxford"), None),
    ("/ip4/1.0.0.1/tcp/4001", "public", None, None, Some(15169)),
    ("/ip4/9.9.9.9/tcp/4001", "public", None, None, None),
    ("/ip4/192.168.0.7/tcp/4001", "private", None, None, None),
    ("/ip4/127.0.0.1/tcp/4001", "loopback", None, None, None),
    ("/ip4/203.0.113.7/tcp/4001", "special_purpose", None, None, None),
    (
        "/ip4/89.160.20.129/tcp/1/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN/p2p-circuit",
        "relayed",
        None,
        None,
        None,
    ),
    ("/dns4/several.test/tcp/4001", "name", None, None, None),
    ("/dns4/nowhere.test/tcp/4001", "name", None, None, None),
    ("/unix/socket", "placeless", None, None, None),
];

fn database(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/mmdb").join(name);
    path.to_str().expect("UTF-8").to_owned()
}

/// Writes a run that saw these addresses.
fn see(store: &Path, number: u8, addresses: impl IntoIterator<Item = Address>) {
    let started_at = Timestamp(1_795_000_000_000_000 + i64::from(number) * 1_000_000);
    let start = RunStart {
        id: RunId::new(started_at, [number; 10]),
        tool: Tool::Crawl,
        network: "test".into(),
        started_at,
        version: "0.1.0".into(),
        seed: 0,
        vantage: String::new(),
        parameters: json!({}),
    };
    let mut visit = Visit::begun(PeerNumber(0), VisitKind::First, started_at);
    let unseen = |address| AddressVisit {
        address,
        started_after: None,
        took: None,
        outcome: kad::network::AddressOutcome::NotTried,
        resolved: Vec::new(),
    };
    visit.met.addresses = addresses.into_iter().map(unseen).collect();
    let end = RunEnd { finished_at: started_at, state: RunState::Succeeded, summary: json!({}) };
    Runtime::new().expect("a runtime").block_on(async {
        let url = StoreUrl::Sqlite(store.to_owned());
        let writer = Store::open(&url).expect("a store").expect("a store").begin_run(&start).expect("a run");
        let rows = writer.sender();
        rows.send(Row::Peer(PeerNumber(0), PeerId::random())).await.expect("taken");
        rows.send(visit.into()).await.expect("taken");
        drop(rows);
        writer.finish(end).await.expect("written");
    });
}

/// A store that knows all of [`ADDRESSES`], and bytes that are no address.
fn seen() -> (TempDir, String) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a.sqlite");
    let addresses = ADDRESSES.iter().map(|(text, ..)| text.parse::<Multiaddr>().expect("an address").into());
    see(&path, 1, addresses.chain([Address::from_bytes(&[4, 1, 2])]));
    let store = path.to_str().expect("UTF-8").to_owned();
    (dir, store)
}

fn enrich(store: &str, args: &[&str]) -> Ended {
    run(["enrich", "--store", store, "--json"].iter().chain(args))
}

/// By the databases of cities and networks.
fn enriched(store: &str, args: &[&str]) -> Value {
    let (city, asn) = (database("GeoLite2-City-Test.mmdb"), database("GeoLite2-ASN-Test.mmdb"));
    let ended = enrich(store, &[&["--city", &city, "--asn", &asn], args].concat());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    ended.json()
}

/// The rows of the last run, as an export has them.
fn rows(store: &str, args: &[&str]) -> Vec<Value> {
    let export = ["export", "--store", store, "--rows", "address_place", "--out", "-"];
    let ended = run(export.iter().chain(if args.is_empty() { &["--privacy", "as-is"] } else { args }));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    ended.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn every_address_is_where_the_databases_say_that_it_is() {
    let (_dir, store) = seen();
    let summary = enriched(&store, &[]);
    let rows = rows(&store, &[]);
    assert_eq!(rows.len(), ADDRESSES.len() + 1);
    for (text, kind, country, city, asn) in ADDRESSES {
        let row = rows.iter().find(|row| row["address"] == **text).unwrap_or_else(|| panic!("{text}"));
        let said = (&row["kind"], &row["country"], &row["city"], &row["asn"]);
        assert_eq!(said, (&json!(kind), &json!(country), &json!(city), &json!(asn)), "{text}");
        let has_ip = !["relayed", "name", "placeless"].contains(kind);
        assert_eq!(!row["ip"].is_null(), has_ip, "{text}");
    }
    assert_eq!(
        summary["kinds"],
        json!({"public": 6, "private": 1, "loopback": 1, "special_purpose": 1, "relayed": 1, "name": 2, "placeless": 1, "malformed": 1})
    );
    assert_eq!((&summary["addresses"], &summary["rows"]), (&json!(14), &json!(14)));
    assert_eq!((&summary["with_country"], &summary["with_network"]), (&json!(4), &json!(4)));
    assert_eq!(summary["countries"], json!([{"name": "SE", "addresses": 3}, {"name": "GB", "addresses": 1}]));
    // AS15169, by the table that comes with the program.
    assert_eq!(summary["clouds"], json!([{"name": "google", "addresses": 1}]));
    let text = run(["runs", "latest", "--tool", "enrich", "--store", &store]);
    assert_eq!(text.code, 0, "{}", text.stderr);
}

/// The one query in the page.
#[test]
fn the_query_of_the_docs_counts_each_address_by_the_last_run() {
    let (_dir, store) = seen();
    enriched(&store, &[]);
    enriched(&store, &["--country", &database("GeoLite2-Country-Test.mmdb")]);
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/enrich.md"))
        .expect("a page");
    let query = page.split("```sql\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a query");
    let db = rusqlite::Connection::open(&store).expect("a store");
    let mut select = db.prepare(query).expect("a query");
    let found = select.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
    let found: Vec<(Option<String>, u64)> = found.map(|row| row.expect("a row")).collect();
    assert_eq!(found, [(Some("SE".to_owned()), 3), (None, 2), (Some("GB".to_owned()), 1)]);
}

#[test]
fn the_same_files_are_asked_once_and_others_again() {
    let (dir, store) = seen();
    let first = enriched(&store, &[]);
    let again = enriched(&store, &[]);
    assert_eq!(
        (&again["run_id"], &again["known_before"], &again["rows"]),
        (&Value::Null, &json!(14), &json!(0))
    );
    see(
        &dir.path().join("a.sqlite"),
        2,
        ["/ip4/2.125.160.217/tcp/1".parse::<Multiaddr>().expect("an address").into()],
    );
    let new = enriched(&store, &[]);
    assert_eq!(
        (&new["addresses"], &new["known_before"], &new["version"]),
        (&json!(1), &json!(14), &first["version"])
    );
    let country = database("GeoLite2-Country-Test.mmdb");
    let other = enriched(&store, &["--country", &country]);
    assert_eq!((&other["addresses"], &other["known_before"]), (&json!(15), &json!(0)));
    assert_ne!(other["version"], first["version"]);
    let runs = run(["runs", "--tool", "enrich", "--json", "--store", &store]).json();
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(3), "{runs}");
    let with_ranges = dir.path().join("ips-v4");
    fs::write(&with_ranges, "9.9.9.0/24\n").expect("written");
    let ranges = enriched(&store, &["--ranges", &format!("nine={}", with_ranges.display())]);
    assert_eq!(
        ranges["clouds"],
        json!([{"name": "google", "addresses": 1}, {"name": "nine", "addresses": 1}])
    );
}

#[test]
fn a_file_that_cannot_be_used_is_named_and_nothing_is_kept() {
    let (dir, store) = seen();
    let empty = dir.path().join("empty.mmdb");
    fs::write(&empty, "").expect("written");
    let city = database("GeoLite2-City-Test.mmdb");
    let half = dir.path().join("half.mmdb");
    let bytes = fs::read(&city).expect("a database");
    fs::write(&half, &bytes[..bytes.len() / 2]).expect("written");
    let (empty, half) = (empty.to_str().expect("UTF-8"), half.to_str().expect("UTF-8"));
    let (broken, pointers) =
        ("GeoIP2-City-Test-Broken-Double-Format.mmdb", "MaxMind-DB-test-broken-pointers-24.mmdb");
    for (args, named) in [
        (["--city", empty], "empty.mmdb: the file is empty"),
        (["--city", half], "half.mmdb: not a database in MaxMind's format"),
        (["--city", &database(broken)], broken),
        (["--city", &database(pointers)], pointers),
        (
            ["--asn", &city],
            "GeoLite2-City-Test.mmdb: a database of type `GeoLite2-City` does not say the asn",
        ),
        (["--city", "/nowhere/at-all.mmdb"], "/nowhere/at-all.mmdb"),
        (["--ranges", empty], "empty.mmdb"),
        (["--ranges", half], "half.mmdb"),
        (["--clouds", &database("README.md")], "README.md, line 3"),
    ] {
        let ended = enrich(&store, &args);
        assert_eq!(ended.code, 2, "{args:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(named) && ended.stdout.is_empty(), "{args:?}: {}", ended.stderr);
    }
    // It is sound, and its records are not what its type says: that shows at the first of them.
    let ended = enrich(&store, &["--country", &database("layouts/other-records.mmdb")]);
    assert_eq!(ended.code, 0, "none of its records was asked for: {}", ended.stderr);
    let runs = run(["runs", "--tool", "enrich", "--json", "--store", &store]).json();
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(1), "{runs}");
}

#[test]
fn a_database_whose_records_are_others_ends_the_run_as_failed() {
    let (dir, store) = seen();
    see(
        &dir.path().join("a.sqlite"),
        2,
        ["/ip4/5.2.65.1/tcp/1".parse::<Multiaddr>().expect("an address").into()],
    );
    let ended = enrich(&store, &["--country", &database("layouts/other-records.mmdb")]);
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("other-records.mmdb") && ended.stderr.contains("5.2.65.1"),
        "{}",
        ended.stderr
    );
    let runs = run(["runs", "--tool", "enrich", "--json", "--store", &store]).json();
    assert_eq!(runs["runs"][0]["state"], "failed");
}

#[test]
fn there_has_to_be_a_store_and_something_to_look_up_in() {
    let (dir, store) = seen();
    assert_eq!(enrich(&store, &[]).code, 2);
    let city = database("GeoLite2-City-Test.mmdb");
    assert_eq!(enrich("none", &["--city", &city]).code, 2);
    let missing = dir.path().join("missing.sqlite");
    assert_eq!(enrich(missing.to_str().expect("UTF-8"), &["--city", &city]).code, 3);
    assert!(!missing.exists());
    assert_eq!(
        enrich(&store, &["--city", &city, "--name-server", "127.0.0.1:1"]).code,
        2,
        "names are not wanted"
    );
}

#[test]
fn names_lead_to_every_ip_that_they_have() {
    let (_dir, store) = seen();
    let runtime = Runtime::new().expect("a runtime");
    let mut zone = Zone::default();
    for ip in ["89.160.20.129", "2.125.160.216", "10.0.0.1"] {
        zone.add_ip("several.test", ip.parse().expect("an IP")).expect("a name");
    }
    let start = NameServer::start(Arc::new(zone), "127.0.0.1:0".parse().expect("a socket"));
    let server = runtime.block_on(start).expect("a server");
    let without = enriched(&store, &[]);
    assert_eq!(without["kinds"]["name"], 2);
    let summary = enriched(&store, &["--names", "--name-server", &server.addr().to_string()]);
    assert_eq!((&summary["addresses"], &summary["rows"]), (&json!(14), &json!(16)));
    assert_eq!((&summary["kinds"]["name"], &summary["names_led_nowhere"]), (&json!(1), &json!(1)));
    let rows = rows(&store, &[]);
    let mut led: Vec<_> = rows
        .iter()
        .filter(|row| row["address"] == "/dns4/several.test/tcp/4001")
        .map(|row| [&row["ip"], &row["kind"], &row["country"]].map(|value| value.as_str().unwrap_or("")))
        .collect();
    led.sort_unstable();
    assert_eq!(
        led,
        [["10.0.0.1", "private", ""], ["2.125.160.216", "public", "GB"], ["89.160.20.129", "public", "SE"]]
    );
    let nowhere = rows.iter().find(|row| row["address"] == "/dns4/nowhere.test/tcp/4001").expect("a row");
    assert_eq!(nowhere["name_error"]["class"], "name_not_found");
    // Whoever asked for names knows what is to be known without them.
    assert_eq!(enriched(&store, &[])["run_id"], Value::Null);
}

#[test]
fn behind_a_veil_countries_are_shown_and_networks_are_not() {
    let (dir, store) = seen();
    enriched(&store, &[]);
    let key = dir.path().join("key");
    fs::write(&key, [7; 32]).expect("written");
    let key = key.to_str().expect("UTF-8");
    for args in [&["--privacy", "pseudonymised", "--key-file", key][..], &["--privacy", "without-ips"]] {
        let rows = rows(&store, args);
        assert!(rows.iter().any(|row| row["country"] == "SE"), "{args:?}");
        for row in &rows {
            let text = row.to_string();
            assert!(row["city"].is_null() && row["asn"].is_null() && row["organisation"].is_null(), "{text}");
            assert!(!text.contains("89.160") && !text.contains("several.test"), "{text}");
        }
    }
    let list = dir.path().join("opt-out");
    fs::write(&list, "89.160.0.0/16\n").expect("written");
    let left = rows(&store, &["--privacy", "as-is", "--opt-out", list.to_str().expect("UTF-8")]);
    assert!(left.iter().all(|row| !row.to_string().contains("89.160")), "{left:?}");
    assert!(left.iter().any(|row| row["country"] == "GB"));
}

#[test]
fn a_crawl_that_is_given_databases_looks_up_what_it_saw() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = dir.path().join("a.sqlite");
    let store = store.to_str().expect("UTF-8");
    let testnet = Testnet::healthy(20);
    let bootstrap = testnet.bootstrap()[0];
    let crawl = |store: &str, city: &str| {
        run([
            "crawl",
            "--json",
            "--addresses",
            "loopback",
            "--store",
            store,
            "--bootstrap",
            bootstrap,
            "--city",
            city,
        ])
    };
    let city = database("GeoLite2-City-Test.mmdb");
    let crawled = crawl(store, &city);
    assert_eq!((crawled.code, &crawled.json()["state"]), (0, &json!("succeeded")), "{}", crawled.stderr);
    assert!(crawled.stderr.contains("looked up"), "{}", crawled.stderr);
    let rows = rows(store, &["--tool", "enrich", "--privacy", "as-is"]);
    assert!(rows.len() >= 20 && rows.iter().all(|row| row["kind"] == "loopback"), "{rows:?}");
    // Files are looked at before anybody is asked.
    let broken = crawl(store, &database("README.md"));
    assert_eq!((broken.code, broken.stdout.as_str()), (2, ""), "{}", broken.stderr);
    assert_eq!(crawl("none", &city).code, 2);
}
