//! The name of a store, with what the environment says of databases.

use std::env;

use store::{PgVariables, StoreUrl};

/// Reads the name of a store. What PostgreSQL's own programs read from the environment is read for it, too.
pub(crate) fn store_url(text: &str) -> Result<StoreUrl, store::Error> {
    Ok(StoreUrl::parse(text)?.with_variables(&PgVariables::read(|name| env::var(name).ok())))
}
