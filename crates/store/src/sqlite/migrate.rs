//! The layout of the file and its versions. Each version is one file of SQL, applied in one transaction.

use rusqlite::{Connection, TransactionBehavior};

/// A kind of files of ours.
#[derive(Debug)]
pub(crate) struct FileKind {
    /// Says in the file's header that it is one of them.
    pub(crate) application_id: u32,
    /// The migrations in order; the version of a file is the number of those that were applied.
    pub(crate) migrations: &'static [&'static [&'static str]],
}

/// Files with the rows of runs: `kads`. The second part of a migration holds the tables that follow from what `schema` says of
/// the kinds of rows, the third the register of who measures.
pub(crate) const ROWS: FileKind = FileKind {
    application_id: 0x6b61_6473,
    migrations: &[&[
        include_str!("../../migrations/0001_runs.sql"),
        include_str!("../../migrations/0001_rows.sql"),
        include_str!("../../migrations/0001_register.sql"),
    ]],
};

impl FileKind {
    /// The newest version.
    pub(super) fn latest(&self) -> u32 {
        u32::try_from(self.migrations.len()).unwrap_or(u32::MAX)
    }
}

/// Who wrote a file, and in which layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    /// Zero where no program said so.
    pub(super) application_id: u32,
    /// Zero where no program said so.
    pub(super) version: u32,
    /// Whether there is nothing at all in it.
    pub(super) blank: bool,
}

/// Reads who wrote a file, at one moment: another process may be making it.
pub(super) fn identity(connection: &Connection) -> rusqlite::Result<Identity> {
    let transaction = connection.unchecked_transaction()?;
    let identity = read_identity(&transaction)?;
    transaction.commit()?;
    Ok(identity)
}

/// The same within a transaction.
fn read_identity(connection: &Connection) -> rusqlite::Result<Identity> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let application_id = pragma("application_id")?.cast_unsigned();
    let version = pragma("user_version")?.cast_unsigned();
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    Ok(Identity { application_id, version, blank: pages == 0 })
}

/// Brings a file that is ours or blank to the newest layout. Another process may be doing the same: whoever comes
/// second finds nothing to do.
pub(super) fn migrate(connection: &mut Connection, kind: &FileKind) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
    // So that room can be given back while others write. It has to be said before there is a page, and makes the first one: so
    // it stands within the transaction and locks out who writes; a file with that page alone would be nobody's.
    transaction.pragma_update(None, "auto_vacuum", "incremental")?;
    let version = usize::try_from(read_identity(&transaction)?.version).unwrap_or(usize::MAX);
    for migration in kind.migrations.iter().skip(version).copied().flatten() {
        transaction.execute_batch(migration)?;
    }
    if version < kind.migrations.len() {
        transaction.pragma_update(None, "application_id", kind.application_id)?;
        transaction.pragma_update(None, "user_version", kind.latest())?;
    }
    transaction.commit()
}
