//! What a report needs of each attempt, in little room: a week of four fleets in seven regions is a quarter of a million of them.

use std::collections::BTreeMap;

use schema::{ConnectionPolicy, Measurement, OperationKind, OperationOutcome, RequestPurpose, Timestamp};
use thiserror::Error;

use crate::CallAttempt;

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
        let names = [row.fleet.as_str(), &row.region, row.publisher_fleet.as_deref().unwrap_or_default()];
        let [fleet, region, publisher_fleet] = self.numbers(names, &row.attempt)?;
        let compact = Row {
            kind: row.kind,
            outcome: row.outcome,
            fleet,
            region,
            publisher_fleet: row.publisher_fleet.as_ref().map(|_| publisher_fleet),
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

    /// Takes one that was just made, and that no store has kept yet.
    pub fn add_attempt(&mut self, attempt: &CallAttempt) -> Result<(), BadRow> {
        if self.rows.len() >= MAX_ROWS {
            return Err(BadRow::TooMany);
        }
        let publisher = attempt.publisher.as_deref().map(|publisher| publisher.entry.fleet.as_str());
        let (server, id) = (&attempt.server.entry, attempt.id.0);
        let names = [server.fleet.as_str(), &server.region, publisher.unwrap_or_default()];
        let [fleet, region, publisher_fleet] = self.numbers(names, &id)?;
        let operation = attempt.result.as_ref().ok().and_then(|answer| answer.operation.as_deref());
        let given = || operation.into_iter().flat_map(|operation| &operation.requests);
        let given = || given().filter(|request| request.purpose == RequestPurpose::Give);
        let (count, sent) = (given().count(), given().filter(|request| request.failure.is_none()).count());
        let row = Row {
            kind: attempt.kind,
            outcome: attempt.outcome(),
            fleet,
            region,
            publisher_fleet: publisher.map(|_| publisher_fleet),
            policy: operation.map(|operation| operation.policy).or(attempt.connections),
            planned_at: attempt.planned_at,
            took: attempt.took().as_secs_f64(),
            more_than: attempt.more_than().map(|more_than| more_than.as_secs_f64()),
            is_censored: attempt.is_censored(),
            is_own: operation.is_some_and(|operation| operation.own_record || operation.left_over),
            requests: operation.and_then(|operation| u32::try_from(operation.requests.len()).ok()),
            holders: u32::try_from(sent).ok().zip(u32::try_from(count).ok()).filter(|(_, count)| *count > 0),
            size_estimate: operation.and_then(|operation| operation.size_estimate),
        };
        self.rows.push(row);
        Ok(())
    }

    /// The numbers of the names of an attempt.
    fn numbers(&mut self, names: [&str; 3], attempt: &[u8; 16]) -> Result<[NameNumber; 3], BadRow> {
        if let Some(long) = names.iter().find(|name| name.len() > MAX_NAME_BYTES) {
            let attempt = format!("{:032x}", u128::from_be_bytes(*attempt));
            return Err(BadRow::LongName { attempt, length: long.len() });
        }
        let [fleet, region, publisher] = names;
        Ok([self.number(fleet)?, self.number(region)?, self.number(publisher)?])
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
