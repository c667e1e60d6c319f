//! How a kind of rows lies in the database: the columns of its table, by its description.
//!
//! What repeats (peers, addresses, agents, sets of protocols, failures) is a number, and lists are arrays. A view of each table
//! shows what is described (`views`).

use schema::{
    Table,
    table::{Column, Holds, List},
};

/// What a column of a table is for the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Int,
    Big,
    Flag,
    Time,
    Text,
    Bytes,
    /// A closed name: an enum of the database.
    Label,
    Ints,
    Bigs,
    /// What came of addresses, an enum each.
    Outcomes,
    /// Why addresses were left out, likewise.
    Reasons,
}

/// What the numbers in a column stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refers {
    Address,
    Agent,
    Protocols,
    Failure,
    /// What came of prefixes: some of the numbers are failures.
    Prefixes,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PgColumn {
    pub(crate) name: String,
    /// Its type, as SQL has it.
    pub(crate) sql: String,
    pub(crate) kind: Kind,
    pub(crate) nullable: bool,
    /// `None` where what stands there is meant.
    pub(crate) refers: Option<Refers>,
}

/// The enum of what came of an address.
pub(crate) const OUTCOME: &str = "address_outcome";

/// The enum of why an address was left out.
pub(crate) const REASON: &str = "skip_reason";

impl PgColumn {
    fn new(name: &str, kind: Kind, nullable: bool) -> Self {
        let sql = match kind {
            Kind::Int => "integer",
            Kind::Big => "bigint",
            Kind::Flag => "boolean",
            Kind::Time => "timestamptz",
            Kind::Text | Kind::Label => "text",
            Kind::Bytes => "bytea",
            Kind::Ints => "integer[]",
            Kind::Bigs => "bigint[]",
            Kind::Outcomes => "address_outcome[]",
            Kind::Reasons => "skip_reason[]",
        };
        Self { name: name.to_owned(), sql: sql.to_owned(), kind, nullable, refers: None }
    }

    fn to(refers: Refers, name: &str, kind: Kind, nullable: bool) -> Self {
        Self { refers: Some(refers), ..Self::new(name, kind, nullable) }
    }
}

/// The number of a run's row `position`, over all runs.
pub(crate) fn id(run: i32, position: i64) -> i64 {
    (i64::from(run) << 32) + position
}

/// The enum of a column with closed names: those of encounters are the same in every table.
pub(crate) fn enum_name(table: &Table, column: &Column) -> String {
    let is_own = table.columns.iter().any(|own| own.name == column.name);
    format!("{}_{}", if is_own { table.name } else { "encounter" }, column.name)
}

/// The columns of a table, in order.
pub(crate) fn columns(table: &Table) -> Vec<PgColumn> {
    let shared = [("id", Kind::Big), ("run", Kind::Int), ("created_at", Kind::Time)];
    let shared = shared.into_iter().map(|(name, kind)| PgColumn::new(name, kind, false));
    shared.chain(table.all_columns().flat_map(|column| of(table, column))).collect()
}

fn of(table: &Table, column: &Column) -> Vec<PgColumn> {
    let Column { name, nullable, .. } = *column;
    let one = |kind| vec![PgColumn::new(name, kind, nullable)];
    let number = |refers, nullable| vec![PgColumn::to(refers, name, Kind::Int, nullable)];
    match column.holds {
        // The peer is not known of a number that no row introduced.
        Holds::Subject => {
            vec![PgColumn::new("peer", Kind::Int, true), PgColumn::new("number", Kind::Int, false)]
        }
        Holds::Peer => one(Kind::Int),
        Holds::Failure => number(Refers::Failure, nullable),
        Holds::Address => number(Refers::Address, nullable),
        Holds::Text if is_agent(column) => number(Refers::Agent, nullable),
        Holds::Texts => number(Refers::Protocols, true),
        Holds::Time => one(Kind::Time),
        Holds::Duration | Holds::Count(_) => one(Kind::Big),
        Holds::Flag => one(Kind::Flag),
        Holds::Text => one(Kind::Text),
        Holds::Bytes => one(Kind::Bytes),
        Holds::Name(_) => {
            let sql = enum_name(table, column);
            vec![PgColumn { sql, ..PgColumn::new(name, Kind::Label, nullable) }]
        }
        Holds::List(List::Fates) => fates(name),
        Holds::List(List::Addresses) => vec![PgColumn::to(Refers::Address, name, Kind::Ints, true)],
        Holds::List(List::Prefixes) => vec![PgColumn::to(Refers::Prefixes, name, Kind::Ints, true)],
        Holds::List(List::Peers) => vec![PgColumn::new(name, Kind::Ints, true)],
    }
}

/// Whether a text is what a peer calls its program, which repeats.
pub(crate) fn is_agent(column: &Column) -> bool {
    column.name == "agent"
}

/// Parallel arrays: the addresses themselves, then where the names among them led to.
fn fates(name: &str) -> Vec<PgColumn> {
    let new = |name, kind| PgColumn::new(name, kind, true);
    vec![
        PgColumn::to(Refers::Address, name, Kind::Ints, true),
        new("address_outcomes", Kind::Outcomes),
        new("address_reasons", Kind::Reasons),
        PgColumn::to(Refers::Failure, "address_failures", Kind::Ints, true),
        new("address_after_us", Kind::Bigs),
        new("address_took_us", Kind::Bigs),
        // The position of the address with the name that led here; NULL for the addresses themselves.
        new("address_led_by", Kind::Ints),
    ]
}
