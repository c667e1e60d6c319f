//! How SQLite carries out what readers ask: by an index, however many rows there are, and compiled once.

use std::path::Path;

use rusqlite::{Connection, StatementStatus};
use schema::{RowType as _, TABLES, Visit};

use super::{
    addresses, encounter, history,
    migrate::ROWS,
    open::{self, Absent},
    physical, ranges, resolve, runs,
    scan::{self, ColumnReader},
};
use crate::{Limits, RunFilter, Scan};

/// A new store, which is as SQLite sees a large one: it keeps no statistics of any.
fn new(directory: &Path) -> Connection {
    open::open(&directory.join("a.sqlite"), Absent::Create, &Limits::default(), &ROWS).unwrap()
}

/// The steps by which a statement is carried out.
fn plan(db: &Connection, sql: &str) -> Vec<String> {
    let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let mut rows = explain.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        steps.push(row.get(3).unwrap());
    }
    steps
}

/// Fails if a table is read from its first row to its last, or sorted.
fn assert_found_by_index(steps: &[String], sql: &str) {
    let is_bounded = |step: &&String| {
        let of_what_was_found =
            step.starts_with("SCAN found") || step.starts_with("SCAN wanted VIRTUAL TABLE");
        of_what_was_found || !(step.starts_with("SCAN") || step.contains("TEMP B-TREE"))
    };
    let unbounded: Vec<_> = steps.iter().filter(|step| !is_bounded(step)).collect();
    assert!(unbounded.is_empty(), "{unbounded:?} in\n{sql}");
}

#[test]
fn a_peer_is_found_by_indexes_alone() {
    let directory = tempfile::tempdir().unwrap();
    let db = new(directory.path());
    for table in TABLES.iter().filter(|table| table.has_subject()) {
        let sql = history::select_known(table);
        let steps = plan(&db, &sql);
        assert_found_by_index(&steps, &sql);
        let index = format!("SEARCH {0} USING COVERING INDEX {0}_by_peer (peer=?)", table.name);
        let runs = "SEARCH run USING COVERING INDEX run_in_short (id=?)".to_owned();
        assert!(steps.contains(&index) && steps.contains(&runs), "{steps:?}");
    }
    for sql in [history::SELECT_VISITS, encounter::SELECT_LATEST] {
        let steps = plan(&db, sql);
        assert_found_by_index(&steps, sql);
        assert!(steps.iter().any(|step| step.contains("INDEX visit_by_peer (peer=?)")), "{steps:?}");
    }
}

#[test]
fn rows_and_columns_are_found_by_their_numbers() {
    let directory = tempfile::tempdir().unwrap();
    let db = new(directory.path());
    let columns: Vec<_> = Visit::TABLE.flat().into_iter().map(|column| column.name).collect();
    let columns: Vec<_> = columns.iter().map(String::as_str).collect();
    let scan = Scan { runs: RunFilter::default(), table: &Visit::TABLE, columns: &columns };
    let every_column = ColumnReader::new(&db, Path::new("a"), &scan, Vec::new()).unwrap().select;
    let looked_up = [
        resolve::ADDRESSES,
        resolve::AGENTS,
        resolve::PROTOCOL_SETS,
        resolve::FAILURES,
        resolve::NAMES,
        ranges::SELECT_OF_RUN,
        addresses::SELECT,
        addresses::SELECT_PLACED,
        scan::SELECT_BATCHES,
    ];
    let rows = TABLES.iter().map(physical::select);
    for sql in looked_up.map(str::to_owned).into_iter().chain(rows).chain([every_column]) {
        assert_found_by_index(&plan(&db, &sql), &sql);
    }
}

/// SQLite compiled it anew for each peer, which was a third of what writing visits of known peers took.
#[test]
fn a_statement_is_compiled_once_whatever_it_is_asked_with() {
    let directory = tempfile::tempdir().unwrap();
    let db = new(directory.path());
    assert_eq!(runs::without_end(&db).unwrap(), []);
    let visits = [history::SELECT_VISITS, encounter::SELECT_LATEST];
    for sql in visits.map(str::to_owned).into_iter().chain(TABLES.iter().map(physical::select)) {
        let mut select = db.prepare(&sql).unwrap();
        for value in 1..20 {
            for parameter in 1..=select.parameter_count() {
                select.raw_bind_parameter(parameter, value).unwrap();
            }
            assert!(select.raw_query().next().unwrap().is_none());
        }
        assert_eq!(select.get_status(StatementStatus::RePrepare), 0, "{sql}");
    }
}
