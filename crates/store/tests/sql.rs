//! What a user of plain SQL sees is what the typed readers say.

#![expect(clippy::unwrap_used, reason = "a test ends at the first error")]

use std::time::Duration;

use kad::{
    Address,
    failure::{Failure, FailureClass, Phase, SkipReason},
    network::AddressOutcome,
};
use kadscope_store::{Store, StoreUrl};
use multiaddr::Multiaddr;
use rusqlite::{Connection, StatementStatus};
use schema::{AddressVisit, Encounter, PeerNumber, PrefixOutcome, Row, Visit, VisitKind, visit::PREFIXES};

#[path = "suite/conformance.rs"]
#[expect(dead_code, reason = "the suite itself runs elsewhere")]
mod conformance;
#[path = "suite/rows.rs"]
mod rows;

/// A crawl with a visit of every tenth kind, closed, opened again with nothing but SQLite.
async fn a_database() -> (tempfile::TempDir, Connection, Vec<Visit>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("crawls.db");
    let mut rows: Vec<_> = rows::crawl(300, 40, true).collect();
    for row in &mut rows {
        if let Row::Visit(visit) = row {
            let turn = visit.peer.0 as usize % visit.met.listen_addrs.len().max(1);
            visit.met.listen_addrs.rotate_left(turn);
            visit.prefixes[3] = PrefixOutcome::Saved;
            visit.prefixes[4] = PrefixOutcome::Failed(FailureClass::StreamReset);
            visit.prefixes[5] = PrefixOutcome::Answered { peers: 1000 };
            if visit.peer.0 % 3 == 0 {
                visit.met.addresses.push(by_name(visit.peer.0));
            }
        }
    }
    let store = Store::open(&StoreUrl::Sqlite(path.clone())).unwrap().unwrap();
    // Another crawl before it, so that numbers of rows and of peers differ.
    conformance::keep(&store, &rows::start(1), rows::crawl(100, 3, true)).await;
    conformance::keep(&store, &rows::start(2), rows.iter().cloned()).await;
    let visits = store.visits(rows::start(2).id).unwrap().map(Result::unwrap).collect();
    (directory, Connection::open(&path).unwrap(), visits)
}

fn address(text: &str) -> Address {
    text.parse::<Multiaddr>().unwrap().into()
}

/// An address with a name that led to two others.
fn by_name(peer: u32) -> AddressVisit {
    let refused = Failure::new(Phase::Connect, FailureClass::ConnectionRefused);
    let led_to = |host: u32, outcome| AddressVisit {
        address: address(&format!("/ip4/10.0.{host}.{}/tcp/1", peer % 256)),
        started_after: Some(Duration::from_millis(host.into())),
        took: Some(Duration::from_millis(7)),
        outcome,
        resolved: Vec::new(),
    };
    AddressVisit {
        address: address(&format!("/dns4/host-{peer}.test/tcp/1")),
        resolved: vec![
            led_to(0, AddressOutcome::Failed(refused.clone())),
            led_to(1, AddressOutcome::Skipped(SkipReason::Private)),
        ],
        ..led_to(2, AddressOutcome::Failed(refused))
    }
}

/// All rows of a query about the second crawl, as text.
fn select(db: &Connection, sql: &str) -> Vec<Vec<String>> {
    let sql = format!("WITH mine AS (SELECT visit FROM visit_view WHERE run_id = ?1) {sql}");
    let mut select = db.prepare(&sql).unwrap();
    let columns = select.column_count();
    let text = |value| match value {
        rusqlite::types::Value::Null => "-".to_owned(),
        rusqlite::types::Value::Integer(number) => number.to_string(),
        rusqlite::types::Value::Text(text) => text,
        other => format!("{other:?}"),
    };
    let rows = select.query_map((rows::start(2).id.to_string(),), |row| {
        (0..columns).map(|column| row.get(column).map(text)).collect()
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// Says which row differs, not all of them.
fn assert_same(seen: &[Vec<String>], expected: impl Iterator<Item = Vec<String>>) {
    let expected: Vec<_> = expected.collect();
    for (position, (seen, expected)) in seen.iter().zip(&expected).enumerate() {
        assert_eq!(seen, expected, "row {position}");
    }
    assert_eq!(seen.len(), expected.len());
}

fn name(number: PeerNumber) -> String {
    rows::peer(number.0).to_string()
}

#[tokio::test]
async fn views_show_names_and_text() {
    let (_directory, db, visits) = a_database().await;
    let seen = select(
        &db,
        "SELECT peer_id, started_at, reachable, transport, security, agent, connect_error_class, neighbor_count
         FROM visit_view WHERE visit IN mine ORDER BY visit",
    );
    let expected = visits.iter().map(|visit| {
        let or_none = |text: Option<&str>| text.unwrap_or("-").to_owned();
        let connection = visit.met.connection.as_ref();
        vec![
            name(visit.peer),
            visit.met.started_at.to_string(),
            u8::from(visit.is_reachable()).to_string(),
            or_none(connection.map(|c| c.transport.name())),
            or_none(connection.map(|c| c.security.name())),
            or_none(visit.met.agent_version.as_deref()),
            or_none(visit.met.connect_error.as_ref().map(|failure| failure.class.name())),
            visit.neighbors.as_ref().unwrap().len().to_string(),
        ]
    });
    assert_same(&seen, expected);
    let states: Vec<String> = db
        .prepare("SELECT state FROM run_view")
        .unwrap()
        .query_map((), |r| r.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(states, ["succeeded", "succeeded"]);
}

#[tokio::test]
async fn views_read_the_lists() {
    let (_directory, db, visits) = a_database().await;
    let neighbors = visits.iter().flat_map(|visit| {
        visit.neighbors.iter().flatten().map(|&neighbor| vec![name(visit.peer), name(neighbor)])
    });
    let seen = select(
        &db,
        "SELECT peer_id, neighbor_peer_id FROM visit_neighbor_view WHERE visit IN mine ORDER BY visit, neighbor_number",
    );
    assert_same(&seen, neighbors);
    let listens = visits.iter().flat_map(|visit| visit.met.listen_addrs.iter().map(|a| vec![a.to_string()]));
    let seen = select(
        &db,
        "SELECT multiaddr FROM visit_listen_address_view WHERE visit IN mine ORDER BY visit, position",
    );
    assert_same(&seen, listens);
    let prefixes =
        visits.iter().flat_map(|visit| visit.prefixes.iter().map(|&prefix| outcome(prefix).to_vec()));
    let seen = select(
        &db,
        "SELECT outcome, peers, class FROM visit_prefix_view WHERE visit IN mine ORDER BY visit, prefix",
    );
    assert_eq!(seen.len(), visits.len() * PREFIXES);
    assert_same(&seen, prefixes);
}

fn outcome(prefix: PrefixOutcome) -> [String; 3] {
    match prefix {
        PrefixOutcome::NotAsked => ["not_asked".into(), "-".into(), "-".into()],
        PrefixOutcome::Saved => ["saved".into(), "-".into(), "-".into()],
        PrefixOutcome::Answered { peers } => ["answered".into(), peers.to_string(), "-".into()],
        PrefixOutcome::Failed(class) => ["failed".into(), "-".into(), class.name().into()],
    }
}

#[tokio::test]
async fn addresses_are_shown_with_their_fate() {
    let (_directory, db, visits) = a_database().await;
    let fates = visits.iter().flat_map(|visit| &visit.met.addresses).map(|address| {
        let (outcome, detail) = match &address.outcome {
            AddressOutcome::Connected => ("connected", "-"),
            AddressOutcome::NotTried => ("not_tried", "-"),
            AddressOutcome::Abandoned => ("abandoned", "-"),
            AddressOutcome::Skipped(reason) => ("skipped", reason.name()),
            AddressOutcome::Failed(failure) => ("failed", failure.class.name()),
        };
        vec![address.address.to_string(), outcome.to_owned(), detail.to_owned()]
    });
    let sql = "SELECT multiaddr, outcome, coalesce(skip_reason, class) FROM visit_address_view
        WHERE visit IN mine AND place IS NULL ORDER BY visit, position";
    assert_same(&select(&db, sql), fates);
}

#[tokio::test]
async fn the_counts_of_a_crawl_are_those_of_its_rows() {
    let (_directory, db, _) = a_database().await;
    let (stored, counted): (String, String) = db
        .query_row(
            "SELECT
                 group_concat(peer_count || ' ' || visit_count || ' ' || edge_count),
                 group_concat(
                     (SELECT count(*) FROM run_peer WHERE run = run.id) || ' ' ||
                     (SELECT count(*) FROM visit WHERE run = run.id) || ' ' ||
                     (SELECT sum(neighbor_count) FROM visit WHERE run = run.id))
             FROM run",
            (),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert_eq!(stored, "100 100 300,300 300 12000");
    assert_eq!(stored, counted);
}

#[tokio::test]
async fn values_are_kept_once() {
    let (_directory, db, _) = a_database().await;
    for (table, value) in
        [("peer", "peer_id"), ("address", "multiaddr"), ("agent", "agent"), ("protocol_set", "protocols")]
    {
        let sql = format!("SELECT count(*), count(DISTINCT {value}) FROM {table}");
        let (rows, values): (i64, i64) =
            db.query_row(&sql, (), |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert!(rows > 0 && rows == values, "{table}: {rows} rows of {values} values");
    }
    let text: String =
        db.query_row("SELECT multiaddr FROM address WHERE id = 2", (), |row| row.get(0)).unwrap();
    assert!(text.parse::<Multiaddr>().is_ok(), "{text}");
}

#[tokio::test]
async fn the_other_end_and_where_names_led_to_are_shown() {
    let (_directory, db, visits) = a_database().await;
    let seen =
        select(&db, "SELECT socket, rtt_us, rtt_source FROM visit_view WHERE visit IN mine ORDER BY visit");
    let expected = visits.iter().map(|visit| match &visit.met.connection {
        None => ["-"; 3].map(str::to_owned).to_vec(),
        Some(connection) => {
            let rtt = connection.rtt.unwrap();
            vec![connection.socket.to_string(), rtt.time.as_micros().to_string(), "tcp_info".to_owned()]
        }
    });
    assert_same(&seen, expected);
    let seen = select(
        &db,
        "SELECT named.multiaddr, led_to.multiaddr, led_to.outcome, led_to.class, led_to.skip_reason,
             led_to.started_after_us, led_to.took_us
         FROM visit_address_view AS led_to JOIN visit_address_view AS named USING (visit, position)
         WHERE visit IN mine AND led_to.place IS NOT NULL AND named.place IS NULL
         ORDER BY visit, position, led_to.place",
    );
    let expected = (0..300_u32).filter(|peer| peer % 3 == 0).flat_map(|peer| {
        let (name, end) = (format!("/dns4/host-{peer}.test/tcp/1"), format!("{}/tcp/1", peer % 256));
        [
            [&name, &format!("/ip4/10.0.0.{end}"), "failed", "connection_refused", "-", "0", "7000"],
            [&name, &format!("/ip4/10.0.1.{end}"), "skipped", "-", "private", "1000", "7000"],
        ]
        .map(|row| row.map(str::to_owned).to_vec())
    });
    assert_same(&seen, expected);
    assert!(visits.iter().step_by(3).all(|visit| visit.met.addresses.last().unwrap().resolved.len() == 2));
}

/// Peers of one crawl: reached at once, refused, reached by a second visit, without an address, with private addresses only,
/// never visited, one that had no room for us in its last visit, and three that reset the connection: while it was secured,
/// before that, and after that, so that they were reached.
fn fates() -> Vec<Row> {
    let mut rows: Vec<Row> = (0..10).map(|n| Row::Peer(PeerNumber(n), rows::peer(n))).collect();
    let refused = |n| Visit { peer: PeerNumber(n), ..rows::visit(9) };
    let mut nowhere = Visit {
        met: Encounter { connect_error: None, addresses: Vec::new(), ..refused(3).met },
        ..refused(3)
    };
    let mut private = Visit { peer: PeerNumber(4), ..nowhere.clone() };
    private.met.addresses = refused(4).met.addresses;
    for address in &mut private.met.addresses {
        address.outcome = AddressOutcome::Skipped(SkipReason::Private);
    }
    nowhere.kind = VisitKind::SecondPass;
    let again = Visit { peer: PeerNumber(2), kind: VisitKind::SecondPass, ..rows::visit(2) };
    let failed = |n, phase, class| {
        let connect_error = Some(Failure::new(phase, class));
        Visit { met: Encounter { connect_error, ..refused(n).met }, ..refused(n) }
    };
    let full = failed(6, Phase::Connect, FailureClass::ResourceLimit);
    let resets = [(7, Phase::Secure), (8, Phase::Connect)]
        .map(|(n, phase)| failed(n, phase, FailureClass::ConnectionReset));
    let crawl_error = Some(Failure::new(Phase::Multiplex, FailureClass::ConnectionReset));
    let reached = Visit { peer: PeerNumber(9), crawl_error, ..rows::visit(1) };
    let visits =
        [rows::visit(0), refused(1), refused(2), refused(3), private, again, nowhere, refused(6), full];
    let visits = visits.into_iter().chain(resets).chain([reached]);
    rows.extend(visits.map(|visit| Row::Visit(Box::new(visit))));
    rows
}

#[tokio::test]
async fn a_peer_has_one_row_a_crawl_with_the_last_word_on_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("crawls.db");
    let store = Store::open(&StoreUrl::Sqlite(path.clone())).unwrap().unwrap();
    // The same peers in a crawl before: they are not added up.
    conformance::keep(&store, &rows::start(1), rows::crawl(10, 0, false)).await;
    conformance::keep(&store, &rows::start(2), fates().into_iter()).await;
    let db = Connection::open(&path).unwrap();
    let seen = select(
        &db,
        "SELECT peer_id, visits, reachable, error, turned_away, agent IS NULL, address FROM peer_view
         WHERE run_id = ?1 AND (SELECT count(*) FROM mine) > 0 ORDER BY number",
    );
    let reached = |n: u32| rows::visit(n).met.addresses[1].address.to_string();
    let expected = [
        ["1", "1", "-", "-", "0", &reached(0)],
        ["1", "0", "connection_refused", "-", "1", "-"],
        ["2", "1", "-", "-", "0", &reached(2)],
        ["2", "0", "no_address", "-", "1", "-"],
        ["1", "0", "only_private", "-", "1", "-"],
        ["0", "-", "-", "-", "1", "-"],
        ["2", "0", "-", "resource_limit", "1", "-"],
        ["1", "0", "-", "connection_reset", "1", "-"],
        ["1", "0", "connection_reset", "-", "1", "-"],
        ["1", "1", "-", "-", "0", &reached(1)],
    ];
    let expected = (0..)
        .zip(expected)
        .map(|(n, columns)| std::iter::once(name(PeerNumber(n))).chain(columns.map(str::to_owned)).collect());
    assert_same(&seen, expected);
    let every: i64 = db.query_row("SELECT count(*) FROM peer_view", (), |row| row.get(0)).unwrap();
    assert_eq!(every, 20);
}

/// How many steps SQLite takes for a query about one visit, in a store of so many visits.
async fn steps(visits: u32, sql: &str) -> i32 {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("crawls.db");
    let store = Store::open(&StoreUrl::Sqlite(path.clone())).unwrap().unwrap();
    conformance::keep(&store, &rows::start(1), rows::crawl(visits, 10, true)).await;
    let db = Connection::open(&path).unwrap();
    let mut statement = db.prepare(sql).unwrap();
    assert!(statement.query_map((), |_| Ok(())).unwrap().count() > 0, "{sql}");
    statement.get_status(StatementStatus::VmStep)
}

/// Counted in steps, not in time: a look at one visit must not read the others.
#[tokio::test]
async fn what_is_asked_of_one_visit_costs_that_visit() {
    for sql in [
        "SELECT * FROM visit_neighbor_view WHERE visit = 7",
        "SELECT * FROM visit_prefix_view WHERE visit = 7",
        "SELECT * FROM visit_listen_address_view WHERE visit = 7",
        "SELECT * FROM visit_address_view WHERE visit = 7",
        "SELECT * FROM visit_view WHERE visit = 7",
        "SELECT * FROM peer_view WHERE run_id = (SELECT run_id FROM run) AND number = 6",
    ] {
        let (few, many) = (steps(30, sql).await, steps(600, sql).await);
        assert!(many <= few + few / 4, "{sql}: {few} steps among 30 visits, {many} among 600");
    }
}
