//! Studies that are kept and read back.

#![expect(clippy::unwrap_used, reason = "a test ends at the first error")]

mod chains;
mod killed;
mod made;
mod reading;

use std::path::Path;

use schema::{Row, RunStart};
use store::{Limits, Store, StoreUrl};

/// A store with small batches.
pub(crate) fn open(path: &Path) -> Store {
    let limits = Limits { batch_rows: 50, ..Limits::default() };
    Store::open_with(&StoreUrl::Sqlite(path.to_owned()), limits).unwrap().unwrap()
}

/// Keeps rows as one run that comes to its end.
pub(crate) async fn keep(store: &Store, start: &RunStart, rows: impl IntoIterator<Item = Row>) {
    let writer = store.begin_run(start).unwrap();
    let sender = writer.sender();
    for row in rows {
        sender.send(row).await.unwrap();
    }
    drop(sender);
    writer.finish(made::end()).await.unwrap();
}
