//! Decoders of what stands in files, as plain functions, for who tries them with anything. Nothing of a store is done by them.

use crate::postgres::{password_of, spilled, unspilled};

/// What waits in a file while a database is away, read from its bytes and written again; `None` if the bytes are none of ours.
pub fn spilled_again(bytes: &[u8]) -> Option<Vec<u8>> {
    unspilled(bytes).map(|waiting| spilled(&waiting))
}

/// The password of a line of `~/.pgpass`; `None` if it is not for this host and port, database and user.
pub fn password_of_line(line: &str, (host, port): (&str, u16), database: &str, user: &str) -> Option<String> {
    password_of(line, crate::postgres::Wanted { host, port, database, user }).map(|password| password.0)
}
