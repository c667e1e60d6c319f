//! Rows as their tables have them: first what has to have a number is wanted, then, when it has, each row is written.

use std::borrow::Cow;

use kad::network::{AddressOutcome, WssCertificate};
use schema::{
    AddressVisit, Encounter, PeerNumber, PrefixOutcome, Row, Table, Timestamp,
    cell::Cell,
    table::{Column, Holds, List},
};

use super::{
    copy::CopyRows,
    dictionary::Dictionaries,
    layout,
    numbers::Numbers,
    once::{Agent, Protocols},
    text::kept,
};

/// What a prefix that was not asked for is in an array; likewise one that was saved, and how failures follow: the number of
/// each, less this. What is not negative is how many peers were in the answer.
pub(crate) const NOT_ASKED: i32 = -1;
pub(crate) const SAVED: i32 = -2;
pub(crate) const FAILED: i32 = -3;

/// Wants all that a row refers to.
pub(crate) fn want(row: &Row, dictionaries: &mut Dictionaries, numbers: &mut Numbers) {
    if let Row::Peer(_, peer) = row {
        return dictionaries.peers.want(peer);
    }
    if let Some(encounter) = row.encounter() {
        want_encounter(encounter, dictionaries);
    }
    let columns = row.table().map_or(&[][..], |table| table.columns);
    for (column, cell) in columns.iter().zip(&row.cells()) {
        match cell {
            Cell::Peer(number) if matches!(column.holds, Holds::Subject) => numbers.want(*number),
            Cell::Text(agent) if layout::is_agent(column) => dictionaries.agents.want(&Agent(agent)),
            Cell::Failure(failure) => dictionaries.failures.want(&**failure),
            Cell::Address(address) => dictionaries.addresses.want(&**address),
            Cell::Addresses(addresses) => addresses.iter().for_each(|a| dictionaries.addresses.want(a)),
            Cell::Texts(texts) if !texts.is_empty() => dictionaries.protocol_sets.want(&Protocols(texts)),
            Cell::Prefixes(prefixes) => {
                for prefix in prefixes {
                    if let PrefixOutcome::Failed(class) = prefix {
                        dictionaries.failures.want(class);
                    }
                }
            }
            _ => {}
        }
    }
}

fn want_encounter(encounter: &Encounter, to: &mut Dictionaries) {
    for visited in every(&encounter.addresses) {
        to.addresses.want(&visited.address);
        if let AddressOutcome::Failed(failure) = &visited.outcome {
            to.failures.want(failure);
        }
    }
    encounter.listen_addrs.iter().for_each(|address| to.addresses.want(address));
    if let Some(agent) = &encounter.agent_version {
        to.agents.want(&Agent(agent));
    }
    if !encounter.protocols.is_empty() {
        to.protocol_sets.want(&Protocols(&encounter.protocols));
    }
    for failure in encounter.connect_error.iter().chain(&encounter.identify_error) {
        to.failures.want(failure);
    }
}

/// The addresses themselves, then all that they led to.
fn every(addresses: &[AddressVisit]) -> impl Iterator<Item = &AddressVisit> {
    addresses.iter().chain(addresses.iter().flat_map(|visited| &visited.resolved))
}

/// Writes rows of one run, of which all that they refer to has a number.
#[derive(Debug)]
pub(crate) struct Encoder<'a> {
    pub(crate) run: i32,
    pub(crate) created_at: Timestamp,
    pub(crate) dictionaries: &'a Dictionaries,
    pub(crate) numbers: &'a Numbers,
    /// The numbers of the types of `layout::OUTCOME` and `layout::REASON`.
    pub(crate) enums: [u32; 2],
}

impl Encoder<'_> {
    /// Writes a row as the number `position` of its run.
    pub(crate) fn row(&self, out: &mut CopyRows, row: &Row, table: &Table, position: i64) {
        out.big(layout::id(self.run, position));
        out.int(self.run);
        out.time(self.created_at);
        let mut columns = table.columns.iter();
        let mut cells = row.cells().into_iter();
        if table.has_subject()
            && let (Some(column), Some(cell)) = (columns.next(), cells.next())
        {
            self.cell(out, column, &cell);
        }
        if let Some(encounter) = row.encounter() {
            self.encounter(out, encounter);
        }
        for (column, cell) in columns.zip(cells) {
            self.cell(out, column, &cell);
        }
    }

    fn encounter(&self, out: &mut CopyRows, encounter: &Encounter) {
        let connection = encounter.connection.as_ref();
        let rtt = connection.and_then(|connection| connection.rtt);
        out.time(encounter.started_at);
        out.time(encounter.ended_at);
        out.big(encounter.dial_duration.map(micros));
        out.big(encounter.connect_duration.map(micros));
        self.fates(out, &encounter.addresses);
        out.flag(encounter.is_reachable());
        out.big(connection.map(|c| big(c.address as u64)));
        out.text(connection.map(|c| c.transport.name()));
        out.text(connection.map(|c| c.security.name()));
        out.text(connection.and_then(|c| c.certificate).map(WssCertificate::name));
        out.big(connection.map(|c| i64::from(c.ip_version)));
        out.text(connection.map(|c| c.socket.to_string()).as_deref());
        out.big(rtt.map(|rtt| micros(rtt.time)));
        out.text(rtt.map(|rtt| rtt.source.name()));
        self.failure(out, encounter.connect_error.as_ref());
        let agent = encounter.agent_version.as_deref();
        out.int(agent.and_then(|agent| self.dictionaries.agents.id(&Agent(agent))));
        self.protocols(out, &encounter.protocols);
        self.addresses(out, &encounter.listen_addrs);
        self.failure(out, encounter.identify_error.as_ref());
        out.big(big(encounter.sent_bytes));
        out.big(big(encounter.received_bytes));
    }

    fn fates(&self, out: &mut CopyRows, addresses: &[AddressVisit]) {
        let mut all: Vec<_> = addresses.iter().map(|visited| (visited, None)).collect();
        for (position, visited) in addresses.iter().enumerate() {
            let led_by = i32::try_from(position).ok();
            all.extend(visited.resolved.iter().map(|resolved| (resolved, led_by)));
        }
        let failures = &self.dictionaries.failures;
        let visited = || all.iter().map(|(visited, _)| *visited);
        out.ints_if_any(visited().map(|visited| self.address(&visited.address)));
        out.texts_if_any(self.enums[0], visited().map(|visited| Some(visited.outcome.name())));
        let reason = |visited: &AddressVisit| match &visited.outcome {
            AddressOutcome::Skipped(reason) => Some(reason.name()),
            _ => None,
        };
        out.texts_if_any(self.enums[1], visited().map(reason));
        let failed = |visited: &AddressVisit| match &visited.outcome {
            AddressOutcome::Failed(failure) => failures.id(failure),
            _ => None,
        };
        out.ints_if_any(visited().map(failed));
        out.bigs_if_any(visited().map(|visited| visited.started_after.map(micros)));
        out.bigs_if_any(visited().map(|visited| visited.took.map(micros)));
        out.ints_if_any(all.iter().map(|&(_, led_by)| led_by));
    }

    fn cell(&self, out: &mut CopyRows, column: &Column, cell: &Cell<'_>) {
        match (column.holds, cell) {
            (Holds::Subject, Cell::Peer(number)) => {
                out.int(self.numbers.peer(*number));
                out.int(number.0.cast_signed());
            }
            (_, Cell::Peer(number)) => out.int(number.0.cast_signed()),
            (_, Cell::Time(time)) => out.time(*time),
            (_, Cell::Duration(duration)) => out.big(micros(*duration)),
            (_, Cell::Count(count)) => out.big(big(*count)),
            (_, Cell::Flag(flag)) => out.flag(*flag),
            (_, Cell::Name(name)) => out.text(&**name),
            (_, Cell::Text(agent)) if layout::is_agent(column) => {
                out.int(self.dictionaries.agents.id(&Agent(agent)));
            }
            (_, Cell::Text(text)) => out.text(&*kept(text)),
            (_, Cell::Texts(texts)) => self.protocols(out, texts),
            (_, Cell::Bytes(bytes)) => out.raw(bytes),
            (_, Cell::Address(address)) => out.int(self.address(address)),
            (_, Cell::Failure(failure)) => self.failure(out, Some(failure)),
            (_, Cell::Addresses(addresses)) => self.addresses(out, addresses),
            (_, Cell::Prefixes(prefixes)) => self.prefixes(out, prefixes),
            (_, Cell::Peers(peers)) => neighbors(out, peers),
            (Holds::List(List::Fates), Cell::Absent) => self.fates(out, &[]),
            (_, Cell::Absent) => out.null(),
        }
    }

    fn address(&self, address: &kad::Address) -> Option<i32> {
        self.dictionaries.addresses.id(address)
    }

    fn addresses(&self, out: &mut CopyRows, addresses: &[kad::Address]) {
        out.ints_if_any(addresses.iter().map(|address| self.address(address)));
    }

    fn failure(&self, out: &mut CopyRows, failure: Option<&kad::failure::Failure>) {
        out.int(failure.and_then(|failure| self.dictionaries.failures.id(failure)));
    }

    fn protocols(&self, out: &mut CopyRows, protocols: &[String]) {
        let set = (!protocols.is_empty()).then_some(Protocols(protocols));
        out.int(set.and_then(|set| self.dictionaries.protocol_sets.id(&set)));
    }

    fn prefixes(&self, out: &mut CopyRows, prefixes: &[PrefixOutcome]) {
        if prefixes.iter().all(|prefix| *prefix == PrefixOutcome::NotAsked) {
            return out.null();
        }
        let code = |prefix: &PrefixOutcome| match prefix {
            PrefixOutcome::NotAsked => Some(NOT_ASKED),
            PrefixOutcome::Saved => Some(SAVED),
            PrefixOutcome::Answered { peers } => Some(i32::from(*peers)),
            PrefixOutcome::Failed(class) => Some(FAILED - self.dictionaries.failures.id(class)?),
        };
        out.ints_if_any(prefixes.iter().map(code));
    }
}

/// As a set, ascending.
fn neighbors(out: &mut CopyRows, peers: &[PeerNumber]) {
    out.ints(set(peers).iter().map(|peer| Some(peer.0.cast_signed())));
}

fn set(peers: &[PeerNumber]) -> Cow<'_, [PeerNumber]> {
    if peers.is_sorted_by(|a, b| a < b) {
        return peers.into();
    }
    let mut set = peers.to_vec();
    set.sort_unstable();
    set.dedup();
    set.into()
}

/// How many distinct peers there are.
pub(crate) fn distinct(peers: &[PeerNumber]) -> u64 {
    set(peers).len() as u64
}

/// Whole microseconds; the largest number that the database has, for what is longer.
pub(crate) fn micros(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// A count, or the largest that the database has.
pub(crate) fn big(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
