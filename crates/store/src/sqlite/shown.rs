//! What each column of a view is in the file: where it stands, and how what stands there becomes what is shown.

use schema::{
    Table, encounter,
    table::{Column, Holds, List},
};

use super::physical;

/// One column of a view.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    /// Its name.
    pub(super) name: String,
    /// What stands in the file, as SQL over `t`, a row of the table.
    pub(super) raw: String,
    /// What it stands for.
    pub(super) stands_for: StandsFor,
    /// Whether it is text that stands for itself.
    pub(super) is_text: bool,
}

/// What a number in the file stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StandsFor {
    /// Itself; text and bytes, too.
    Itself,
    /// A run.
    Run,
    /// A moment, since 1970.
    Time,
    /// A moment, since the run began.
    TimeOfRun,
    /// A peer of the store.
    Peer,
    /// A peer of the run.
    PeerOfRun,
    /// A closed name.
    Name,
    /// The phase of a failure.
    Phase,
    /// Its class.
    Class,
    /// Its text.
    Detail,
    /// An agent.
    Agent,
    /// A set of protocols.
    Protocols,
    /// An address.
    Address,
    /// Bytes, shown as digits.
    Bytes,
}

impl StandsFor {
    /// What is shown, as SQL.
    pub(super) fn sql(self, raw: &str) -> String {
        let of = |value: &str, table: &str| format!("(SELECT {value} FROM {table} WHERE id = {raw})");
        match self {
            Self::Itself => raw.to_owned(),
            Self::Run => of("run_id", "run"),
            Self::Time => time(raw),
            Self::TimeOfRun => time(&format!("(run.started_at_us + {raw})")),
            Self::Peer => of("peer_id", "peer"),
            Self::PeerOfRun => format!(
                "(SELECT peer_id FROM run_peer JOIN peer ON peer.id = run_peer.peer \
                 WHERE run_peer.run = t.run AND run_peer.number = {raw})"
            ),
            Self::Name => of("name", "name"),
            Self::Phase => of("phase", "failure"),
            Self::Class => of("class", "failure"),
            Self::Detail => of("detail", "failure"),
            Self::Agent => of("agent", "agent"),
            Self::Protocols => format!("coalesce({}, '[]')", of("protocols", "protocol_set")),
            Self::Address => of("multiaddr", "address_text"),
            Self::Bytes => format!("lower(hex({raw}))"),
        }
    }
}

/// A moment as text: `2026-11-21T14:31:00.250Z`.
fn time(us: &str) -> String {
    format!(
        "strftime('%Y-%m-%dT%H:%M:%S', {us} / 1000000, 'unixepoch') || printf('.%03dZ', {us} / 1000 % 1000)"
    )
}

/// The columns of the view of a table, in their order.
pub(super) fn columns(table: &Table) -> Vec<Shown> {
    let kind = table.name;
    let created = format!(
        "(SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = '{kind}') \
         AND first <= t.id ORDER BY first DESC LIMIT 1)"
    );
    let mut shown = vec![
        one(kind, "t.id", StandsFor::Itself),
        one("run_id", "t.run", StandsFor::Run),
        one("created_at", &created, StandsFor::Time),
    ];
    let is_of_encounter =
        |column: &Column| table.has_encounter && encounter::COLUMNS.iter().any(|of| std::ptr::eq(of, column));
    for column in table.all_columns() {
        if is_of_encounter(column) {
            shown.extend(of_encounter(column.name));
        } else {
            shown.extend(of(column));
        }
    }
    shown
}

fn one(name: &str, raw: &str, stands_for: StandsFor) -> Shown {
    Shown { name: name.to_owned(), raw: raw.to_owned(), stands_for, is_text: false }
}

fn of(column: &Column) -> Vec<Shown> {
    let name = column.name;
    let raw = format!("t.{name}");
    let plain = |stands_for| vec![one(name, &raw, stands_for)];
    match column.holds {
        Holds::Subject => {
            vec![one("number", "t.number", StandsFor::Itself), one("peer_id", "t.peer", StandsFor::Peer)]
        }
        Holds::Peer => vec![
            one(&format!("{name}_number"), &raw, StandsFor::Itself),
            one(&format!("{name}_peer_id"), &raw, StandsFor::PeerOfRun),
        ],
        Holds::Failure => failure(name),
        Holds::Time => vec![one(name, &format!("t.{name}_us"), StandsFor::Time)],
        Holds::Name(_) => plain(StandsFor::Name),
        Holds::Texts => plain(StandsFor::Protocols),
        Holds::Address => plain(StandsFor::Address),
        Holds::Bytes => plain(StandsFor::Bytes),
        Holds::List(List::Peers) => {
            let count = physical::count(name);
            vec![one(&count, &format!("t.{count}"), StandsFor::Itself)]
        }
        Holds::List(_) => Vec::new(),
        Holds::Text => vec![Shown { is_text: true, ..one(name, &raw, StandsFor::Itself) }],
        Holds::Duration | Holds::Count(_) | Holds::Flag => plain(StandsFor::Itself),
    }
}

fn failure(name: &str) -> Vec<Shown> {
    [("phase", StandsFor::Phase), ("class", StandsFor::Class), ("detail", StandsFor::Detail)]
        .map(|(part, stands_for)| one(&format!("{name}_{part}"), &format!("t.{name}"), stands_for))
        .to_vec()
}

/// The columns of an encounter, some of which stand in tables beside the row.
fn of_encounter(name: &str) -> Vec<Shown> {
    let raw = format!("t.{name}");
    let beside = |table: &str| format!("(SELECT {name} FROM {table} WHERE id = t.{table})");
    let plain = |raw: &str, stands_for| vec![one(name, raw, stands_for)];
    match name {
        "started_at" => plain("t.started_after_us", StandsFor::TimeOfRun),
        "ended_at" => plain("(t.started_after_us + t.took_us)", StandsFor::TimeOfRun),
        "reachable" => plain("(t.connected IS NOT NULL)", StandsFor::Itself),
        "transport" | "security" | "certificate" => plain(&beside("endpoint"), StandsFor::Name),
        "ip_version" => plain(&beside("endpoint"), StandsFor::Itself),
        "socket" => vec![Shown { is_text: true, ..one(name, &beside("endpoint"), StandsFor::Itself) }],
        "rtt_source" => plain(&raw, StandsFor::Name),
        "connect_error" | "identify_error" => failure(name),
        "agent" => plain(&beside("description"), StandsFor::Agent),
        "protocols" => plain(&beside("description"), StandsFor::Protocols),
        "addresses" | "listen_addrs" => Vec::new(),
        _ => plain(&raw, StandsFor::Itself),
    }
}
