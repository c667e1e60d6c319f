//! The names of a store and of a belly, with what the environment says of databases.

use std::env;

use store::{BellyError, BellyUrl, PgVariables, StoreUrl, belly::AwsVariables};

use crate::clock;

/// Reads the name of a store. What PostgreSQL's own programs read from the environment is read for it, too.
pub(crate) fn store_url(text: &str) -> Result<StoreUrl, store::Error> {
    Ok(StoreUrl::parse(text)?.with_variables(&PgVariables::read(variable)))
}

/// Reads the name of a belly. What AWS's own programs read from the environment is read for it as well; requests to `DynamoDB` are signed
/// with the time.
pub(crate) fn belly_url(text: &str) -> Result<BellyUrl, BellyError> {
    let url = BellyUrl::parse(text)?.with_variables(&PgVariables::read(variable));
    Ok(url.with_aws(&AwsVariables::read(variable), clock::since_epoch()))
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}
