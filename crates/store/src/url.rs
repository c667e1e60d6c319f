//! The names of stores, as users write them.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

pub(crate) mod postgres;
mod variables;

pub use postgres::PostgresUrl;
pub use variables::PgVariables;

use crate::Error;

/// Where rows are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// Nowhere: `none`.
    None,
    /// In an SQLite file: `sqlite:PATH`, or a path that ends in `.sqlite`, `.sqlite3` or `.db`.
    Sqlite(PathBuf),
    /// In a PostgreSQL database: `postgres://USER:PASSWORD@HOST:PORT/DATABASE`.
    Postgres(Box<PostgresUrl>),
}

/// What can be written for a store, for error messages.
pub(crate) const SUPPORTED: &str = "`sqlite:PATH`, a path ending in .sqlite, .sqlite3 or .db, `none`, and with the feature `postgres` \
     `postgres://USER@HOST/DATABASE`";

impl StoreUrl {
    /// Reads a store's name; [`Error::Url`] says what is wrong with it and what is supported.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let error = |reason| Error::Url { url: text.to_owned(), reason };
        if text == "none" {
            return Ok(Self::None);
        }
        match scheme(text) {
            Some(("sqlite", rest)) => match rest.strip_prefix("//").unwrap_or(rest) {
                "" => Err(error("the path is missing")),
                ":memory:" => Err(error("a store in memory could be read by nobody")),
                path => Ok(Self::Sqlite(path.into())),
            },
            // What is wrong with it is said when it is opened, without the password.
            Some((scheme, rest)) if PostgresUrl::is_scheme(scheme) => {
                Ok(Self::Postgres(Box::new(PostgresUrl::new(rest))))
            }
            // Whatever it was meant to be, it names somebody, and maybe a password: nothing of it is shown.
            Some((_, rest)) if rest.contains('@') => Ok(Self::Postgres(Box::new(PostgresUrl::unknown()))),
            Some(_) => Err(error("there is no such kind of store")),
            None if text.is_empty() => Err(error("it is empty")),
            None if has_database_extension(text) => Ok(Self::Sqlite(text.into())),
            None => Err(error("the kind of store is not clear; `sqlite:` before a path makes it so")),
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

/// Splits at the colon after a scheme. A single letter before it is a drive, not a scheme.
fn scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = scheme.len() > 1
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    is_scheme.then_some((scheme, rest))
}

fn has_database_extension(path: &str) -> bool {
    Path::new(path)
        .extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| ["sqlite", "sqlite3", "db"].contains(&extension))
}

impl FromStr for StoreUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

/// As it is read back, but for the password of a database.
impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> String {
        match StoreUrl::parse(text).unwrap() {
            StoreUrl::Sqlite(path) => path.to_str().unwrap().to_owned(),
            other => panic!("{text} is {other}"),
        }
    }

    #[test]
    fn paths_are_understood_with_and_without_scheme() {
        assert_eq!(StoreUrl::parse("none").unwrap(), StoreUrl::None);
        assert_eq!(path("sqlite:a b"), "a b");
        assert_eq!(path("sqlite:/x/a.sqlite"), "/x/a.sqlite");
        assert_eq!(path("sqlite:///x/a.sqlite"), "/x/a.sqlite");
        assert_eq!(path("sqlite://a.sqlite"), "a.sqlite");
        assert_eq!(path("./x/a.sqlite"), "./x/a.sqlite");
        assert_eq!(path(r"C:\x\a.db"), r"C:\x\a.db");
        assert_eq!(path("a.sqlite3"), "a.sqlite3");
    }

    #[test]
    fn what_is_printed_is_read_back() {
        for text in ["none", "sqlite:a b", "sqlite:/x/none", "sqlite:x:y"] {
            assert_eq!(StoreUrl::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_kinds_are_refused_and_the_supported_ones_named() {
        for text in ["mysql://host/db", "", "crawls", "sqlite:", "sqlite::memory:", "clickhouse:x.sqlite"] {
            let error = StoreUrl::parse(text).unwrap_err().to_string();
            assert!(error.contains(&format!("`{text}`")) && error.contains(SUPPORTED), "{error}");
        }
    }
}
