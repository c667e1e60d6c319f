//! How a kind of rows lies in the file: the columns of its table, and the statements that write and read them.

use schema::{
    TABLES, Table,
    table::{Column, Holds, List},
};

/// The columns in which a table keeps an encounter, with their types.
pub(super) const ENCOUNTER: [(&str, &str); 15] = [
    ("started_after_us", "INTEGER NOT NULL"),
    ("took_us", "INTEGER NOT NULL"),
    ("dial_us", "INTEGER"),
    ("connect_us", "INTEGER"),
    ("fates", "INTEGER REFERENCES fates"),
    ("times", "BLOB"),
    ("connected", "INTEGER"),
    ("endpoint", "INTEGER REFERENCES endpoint"),
    ("rtt_us", "INTEGER"),
    ("rtt_source", "INTEGER REFERENCES name"),
    ("connect_error", "INTEGER REFERENCES failure"),
    ("description", "INTEGER REFERENCES description"),
    ("identify_error", "INTEGER REFERENCES failure"),
    ("sent_bytes", "INTEGER NOT NULL"),
    ("received_bytes", "INTEGER NOT NULL"),
];

/// What a reader takes from the tables beside it, with what that refers to.
pub(super) const BESIDE: [(&str, Option<Refers>); 9] = [
    ("fates.list", Some(Refers::Fates)),
    ("endpoint.transport", None),
    ("endpoint.security", None),
    ("endpoint.certificate", None),
    ("endpoint.ip_version", None),
    ("endpoint.socket", None),
    ("description.agent", Some(Refers::Agent)),
    ("description.protocols", Some(Refers::Protocols)),
    ("description.listen_addrs", Some(Refers::Addresses)),
];

/// What a value refers to that is kept once for many rows, closed names apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refers {
    /// An address.
    Address,
    /// A list of addresses.
    Addresses,
    /// Addresses and failures.
    Fates,
    /// An agent.
    Agent,
    /// A set of protocols.
    Protocols,
    /// A failure.
    Failure,
}

/// How they are found.
const JOIN: &str = "LEFT JOIN fates ON fates.id = t.fates
    LEFT JOIN endpoint ON endpoint.id = t.endpoint
    LEFT JOIN description ON description.id = t.description";

/// The columns of a table after its number and that of the run, with their types.
pub(super) fn columns(table: &Table) -> Vec<(String, String)> {
    let about = usize::from(table.has_subject());
    let (subject, own) = table.columns.split_at(about);
    let encounter: &[(&str, &str)] = if table.has_encounter { &ENCOUNTER } else { &[] };
    let encounter = encounter.iter().map(|&(name, kind)| (name.to_owned(), kind.to_owned()));
    subject.iter().flat_map(of).chain(encounter).chain(own.iter().flat_map(of)).collect()
}

/// How many columns a statement of [`select`] gives of the row itself.
pub(super) fn width(table: &Table) -> usize {
    1 + columns(table).len()
}

/// The columns for one that is described.
fn of(column: &Column) -> Vec<(String, String)> {
    let Column { name, nullable, .. } = *column;
    let null = if nullable { "" } else { " NOT NULL" };
    let one = |kind: &str| vec![(name.to_owned(), kind.replacen("INTEGER", &format!("INTEGER{null}"), 1))];
    match column.holds {
        Holds::Subject => vec![
            ("peer".to_owned(), "INTEGER NOT NULL REFERENCES peer".to_owned()),
            ("number".to_owned(), "INTEGER NOT NULL".to_owned()),
        ],
        Holds::Time => vec![(format!("{name}_us"), format!("INTEGER{null}"))],
        Holds::Peer | Holds::Duration | Holds::Count(_) | Holds::Flag => one("INTEGER"),
        Holds::Name(_) => one("INTEGER REFERENCES name"),
        Holds::Failure => one("INTEGER REFERENCES failure"),
        Holds::Address => one("INTEGER REFERENCES address"),
        Holds::Texts => vec![(name.to_owned(), "INTEGER REFERENCES protocol_set".to_owned())],
        Holds::Text => vec![(name.to_owned(), format!("TEXT{null}"))],
        Holds::Bytes => vec![(name.to_owned(), format!("BLOB{null}"))],
        Holds::List(List::Peers) => {
            vec![(count(name), "INTEGER".to_owned()), (name.to_owned(), "BLOB".to_owned())]
        }
        Holds::List(_) => vec![(name.to_owned(), "BLOB".to_owned())],
    }
}

/// The columns of rows that hold lists of addresses, each with its table.
pub(super) fn address_lists() -> Vec<(&'static str, &'static str)> {
    let lists = TABLES.iter().flat_map(|table| table.columns.iter().map(move |column| (table.name, column)));
    let lists = lists.filter(|(_, column)| matches!(column.holds, Holds::List(List::Addresses)));
    lists.map(|(table, column)| (table, column.name)).collect()
}

/// What the columns of a statement of [`select`] refer to, by their position.
pub(super) fn refers(table: &Table) -> Vec<(usize, Refers)> {
    let lists = address_lists();
    let of_column = |(name, kind): &(String, String)| match kind.rsplit(' ').next() {
        Some("address") => Some(Refers::Address),
        Some("protocol_set") => Some(Refers::Protocols),
        Some("failure") => Some(Refers::Failure),
        _ => lists.contains(&(table.name, name.as_str())).then_some(Refers::Addresses),
    };
    let own = columns(table);
    let beside = BESIDE.iter().filter(|_| table.has_encounter).map(|(_, refers)| *refers);
    // The number of the row comes first.
    let all = std::iter::once(None).chain(own.iter().map(of_column)).chain(beside);
    all.enumerate().filter_map(|(position, refers)| Some((position, refers?))).collect()
}

/// The name of the column that counts the peers of a list.
pub(super) fn count(list: &str) -> String {
    format!("{}_count", list.trim_end_matches('s'))
}

/// The statement that inserts a row: run first, then [`columns`].
pub(super) fn insert(table: &Table) -> String {
    let columns = columns(table);
    let mut sql = format!("INSERT INTO {} (run", table.name);
    for (name, _) in &columns {
        sql.extend([", ", name]);
    }
    sql += ") VALUES (?1";
    (2..columns.len() + 2).fold(sql, |sql, position| sql + &format!(", ?{position}")) + ")"
}

/// The statement that selects the rows whose numbers are between two: the number, [`columns`], and for an encounter what
/// stands in the tables beside it.
pub(super) fn select(table: &Table) -> String {
    let mut sql = "SELECT t.id".to_owned();
    for (name, _) in columns(table) {
        sql.extend([", t.", &name]);
    }
    let join = if table.has_encounter { JOIN } else { "" };
    for (column, _) in BESIDE.iter().filter(|_| table.has_encounter) {
        sql.extend([", ", column]);
    }
    sql + &format!(" FROM {} AS t {join} WHERE t.id BETWEEN ?1 AND ?2 ORDER BY t.id", table.name)
}
