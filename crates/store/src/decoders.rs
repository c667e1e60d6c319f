//! Decoders of what stands in files, as plain functions, for who tries them with anything. Nothing of a store is done by them.

#[cfg(feature = "postgres")]
use crate::{
    postgres::{Load as _, password_of, spilled, unspilled},
    register::postgres::Measured,
};

/// What waits in a file while a database is away, read from its bytes and written again; `None` if the bytes are none of ours.
#[cfg(feature = "postgres")]
pub fn spilled_again(bytes: &[u8]) -> Option<Vec<u8>> {
    unspilled(bytes).map(|waiting| spilled(&waiting))
}

/// Measurements for Parsec's tables that wait in a file, read from their bytes and written again; `None` if the bytes are none of ours.
#[cfg(feature = "postgres")]
pub fn measured_again(bytes: &[u8]) -> Option<Vec<u8>> {
    Measured::decode(bytes).map(|measured| measured.encode())
}

/// The password of a line of `~/.pgpass`; `None` if it is not for this host and port, database and user.
#[cfg(feature = "postgres")]
pub fn password_of_line(line: &str, (host, port): (&str, u16), database: &str, user: &str) -> Option<String> {
    password_of(line, crate::postgres::Wanted { host, port, database, user }).map(|password| password.0)
}

/// A row of a belly about a provider, as a database has its parts (the id and the addresses, the time and the lifetime), put together as
/// the entry of an answer; `None` if no belly has written it.
pub fn belly_row(
    key: &[u8],
    provider: (&[u8], &[u8]),
    times: (i64, i32),
    is_fetched: bool,
) -> Option<Vec<u8>> {
    crate::belly::row_again(key, provider, times, is_fetched)
}

/// The rank of a value in a belly, read and written again; `None` if no belly has written it.
pub fn belly_rank(bytes: &[u8]) -> Option<Vec<u8>> {
    crate::belly::rank_again(bytes)
}
