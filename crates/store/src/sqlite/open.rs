//! Opens the file, or refuses it by name and leaves it as it is.
//!
//! A file is looked at before it is opened in earnest, over a connection that takes no lock, writes nothing and makes no
//! file beside it. Nothing but SQLite ever opens the file: closing a descriptor of one's own would drop the locks that
//! SQLite holds for this process.

use std::{
    fs::{self, File, Metadata},
    io,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};
use tokio::time::Instant;

use super::{
    error,
    migrate::{self, FileKind, Identity},
};
use crate::{
    Error, Limits,
    limits::{PAGE_CACHE_KIB, STATEMENTS},
};

/// Whether a file that does not exist is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absent {
    Create,
    Refuse,
}

/// Opens the file at `path`, made or brought to the newest layout where that is needed.
pub(crate) fn open(
    path: &Path,
    absent: Absent,
    limits: &Limits,
    kind: &FileKind,
) -> Result<Connection, Error> {
    let checked = match find(path)? {
        Some(file) => probe(path, &file, limits, kind)?,
        None if absent == Absent::Refuse => return Err(Error::Missing { path: path.to_owned() }),
        None => false,
    };
    let fail = |operation, error| error::named(path, operation, limits.busy_timeout, error);
    let mut connection = connect(path, absent, limits)?;
    // Until the file is accepted, closing it must not fold its write-ahead log into it.
    set_checkpoint_on_close(&connection, false).map_err(|e| fail("open it", e))?;
    let identity = migrate::identity(&connection).map_err(|e| fail("read its header", e))?;
    accept(path, identity, kind)?;
    if !checked && !identity.blank && size(path) <= limits.check_up_to_bytes {
        check(&connection, path, limits)?;
    }
    if identity.version < kind.latest() {
        migrate::migrate(&mut connection, kind).map_err(|e| fail("bring its layout up to date", e))?;
    }
    use_write_ahead_log(&connection, limits).map_err(|e| fail("set up its write-ahead log", e))?;
    set_checkpoint_on_close(&connection, true).map_err(|e| fail("open it", e))?;
    Ok(connection)
}

/// One more connection to a file that [`open`] has accepted.
pub(crate) fn connect(path: &Path, absent: Absent, limits: &Limits) -> Result<Connection, Error> {
    let fail = |error| error::named(path, "open it", limits.busy_timeout, error);
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, absent == Absent::Create);
    let connection =
        Connection::open_with_flags(path, flags).map_err(|error| cannot_open(path, fail(error)))?;
    if connection.is_readonly("main").map_err(fail)? {
        return Err(Error::ReadOnly { store: path.display().to_string(), operation: "open it" });
    }
    connection.busy_timeout(limits.busy_timeout).map_err(fail)?;
    remember_statements(&connection).map_err(fail)?;
    connection.pragma_update(None, "synchronous", "normal").map_err(fail)?;
    connection.pragma_update(None, "cache_size", -PAGE_CACHE_KIB).map_err(fail)?;
    // A page that is split leaves no copy of its rows behind, which no deletion would find.
    connection.pragma_update(None, "secure_delete", "fast").map_err(fail)?;
    Ok(connection)
}

/// Keeps statements as they were compiled. Otherwise SQLite compiles some anew for every value that they are asked with, since
/// the value could make another plan the better one: none of ours has such a choice.
pub(super) fn remember_statements(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

/// Says more than SQLite does of a file that could not be made.
fn cannot_open(path: &Path, error: Error) -> Error {
    match File::create_new(path) {
        Err(source) => match source.kind() {
            io::ErrorKind::AlreadyExists => error,
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                Error::ReadOnly { store: path.display().to_string(), operation: "make it" }
            }
            _ => Error::Io { path: path.to_owned(), operation: "make it", source },
        },
        Ok(_) => error,
    }
}

/// Looks for the file; `None` if there is none and its directory exists.
fn find(path: &Path) -> Result<Option<Metadata>, Error> {
    let refuse = |reason| Err(Error::Directory { path: path.to_owned(), reason });
    match fs::metadata(path) {
        Ok(file) if file.is_dir() => refuse("it is a directory"),
        Ok(file) if !file.is_file() => Err(Error::NotADatabase { path: path.to_owned() }),
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
            if directory.is_none_or(Path::is_dir) {
                return Ok(None);
            }
            refuse("its directory does not exist")
        }
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            refuse("what should be its directory is a file")
        }
        Err(source) => Err(Error::Io { path: path.to_owned(), operation: "look at it", source }),
    }
}

/// Looks into a file without a trace, and says whether it was checked for damage.
fn probe(path: &Path, file: &Metadata, limits: &Limits, kind: &FileKind) -> Result<bool, Error> {
    if file.len() == 0 {
        return Ok(false);
    }
    let fail = |operation, error| error::named(path, operation, limits.busy_timeout, error);
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(uri(path, "immutable=1"), flags).map_err(|e| fail("open it", e))?;
    let identity = match migrate::identity(&connection) {
        // What is written by halves is whole again once its log is read.
        Err(error) if is(&error, ErrorCode::DatabaseCorrupt) && in_use(path) => return Ok(false),
        identity => identity.map_err(|e| fail("read its header", e))?,
    };
    if identity.blank {
        // Some bytes, yet not a page: SQLite would take the file for a new one and write over them.
        return Err(Error::NotADatabase { path: path.to_owned() });
    }
    accept(path, identity, kind)?;
    if file.len() > limits.check_up_to_bytes || in_use(path) {
        return Ok(false);
    }
    match check(&connection, path, limits) {
        // Somebody writes: what was read may be half of it.
        Err(_) if in_use(path) || is_changed(path, file) => Ok(false),
        checked => checked.map(|()| true),
    }
}

/// Refuses what is not ours, or of no layout that is known.
pub(super) fn accept(path: &Path, identity: Identity, kind: &FileKind) -> Result<(), Error> {
    let path = path.to_owned();
    let Identity { application_id, version, blank } = identity;
    if application_id != kind.application_id && !blank {
        return Err(Error::Foreign { path, application_id });
    }
    let supported = kind.latest();
    if version > supported {
        return Err(Error::Newer { path, version, supported });
    }
    // Both stand in the header since one and the same transaction.
    if version == 0 && !blank {
        return Err(Error::Unversioned { path });
    }
    Ok(())
}

/// Reads the structure of the whole file, without comparing indexes with their tables.
pub(super) fn check(connection: &Connection, path: &Path, limits: &Limits) -> Result<(), Error> {
    const OPERATION: &str = "check it";
    let found = connection
        .query_row("PRAGMA quick_check(1)", (), |row| row.get::<_, String>(0))
        .map_err(|error| error::named(path, OPERATION, limits.busy_timeout, error))?;
    if found == "ok" {
        return Ok(());
    }
    Err(Error::Damaged { store: path.display().to_string(), operation: OPERATION, detail: found })
}

/// Whether a log stands beside the file: of a process that writes it now, or that was killed.
pub(super) fn in_use(path: &Path) -> bool {
    ["-wal", "-journal"].iter().any(|suffix| size(&beside(path, suffix)) > 0)
}

fn is_changed(path: &Path, before: &Metadata) -> bool {
    let now = fs::metadata(path).ok().and_then(|now| Some((now.len(), now.modified().ok()?)));
    now != before.modified().ok().map(|modified| (before.len(), modified))
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len())
}

/// The path of a file that belongs to the database and stands beside it.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Names the file to SQLite, with how it is to be opened. `immutable=1` stands for a file that nobody changes: no locks,
/// no log, no files beside it.
pub(super) fn uri(path: &Path, how: &str) -> String {
    let mut uri = String::from("file:");
    for &byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => uri.push(byte.into()),
            _ => uri.extend(['%', hex(byte >> 4), hex(byte & 15)]),
        }
    }
    uri + "?" + how
}

/// One hexadecimal digit.
fn hex(nibble: u8) -> char {
    char::from_digit(nibble.into(), 16).unwrap_or('0').to_ascii_uppercase()
}

fn set_checkpoint_on_close(connection: &Connection, on: bool) -> rusqlite::Result<bool> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !on)
}

/// From now on closing a connection leaves the log beside the path as it is: it belongs to another file.
pub(super) fn leave_log(connection: &Connection) {
    if let Err(error) = set_checkpoint_on_close(connection, false) {
        tracing::warn!(%error, "the log of another store may be lost");
    }
}

/// Switches a new file to its write-ahead log. SQLite does not wait for others at this one step, so they are waited for
/// at the next best: a transaction that excludes them.
fn use_write_ahead_log(connection: &Connection, limits: &Limits) -> rusqlite::Result<()> {
    let deadline = Instant::now() + limits.busy_timeout;
    loop {
        let mode =
            connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0));
        match mode {
            Ok(_) => return Ok(()),
            Err(error) if is_busy(&error) && Instant::now() < deadline => {
                connection.execute_batch("BEGIN EXCLUSIVE; ROLLBACK")?;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Whether another connection holds the file.
pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    is(error, ErrorCode::DatabaseBusy)
}

fn is(error: &rusqlite::Error, code: ErrorCode) -> bool {
    error.sqlite_error_code() == Some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_any_characters_is_one_uri() {
        assert_eq!(
            uri(Path::new("/a b/ü?#%.db"), "immutable=1"),
            "file:/a%20b/%C3%BC%3F%23%25.db?immutable=1"
        );
    }
}
