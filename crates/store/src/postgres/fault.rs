//! What an error of the driver means for the rows in hand: to wait for the server, or that it will never take them.

use std::error::Error as _;

use tokio_postgres::error::SqlState;

/// The parts of the connection's end that a later one may do better, by the class of the server's state: connection,
/// transaction rolled back (of two that met, one gives way), resources, what an operator did, the system's own errors.
const PASSING_CLASSES: [&str; 5] = ["08", "40", "53", "57", "58"];

/// Single states of other classes that pass: a server that only reads for now, a lock that was not given, a transaction
/// that idled while this machine slept.
const PASSING: [SqlState; 5] = [
    // The partition of an old month was empty and has been taken away: the next connection makes it anew.
    SqlState::CHECK_VIOLATION,
    // A server in Parsec's tables was deleted just when a measurement of it came: next time it is known to be gone.
    SqlState::FOREIGN_KEY_VIOLATION,
    SqlState::READ_ONLY_SQL_TRANSACTION,
    SqlState::LOCK_NOT_AVAILABLE,
    SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
];

/// Whether another try may succeed: the connection is lost, or the server cannot take rows now.
pub(crate) fn passes(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        Some(code) => {
            PASSING.contains(code) || PASSING_CLASSES.contains(&code.code().get(..2).unwrap_or_default())
        }
        None => {
            error.is_closed() || error.source().is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
        }
    }
}

/// The error as one line: the driver's own text leaves out what the server said. The server's detail, which may hold rows, is
/// left out here, too.
pub(crate) fn text(error: &tokio_postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        return format!("{} (SQLSTATE {})", said.message(), said.code().code());
    }
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
