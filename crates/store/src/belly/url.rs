//! The names of bellies, as users write them.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use super::{AwsVariables, BellyError, DynamoUrl};
use crate::{PgVariables, PostgresUrl, StoreUrl};

/// What can be written for a belly, for error messages.
pub(super) const SUPPORTED: &str = "`memory`, `sqlite:PATH`, a path ending in .sqlite, .sqlite3 or .db, and with the feature `postgres` \
     `postgres://USER@HOST/DATABASE`, with the feature `dynamodb` `dynamodb://table=NAME`";

/// Where records are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BellyUrl {
    /// In memory alone: `memory`.
    Memory,
    /// In an SQLite file of its own, by one process: `sqlite:PATH`.
    Sqlite(PathBuf),
    /// In a PostgreSQL database, by any number of processes: `postgres://USER:PASSWORD@HOST:PORT/DATABASE`.
    Postgres(Box<PostgresUrl>),
    /// In tables of `DynamoDB`, by any number of processes: `dynamodb://table=NAME,ttl=24h,queryLimit=10000`.
    Dynamo(Box<DynamoUrl>),
}

impl BellyUrl {
    /// Reads a belly's name; [`BellyError::Url`] says what is wrong with it and what is supported.
    pub fn parse(text: &str) -> Result<Self, BellyError> {
        if text == "memory" {
            return Ok(Self::Memory);
        }
        if DynamoUrl::is_meant(text) {
            let url =
                DynamoUrl::parse(text).map_err(|reason| BellyError::Url { url: text.to_owned(), reason })?;
            return Ok(Self::Dynamo(Box::new(url)));
        }
        let refused = |reason| BellyError::Url { url: text.to_owned(), reason };
        match StoreUrl::parse(text) {
            Ok(StoreUrl::None) => Err(refused("a belly that keeps nothing is none")),
            Ok(StoreUrl::Sqlite(path)) => Ok(Self::Sqlite(path)),
            Ok(StoreUrl::Postgres(url)) => Ok(Self::Postgres(url)),
            Err(crate::Error::Url { reason, .. }) => Err(refused(reason)),
            Err(error) => Err(error.into()),
        }
    }

    /// The same, with what the environment says of AWS, and what time it is, since the Unix epoch: requests are signed with it.
    #[must_use]
    pub fn with_aws(self, variables: &AwsVariables, now: Duration) -> Self {
        match self {
            Self::Dynamo(url) => Self::Dynamo(Box::new(url.with_variables(variables.clone(), now))),
            other => other,
        }
    }

    /// The same, with what the environment says of databases.
    #[must_use]
    pub fn with_variables(self, variables: &PgVariables) -> Self {
        match self {
            Self::Postgres(url) => Self::Postgres(Box::new(url.with_variables(variables.clone()))),
            other => other,
        }
    }
}

impl FromStr for BellyUrl {
    type Err = BellyError;

    fn from_str(text: &str) -> Result<Self, BellyError> {
        Self::parse(text)
    }
}

/// As it is read back, but for the password of a database.
impl fmt::Display for BellyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => url.fmt(f),
            Self::Dynamo(url) => url.fmt(f),
        }
    }
}
