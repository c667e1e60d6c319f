//! Opens a file that may be read and not written: on a read-only mount, of another user, in another user's directory.
//!
//! Who reads a database with a write-ahead log meets its writers in a file beside it, which both write. Where nothing can
//! be written there are two ways: while somebody else holds that file, it is read; where no log is, nobody writes, and the
//! file is read as one that does not change.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::{
    error, migrate,
    open::{self, in_use, uri},
};
use crate::{Error, Limits, limits::PAGE_CACHE_KIB};

/// Opens the file at `path` to read it alone. What cannot be read so is [`Error::UnreadableLog`].
pub(super) fn open(path: &Path, limits: &Limits) -> Result<Connection, Error> {
    let has_log = in_use(path);
    let how = if has_log { "mode=ro" } else { "immutable=1" };
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let fail = |operation, error| match error::named(path, operation, limits.busy_timeout, error) {
        error if has_log && error::is_for_want_of_rights(&error) => {
            Error::UnreadableLog { path: path.to_owned() }
        }
        error => error,
    };
    let connection =
        Connection::open_with_flags(uri(path, how), flags).map_err(|e| fail("open it to read", e))?;
    connection.busy_timeout(limits.busy_timeout).map_err(|e| fail("open it to read", e))?;
    open::remember_statements(&connection).map_err(|e| fail("open it to read", e))?;
    let cache = connection.pragma_update(None, "cache_size", -PAGE_CACHE_KIB);
    cache.map_err(|e| fail("open it to read", e))?;
    let identity = migrate::identity(&connection).map_err(|e| fail("read its header", e))?;
    if identity.blank {
        return Err(Error::NotADatabase { path: path.to_owned() });
    }
    open::accept(path, identity, &migrate::ROWS)?;
    if identity.version < migrate::ROWS.latest() {
        return Err(Error::ReadOnly {
            store: path.display().to_string(),
            operation: "bring its layout up to date",
        });
    }
    Ok(connection)
}
