//! What a reader of SQL meets: every kind of rows as a view of plain columns, and a view for each list.

use kad::{
    failure::{FailureClass, Phase, SkipReason},
    network::AddressOutcome,
};

use crate::{
    PrefixOutcome, Reveals,
    table::{Column, Holds, List, Table},
};

/// One plain column of a view.
#[derive(Debug, Clone)]
pub struct Flat {
    /// Its name.
    pub name: String,
    /// What it holds: a plain kind, never a peer, a failure or a list.
    pub holds: Holds,
    /// Whether it can be NULL.
    pub nullable: bool,
    /// What it means, as a phrase.
    pub doc: String,
    /// What it reveals of who was measured; `None` if nobody has said it.
    pub reveals: Option<Reveals>,
}

/// The rows of one list, as a view of their own.
#[derive(Debug, Clone)]
pub struct ListView {
    /// Its name, without `_view`.
    pub name: String,
    /// The column that holds the list.
    pub column: &'static Column,
    /// What is listed.
    pub list: List,
    /// Its columns.
    pub columns: Vec<Flat>,
}

impl Table {
    /// The columns of its view, in order: the number of the row, its run, when it was created, then what it says.
    pub fn flat(&self) -> Vec<Flat> {
        let mut flat = vec![
            plain(self.name, Holds::Count("row"), false, "the number of the row in its store"),
            plain("run_id", Holds::Text, false, "the run that made it").that_says(Reveals::Nothing),
            plain(
                "created_at",
                Holds::Time,
                true,
                "when it was written to the store, by the clock of the run",
            ),
        ];
        flat.extend(self.all_columns().flat_map(flatten));
        flat
    }

    /// The views of its lists.
    pub fn lists(&self) -> Vec<ListView> {
        let lists = self.all_columns().filter_map(|column| match column.holds {
            Holds::List(list) => Some((column, list)),
            _ => None,
        });
        lists
            .map(|(column, list)| {
                let one = singular(column.name);
                let mut columns =
                    vec![plain(self.name, Holds::Count("row"), false, "the row that has the list")];
                let about = plain("peer_id", Holds::Text, false, "the peer that it is about");
                columns.extend(self.has_subject().then(|| about.that_says(Reveals::Peer)));
                columns.extend(listed(list, &one));
                ListView { name: format!("{}_{one}", self.name), column, list, columns }
            })
            .collect()
    }
}

fn plain(name: &str, holds: Holds, nullable: bool, doc: &str) -> Flat {
    let reveals = match holds {
        Holds::Text | Holds::Texts | Holds::Bytes => None,
        Holds::Address => Some(Reveals::Address),
        _ => Some(Reveals::Nothing),
    };
    Flat { name: name.to_owned(), holds, nullable, doc: doc.to_owned(), reveals }
}

impl Flat {
    fn that_says(self, reveals: Reveals) -> Self {
        Self { reveals: Some(reveals), ..self }
    }
}

fn flatten(column: &'static Column) -> Vec<Flat> {
    let Column { name, holds, nullable, doc, .. } = *column;
    let part = |suffix: &str, holds, nullable, what: &str| {
        plain(&format!("{name}_{suffix}"), holds, nullable, &format!("{doc}: {what}"))
    };
    match holds {
        Holds::Subject => vec![
            plain("number", Holds::Count("peer"), false, &format!("{doc}: the peer's number within the run")),
            plain("peer_id", Holds::Text, false, doc).that_says(Reveals::Peer),
        ],
        Holds::Peer => vec![
            part("number", Holds::Count("peer"), nullable, "the peer's number within the run"),
            part("peer_id", Holds::Text, nullable, "its id").that_says(Reveals::Peer),
        ],
        Holds::Failure => vec![
            part("phase", PHASES, true, "in which phase"),
            part("class", CLASSES, true, "what went wrong"),
            part("detail", Holds::Text, true, "a text where the class does not say it all")
                .that_says(Reveals::Text),
        ],
        Holds::List(List::Peers) => {
            let name = format!("{}_count", singular(name));
            vec![plain(&name, Holds::Count("peers"), nullable, &format!("{doc}: how many"))]
        }
        Holds::List(_) => Vec::new(),
        holds => vec![Flat { reveals: column.reveals(), ..plain(name, holds, nullable, doc) }],
    }
}

fn listed(list: List, one: &str) -> Vec<Flat> {
    let position = plain("position", Holds::Count("position"), false, "from 0");
    let address = plain("multiaddr", Holds::Address, false, "the address");
    match list {
        List::Addresses => vec![position, address],
        List::Fates => vec![
            position,
            plain(
                "place",
                Holds::Count("position"),
                true,
                "from 0, of those that the name in it led to; NULL for itself",
            ),
            address,
            plain("outcome", Holds::Name(|| AddressOutcome::NAMES.to_vec()), false, "what came of it"),
            plain("skip_reason", crate::names_of!(SkipReason), true, "why it was left out"),
            plain("phase", PHASES, true, "why it failed: in which phase"),
            plain("class", CLASSES, true, "what went wrong"),
            plain("detail", Holds::Text, true, "a text where the class does not say it all")
                .that_says(Reveals::Text),
            plain("started_after_us", Holds::Duration, true, "from the start of the dial until it was tried"),
            plain("took_us", Holds::Duration, true, "how long the attempt took"),
        ],
        List::Prefixes => vec![
            plain("prefix", Holds::Count("bits"), false, "the common prefix length"),
            plain(
                "outcome",
                Holds::Name(|| PrefixOutcome::NAMES.to_vec()),
                false,
                "what came of its request",
            ),
            plain("peers", Holds::Count("peers"), true, "how many were in the answer"),
            plain("class", CLASSES, true, "what went wrong"),
        ],
        List::Peers => vec![
            plain(&format!("{one}_number"), Holds::Count("peer"), false, "the peer's number within the run"),
            plain(&format!("{one}_peer_id"), Holds::Text, true, "its id").that_says(Reveals::Peer),
        ],
    }
}

const PHASES: Holds = crate::names_of!(Phase);
const CLASSES: Holds = crate::names_of!(FailureClass);

/// One of several, by the name of the list.
fn singular(list: &str) -> String {
    let list = list.replace("addrs", "addresses");
    let one = list.strip_suffix("es").filter(|one| one.ends_with(['s', 'x'])).or(list.strip_suffix('s'));
    one.unwrap_or(&list).to_owned()
}
