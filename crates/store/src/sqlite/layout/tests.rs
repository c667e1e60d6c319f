//! The layout that is written down is the one that is described.

use std::{fs, path::PathBuf};

use schema::{TABLES, table::Holds};

use super::layout;

#[test]
fn the_layout_is_what_the_descriptions_say() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("migrations/0001_rows.sql");
    let made = layout();
    if std::env::var_os("KADSCOPE_WRITE").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == made,
        "{} is stale: `KADSCOPE_WRITE=1 cargo test -p kadscope-store --lib layout` writes it anew",
        path.display()
    );
}

/// Both ways: no view shows what is not described, and nothing that is described is missing.
#[test]
fn the_views_show_what_is_described() {
    let db = rusqlite::Connection::open_in_memory().unwrap();
    db.execute_batch(include_str!("../../../migrations/0001_runs.sql")).unwrap();
    db.execute_batch(&layout()).unwrap();
    let shown = |view: &str| -> Vec<String> {
        let select = db.prepare(&format!("SELECT * FROM {view}_view")).unwrap();
        select.column_names().map(str::to_owned).collect()
    };
    for table in TABLES {
        let described: Vec<_> = table.flat().into_iter().map(|column| column.name).collect();
        assert_eq!(shown(table.name), described);
        for list in table.lists() {
            let described: Vec<_> = list.columns.into_iter().map(|column| column.name).collect();
            assert_eq!(shown(&list.name), described);
        }
        let lists = table.all_columns().filter(|column| matches!(column.holds, Holds::List(_))).count();
        assert_eq!(lists, table.lists().len());
    }
}
