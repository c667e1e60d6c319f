//! What the environment says of databases: the variables that PostgreSQL's own programs read. Who reads the environment hands
//! them in.

use std::{collections::BTreeMap, fmt, path::PathBuf};

/// The values of [`PgVariables::NAMES`]. What is shown of them is which are set.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PgVariables(BTreeMap<&'static str, String>);

impl PgVariables {
    /// Every variable that says something: those of PostgreSQL, and what stands for the user and for where files of the user
    /// are.
    pub const NAMES: &[&str] = &[
        "PGHOST",
        "PGPORT",
        "PGUSER",
        "PGPASSWORD",
        "PGDATABASE",
        "PGSSLMODE",
        "PGSSLROOTCERT",
        "PGPASSFILE",
        "USER",
        "HOME",
        "XDG_STATE_HOME",
    ];

    /// What `read` finds for each name. One that is empty counts as not set, as it does for PostgreSQL's programs.
    pub fn read(read: impl Fn(&str) -> Option<String>) -> Self {
        let set = |&name: &&'static str| Some((name, read(name).filter(|value| !value.is_empty())?));
        Self(Self::NAMES.iter().filter_map(set).collect())
    }

    /// The value of a variable; `None` if it is not set.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The same, as a path.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from)
    }
}

impl fmt::Debug for PgVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_not_shown_and_empty_ones_not_set() {
        let variables = PgVariables::read(|name| match name {
            "PGPASSWORD" => Some("hunter2".to_owned()),
            "PGHOST" => Some(String::new()),
            _ => None,
        });
        assert_eq!(variables.get("PGPASSWORD"), Some("hunter2"));
        assert_eq!(variables.get("PGHOST"), None);
        assert_eq!(format!("{variables:?}"), r#"{"PGPASSWORD"}"#);
    }
}
