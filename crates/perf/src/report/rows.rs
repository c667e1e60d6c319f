//! What a report needs of each attempt, in little room: a week of four fleets in seven regions is a quarter of a million of them.

use std::collections::BTreeMap;

use schema::{ConnectionPolicy, Measurement, OperationKind, OperationOutcome, Timestamp};
use thiserror::Error;

/// The most attempts of one report.
const MAX_ROWS: usize = 20_000_000;

/// The most different names of fleets and regions together: what is more is a mistake in a configuration.
const MAX_NAMES: usize = 1000;

/// A name of a fleet or a region, as its number.
pub(super) type NameNumber = u16;

/// A row of which no report can be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadRow {
    /// There are more attempts than a report takes.
    #[error("there are more than {MAX_ROWS} attempts: make a report of a shorter time")]
    TooMany,
    /// There are more fleets and regions than a report takes.
    #[error("there are more than {MAX_NAMES} fleets and regions; the last was `{0}`")]
    TooManyNames(String),
    /// A name that cannot be one of a fleet or a region.
    #[error("the attempt {attempt} names a fleet or region of {length} bytes: at most {most} are a name", most = MAX_NAME_BYTES)]
    LongName {
        /// Which attempt, in hexadecimal digits.
        attempt: String,
        /// How long the name is.
        length: usize,
    },
}

/// The longest name of a fleet or region, in bytes.
const MAX_NAME_BYTES: usize = 256;

/// The attempts that a report is made of.
#[derive(Debug, Default)]
pub struct ReportRows {
    pub(super) rows: Vec<Row>,
    names: Vec<String>,
    numbers: BTreeMap<String, NameNumber>,
}

/// One attempt.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) kind: OperationKind,
    pub(super) outcome: OperationOutcome,
    pub(super) fleet: NameNumber,
    pub(super) region: NameNumber,
    /// The fleet of who published what was looked for.
    pub(super) publisher_fleet: Option<NameNumber>,
    pub(super) policy: Option<ConnectionPolicy>,
    pub(super) planned_at: Timestamp,
    /// In seconds.
    pub(super) took: f64,
    /// In seconds; where it is only known that it took more than this.
    pub(super) more_than: Option<f64>,
    pub(super) is_censored: bool,
    /// Whether it was found without the network: in the server's own store, or by a connection that was left over.
    pub(super) is_own: bool,
    pub(super) requests: Option<u32>,
    pub(super) holders: Option<(/* sent */ u32, /* of */ u32)>,
    pub(super) size_estimate: Option<u64>,
}

impl ReportRows {
    /// Takes one more. Parts of an attempt that a server measured alone are not counted.
    pub fn add(&mut self, row: &Measurement) -> Result<(), BadRow> {
        if !row.is_whole {
            return Ok(());
        }
        if self.rows.len() >= MAX_ROWS {
            return Err(BadRow::TooMany);
        }
        let names = [Some(&row.fleet), Some(&row.region), row.publisher_fleet.as_ref()];
        if let Some(long) = names.into_iter().flatten().find(|name| name.len() > MAX_NAME_BYTES) {
            let attempt = format!("{:032x}", u128::from_be_bytes(row.attempt));
            return Err(BadRow::LongName { attempt, length: long.len() });
        }
        let compact = Row {
            kind: row.kind,
            outcome: row.outcome,
            fleet: self.number(&row.fleet)?,
            region: self.number(&row.region)?,
            publisher_fleet: row.publisher_fleet.as_deref().map(|name| self.number(name)).transpose()?,
            policy: row.policy,
            planned_at: row.planned_at,
            took: row.took.as_secs_f64(),
            more_than: row.more_than.map(|more_than| more_than.as_secs_f64()),
            is_censored: row.is_censored,
            is_own: row.own_record == Some(true) || row.left_over == Some(true),
            requests: row.requests,
            holders: row.holders_sent.zip(row.holders),
            size_estimate: row.size_estimate,
        };
        self.rows.push(compact);
        Ok(())
    }

    /// How many attempts there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The name of a number.
    pub(super) fn name(&self, number: NameNumber) -> &str {
        match self.names.get(usize::from(number)).map(String::as_str) {
            None | Some("") => "(not said)",
            Some(name) => name,
        }
    }

    fn number(&mut self, name: &str) -> Result<NameNumber, BadRow> {
        if let Some(number) = self.numbers.get(name) {
            return Ok(*number);
        }
        let number = NameNumber::try_from(self.names.len()).ok().filter(|_| self.names.len() < MAX_NAMES);
        let number = number.ok_or_else(|| BadRow::TooManyNames(name.to_owned()))?;
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        Ok(number)
    }
}
