//! What was said by old flags and variables.

use std::collections::BTreeMap;

use super::{
    go,
    table::{OldFlag, TABLE, Takes},
};

/// One flag, or one variable, with its value.
#[derive(Debug, Clone)]
pub(super) struct Said {
    /// As it is called where it was said: `-nheads`, `HYDRA_NHEADS`.
    pub(super) by: String,
    /// Its value; `true` of a switch that has none.
    pub(super) value: String,
}

impl Said {
    /// As a whole number.
    pub(super) fn whole(&self) -> Result<i64, String> {
        go::whole(&self.value).ok_or_else(|| self.wrong("write a whole number"))
    }

    /// As yes or no.
    pub(super) fn switch(&self) -> Result<bool, String> {
        go::switch(&self.value).ok_or_else(|| self.wrong("write true or false (or 1, t, 0, f)"))
    }

    /// As a time in microseconds.
    pub(super) fn time_us(&self) -> Result<u64, String> {
        go::time_us(&self.value).ok_or_else(|| self.wrong("write a time with its unit, such as 60s or 1m30s"))
    }

    /// The error that says what should stand there.
    pub(super) fn wrong(&self, advice: &str) -> String {
        format!("{}={}: {advice}", self.by, crate::render::text::escaped(&self.value))
    }
}

/// All that was said, in the order of the table.
#[derive(Debug, Default)]
pub(super) struct SaidAll(BTreeMap<usize, Said>);

impl SaidAll {
    /// The last time that a flag is said is what counts.
    pub(super) fn put(&mut self, row: usize, said: Said) {
        self.0.insert(row, said);
    }

    /// What no flag says, by the variables that say something, except for rows that `is_moot` says no to.
    pub(super) fn add_variables(
        &mut self,
        read: impl Fn(&str) -> Option<String>,
        is_moot: impl Fn(&OldFlag) -> bool,
    ) {
        for (row, flag) in TABLE.iter().enumerate() {
            let Some(name) = flag.variable.filter(|_| !self.0.contains_key(&row) && !is_moot(flag)) else {
                continue;
            };
            if let Some(value) = read(name) {
                self.0.insert(row, Said { by: name.to_owned(), value });
            }
        }
    }

    /// What was said of a flag.
    pub(super) fn of(&self, name: &str) -> Option<&Said> {
        self.iter().find(|(flag, _)| flag.name == Some(name)).map(|(_, said)| said)
    }

    /// Whether a switch is on. An error if it says neither.
    pub(super) fn is_on(&self, name: &str) -> Result<bool, String> {
        self.of(name).map_or(Ok(false), Said::switch)
    }

    /// Forgets a flag: another one decides.
    pub(super) fn forget(&mut self, name: &str) {
        self.0.retain(|row, _| TABLE[*row].name != Some(name));
    }

    /// All of them with their rows.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static OldFlag, &Said)> {
        self.0.iter().map(|(row, said)| (&TABLE[*row], said))
    }
}

/// Whether a value of such a kind stands behind its flag as a word of its own.
pub(super) const fn takes_a_word(takes: Takes) -> bool {
    !matches!(takes, Takes::Switch)
}
