//! The views that are read with SQL: for each kind of rows one with the columns that are described, and one for each of its
//! lists.

use schema::{
    Table,
    flat::{Flat, ListView},
    table::{Column, Holds, List},
};

use super::layout::is_agent;

/// The statements that make the views of a table.
pub(crate) fn statements(table: &Table) -> Vec<String> {
    let lists = table.lists();
    std::iter::once(of_rows(table)).chain(lists.iter().map(|list| of_list(table, list))).collect()
}

/// One row for each row.
fn of_rows(table: &Table) -> String {
    let (shown, joins) = shown(table);
    let named: Vec<_> = shown.iter().map(|(value, flat)| format!("{value} AS {}", flat.name)).collect();
    let name = table.name;
    format!("CREATE VIEW {name}_view AS SELECT {} FROM {name} AS t {joins}", named.join(", "))
}

/// What the view of a table shows, as SQL over a row `t` of it, and how the rest of that is found.
pub(super) fn shown(table: &Table) -> (Vec<(String, Flat)>, String) {
    let mut shown = vec!["t.id".to_owned(), "run.run_id".to_owned(), "t.created_at".to_owned()];
    let mut joins = "JOIN run ON run.id = t.run".to_owned();
    for column in table.all_columns() {
        shown.extend(values(column));
        joins += &joined(column);
    }
    (shown.into_iter().zip(table.flat()).collect(), joins)
}

/// What is shown of a column.
fn values(column: &Column) -> Vec<String> {
    let name = column.name;
    match column.holds {
        Holds::Subject => vec!["t.number".to_owned(), "peer.peer_id".to_owned()],
        Holds::Peer => vec![format!("t.{name}"), format!("{name}_peer.peer_id")],
        Holds::Text if is_agent(column) => vec![format!("{name}_of.agent")],
        Holds::Texts => vec![format!("coalesce({name}_of.protocols, '{{}}')")],
        Holds::Address => vec![format!("{name}_of.multiaddr")],
        Holds::Failure => ["phase", "class", "detail"].map(|part| format!("{name}_of.{part}")).to_vec(),
        Holds::List(List::Peers) => vec![format!("cardinality(t.{name})")],
        Holds::List(_) => Vec::new(),
        _ => vec![format!("t.{name}")],
    }
}

/// How it is found.
fn joined(column: &Column) -> String {
    let name = column.name;
    let by_number = |table: &str| format!(" LEFT JOIN {table} AS {name}_of ON {name}_of.id = t.{name}");
    match column.holds {
        Holds::Subject => " LEFT JOIN peer ON peer.id = t.peer".to_owned(),
        Holds::Peer => format!(
            " LEFT JOIN run_peer AS {name}_number ON {name}_number.run = t.run AND {name}_number.number = t.{name}
              LEFT JOIN peer AS {name}_peer ON {name}_peer.id = {name}_number.peer"
        ),
        Holds::Text if is_agent(column) => by_number("agent"),
        Holds::Texts => by_number("protocol_set"),
        Holds::Address => by_number("address"),
        Holds::Failure => by_number("failure"),
        _ => String::new(),
    }
}

/// One row for each element of a list.
fn of_list(table: &Table, view: &ListView) -> String {
    let name = table.name;
    let list = format!("t.{}", view.column.name);
    let (shown, from) = match view.list {
        List::Fates => (FATE.to_vec(), format!("unnest({list}, {FATE_FROM}")),
        List::Addresses => (ADDRESS.to_vec(), format!("unnest({list}) {ADDRESS_FROM}")),
        List::Prefixes => (PREFIX.to_vec(), format!("unnest({list}) {PREFIX_FROM}")),
        List::Peers => (PEER.to_vec(), format!("unnest({list}) {PEER_FROM}")),
    };
    let (about, of_peer) = if table.has_subject() {
        (Some("peer.peer_id"), " LEFT JOIN peer ON peer.id = t.peer")
    } else {
        (None, "")
    };
    let shown = std::iter::once("t.id").chain(about).chain(shown);
    let named: Vec<_> =
        shown.zip(&view.columns).map(|(value, flat)| format!("{value} AS {}", flat.name)).collect();
    format!(
        "CREATE VIEW {}_view AS SELECT {} FROM {name} AS t{of_peer} CROSS JOIN LATERAL {from}",
        view.name,
        named.join(", ")
    )
}

/// Those of an address itself have no `led_by`, and come first.
const FATE: &[&str] = &[
    "coalesce(f.led_by, f.nth - 1)",
    "CASE WHEN f.led_by IS NOT NULL THEN row_number() OVER (PARTITION BY t.id, f.led_by ORDER BY f.nth) - 1 END",
    "address.multiaddr",
    "f.outcome",
    "f.reason",
    "failure.phase",
    "failure.class",
    "failure.detail",
    "f.after_us",
    "f.took_us",
];

const FATE_FROM: &str = "t.address_outcomes, t.address_reasons, t.address_failures, t.address_after_us, t.address_took_us,
        t.address_led_by) WITH ORDINALITY AS f (address, outcome, reason, failure, after_us, took_us, led_by, nth)
    JOIN address ON address.id = f.address LEFT JOIN failure ON failure.id = f.failure";

const ADDRESS: &[&str] = &["l.nth - 1", "address.multiaddr"];

const ADDRESS_FROM: &str = "WITH ORDINALITY AS l (address, nth) JOIN address ON address.id = l.address";

/// What the numbers in an array of prefixes stand for (`encode`).
const PREFIX: &[&str] = &[
    "p.nth - 1",
    "CASE WHEN p.code >= 0 THEN 'answered' WHEN p.code = -1 THEN 'not_asked' WHEN p.code = -2 THEN 'saved'
        ELSE 'failed' END",
    "CASE WHEN p.code >= 0 THEN p.code END",
    "failure.class",
];

const PREFIX_FROM: &str =
    "WITH ORDINALITY AS p (code, nth) LEFT JOIN failure ON p.code <= -3 AND failure.id = -3 - p.code";

const PEER: &[&str] = &["n.number", "other_peer.peer_id"];

const PEER_FROM: &str = "AS n (number)
    LEFT JOIN run_peer AS other ON other.run = t.run AND other.number = n.number
    LEFT JOIN peer AS other_peer ON other_peer.id = other.peer";
