//! What SQL alone shows.

use schema::TABLES;

use crate::{conformance, place, rows, server::Server};

/// Both ways: no view shows what is not described, and nothing that is described is missing.
#[test]
fn the_views_show_what_is_described() {
    let server = Server::shared();
    let database = server.database();
    kadscope_store::Store::open(&server.url(&database)).unwrap().unwrap();
    let shown = |view: &str| -> Vec<String> {
        let sql = format!(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'kadscope.{view}_view'::regclass AND attnum > 0 ORDER BY attnum"
        );
        server.sql(&database, &sql).lines().map(str::to_owned).collect()
    };
    for table in TABLES {
        let described: Vec<_> = table.flat().into_iter().map(|column| column.name).collect();
        assert_eq!(shown(table.name), described);
        for list in table.lists() {
            let described: Vec<_> = list.columns.into_iter().map(|column| column.name).collect();
            assert_eq!(shown(&list.name), described, "{}", list.name);
        }
    }
}

/// What people ask, by nothing but SQL.
#[tokio::test]
async fn what_a_crawl_saw_can_be_asked_with_sql() {
    let server = Server::shared();
    let database = server.database();
    let store = kadscope_store::Store::open(&server.url(&database)).unwrap().unwrap();
    conformance::keep(&store, &rows::start(1), rows::crawl(100, 20, true)).await;
    let ask = |sql: &str| server.sql(&database, &format!("SET search_path = kadscope; {sql}"));
    assert_eq!(ask("SELECT tool, state, visit_count, edge_count FROM run_view"), "crawl|succeeded|100|2000");
    assert_eq!(ask("SELECT count(*), count(*) FILTER (WHERE reachable) FROM visit_view"), "100|90");
    assert_eq!(ask("SELECT count(*), count(DISTINCT neighbor_peer_id) FROM visit_neighbor_view"), "2000|100");
    assert_eq!(
        ask("SELECT error, count(*) FROM peer_view GROUP BY error ORDER BY 2"),
        "connection_refused|10\n|90"
    );
    let fates = "SELECT outcome, count(*) FROM visit_address_view GROUP BY outcome ORDER BY outcome";
    assert_eq!(ask(fates), "connected|90\nnot_tried|200\nabandoned|100\nskipped|200\nfailed|10");
    assert_eq!(ask("SELECT sum(peers) FROM visit_prefix_view WHERE outcome = 'answered'"), "28800");
    let peer = rows::peer(7);
    let known = format!("SELECT count(*), min(agent) FROM visit_view WHERE peer_id = '{peer}'");
    assert_eq!(ask(&known), "1|kubo/0.7.0/");
    assert_eq!(
        ask("SELECT count(*) FROM pg_inherits WHERE inhparent = 'visit'::regclass"),
        "3",
        "a month and both ends"
    );
}

/// A peer's row over all runs is found by an index, whatever the size.
#[tokio::test]
async fn one_peer_over_all_runs_is_looked_up() {
    let (server, open) = place();
    let store = open();
    for n in 1..=3 {
        conformance::keep(&store, &rows::start(n), rows::crawl(300, 2, false)).await;
    }
    let database = store.name().rsplit_once('/').unwrap().1.to_owned();
    let plan = server.sql(
        &database,
        &format!(
            "SET search_path = kadscope; SET enable_seqscan = off; ANALYZE;
             EXPLAIN SELECT * FROM visit WHERE peer = (SELECT id FROM peer WHERE peer_id = '{}')",
            rows::peer(5)
        ),
    );
    assert!(plan.contains("peer_by_peer_id") && !plan.contains("Seq Scan on visit_2"), "{plan}");
}
