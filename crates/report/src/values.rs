//! One value of a row as others see it: behind the veil, and without those who asked not to be measured.

use std::{
    borrow::Cow,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use kad::{Address, PeerId, failure::Failure, network::AddressOutcome, opt_out::OptOut};
use schema::{
    AddressVisit, ColumnValue, PrefixOutcome, Reveals, Veil,
    cell::Cell,
    table::{Column, Holds},
};
use serde::Serialize;

use crate::ExportedPeers;

/// A value as it is written.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Field<'a> {
    Absent,
    Text(Cow<'a, str>),
    Number(u64),
    Flag(bool),
    Failure(Option<FailurePart<'a>>),
    Texts(Vec<Cow<'a, str>>),
    Addresses(Vec<AddressPart<'a>>),
    Prefixes(Vec<PrefixPart>),
    Json(serde_json::Value),
}

#[derive(Debug, Serialize)]
pub(crate) struct FailurePart<'a> {
    phase: &'static str,
    class: &'static str,
    detail: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(crate) struct AddressPart<'a> {
    address: String,
    outcome: &'static str,
    skip_reason: Option<&'static str>,
    failure: Option<FailurePart<'a>>,
    started_after_us: Option<u64>,
    took_us: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resolved: Vec<Self>,
}

#[derive(Debug, Serialize)]
pub(crate) struct PrefixPart {
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    peers: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<&'static str>,
}

/// What stands between a row and its readers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lens<'a> {
    pub(crate) names: &'a ExportedPeers,
    pub(crate) veil: &'a Veil,
    pub(crate) opt_out: &'a OptOut,
}

impl Lens<'_> {
    /// A value as it is written; `None` if it is of somebody who is left out, and the row is nothing without.
    pub(crate) fn field<'v>(&'v self, column: &Column, value: &'v ColumnValue<'_>) -> Option<Field<'v>> {
        let cell = match value {
            ColumnValue::Fates(addresses) => return Some(Field::Addresses(self.fates(addresses))),
            ColumnValue::Cell(cell) => cell,
        };
        if column.reveals() == Some(Reveals::Network) && !self.veil.is_open() {
            return Some(Field::Absent);
        }
        Some(match cell {
            Cell::Absent if matches!(column.holds, Holds::Failure) => Field::Failure(None),
            Cell::Absent => Field::Absent,
            Cell::Peer(peer) => match self.names.get(*peer) {
                Some(name) => Field::Text(name.into()),
                None if column.nullable => Field::Absent,
                None => return None,
            },
            Cell::Time(time) => Field::Text(time.to_string().into()),
            Cell::Duration(duration) => Field::Number(micros(*duration)),
            Cell::Count(count) => Field::Number(*count),
            Cell::Flag(flag) => Field::Flag(*flag),
            Cell::Name(name) => Field::Text(name.as_ref().into()),
            Cell::Text(text) => self.text(column, text),
            Cell::Texts(texts) if self.is_said(column) => Field::Texts(texts.iter().map(Cow::from).collect()),
            Cell::Texts(_) => Field::Texts(Vec::new()),
            Cell::Bytes(bytes) if self.is_left_out(column, bytes) => return None,
            Cell::Bytes(bytes) => self.bytes(column, bytes),
            Cell::Address(address) if self.opt_out.has_given(address) && !column.nullable => return None,
            Cell::Address(address) if self.opt_out.has_given(address) => Field::Absent,
            Cell::Address(address) => Field::Text(self.veil.address(address).into()),
            Cell::Failure(failure) => Field::Failure(Some(self.failure(failure))),
            Cell::Addresses(addresses) => Field::Texts(self.addresses(addresses)),
            Cell::Prefixes(prefixes) => Field::Prefixes(prefixes.iter().copied().map(prefix).collect()),
            Cell::Peers(peers) => {
                Field::Texts(peers.iter().filter_map(|&peer| self.names.get(peer)).map(Cow::from).collect())
            }
        })
    }

    /// Whether the text or the bytes of a column are shown as they are.
    fn is_said(&self, column: &Column) -> bool {
        self.veil.is_open()
            || matches!(column.reveals(), Some(Reveals::Nothing | Reveals::Program | Reveals::Region))
    }

    fn text<'v>(&'v self, column: &Column, text: &'v str) -> Field<'v> {
        let is_address = column.reveals() == Some(Reveals::Address);
        let socket = text.parse::<SocketAddr>().ok().filter(|_| is_address);
        let ip = text.parse::<IpAddr>().ok().filter(|_| is_address);
        let shown = match (socket, ip) {
            (Some(socket), _) => {
                self.veil.socket(socket).filter(|_| !self.opt_out.has_ip(socket.ip())).map(Cow::from)
            }
            (None, Some(ip)) => self.veil.ip(ip).filter(|_| !self.opt_out.has_ip(ip)).map(Cow::from),
            (None, None) => self.is_said(column).then(|| text.into()),
        };
        shown.map_or(Field::Absent, Field::Text)
    }

    fn bytes(&self, column: &Column, bytes: &[u8]) -> Field<'static> {
        if self.is_said(column) || column.reveals() == Some(Reveals::Peer) {
            return Field::Text(self.veil.key(bytes).into());
        }
        Field::Absent
    }

    /// Whether bytes are the id of somebody who asked not to be measured.
    fn is_left_out(&self, column: &Column, bytes: &[u8]) -> bool {
        column.reveals() == Some(Reveals::Peer)
            && PeerId::from_bytes(bytes).is_ok_and(|peer| self.opt_out.has_peer(&peer))
    }

    fn addresses(&self, addresses: &[Address]) -> Vec<Cow<'static, str>> {
        let said = addresses.iter().filter(|address| !self.opt_out.has_given(address));
        said.map(|address| self.veil.address(address).into()).collect()
    }

    fn fates<'v>(&self, visited: &'v [AddressVisit]) -> Vec<AddressPart<'v>> {
        let part = |visited: &'v AddressVisit| {
            let (outcome, skip_reason, failure) = match &visited.outcome {
                AddressOutcome::Connected => ("connected", None, None),
                AddressOutcome::NotTried => ("not_tried", None, None),
                AddressOutcome::Abandoned => ("abandoned", None, None),
                AddressOutcome::Skipped(reason) => ("skipped", Some(reason.name()), None),
                AddressOutcome::Failed(failure) => ("failed", None, Some(self.failure(failure))),
            };
            AddressPart {
                address: self.veil.address(&visited.address),
                outcome,
                skip_reason,
                failure,
                started_after_us: visited.started_after.map(micros),
                took_us: visited.took.map(micros),
                resolved: self.fates(&visited.resolved),
            }
        };
        visited.iter().filter(|visited| !self.opt_out.has_given(&visited.address)).map(part).collect()
    }

    fn failure<'v>(&self, failure: &'v Failure) -> FailurePart<'v> {
        FailurePart {
            phase: failure.phase.name(),
            class: failure.class.name(),
            detail: self.veil.detail(failure),
        }
    }
}

impl Field<'_> {
    /// As the fields of a line of a table: lists and objects are JSON, and what is absent is empty.
    pub(crate) fn columns(&self, record: &mut Vec<String>) {
        match self {
            Self::Absent => record.push(String::new()),
            Self::Text(text) => record.push(text.clone().into_owned()),
            Self::Number(number) => record.push(number.to_string()),
            Self::Flag(flag) => record.push(flag.to_string()),
            Self::Failure(None) => record.extend([const { String::new() }; 3]),
            Self::Failure(Some(part)) => {
                record.extend([part.phase, part.class, part.detail.unwrap_or_default()].map(str::to_owned));
            }
            // Strings, numbers and lists of them are JSON whatever they say.
            list => record.push(serde_json::to_string(list).unwrap_or_default()),
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn prefix(outcome: PrefixOutcome) -> PrefixPart {
    let (peers, class) = match outcome {
        PrefixOutcome::NotAsked | PrefixOutcome::Saved => (None, None),
        PrefixOutcome::Answered { peers } => (Some(peers), None),
        PrefixOutcome::Failed(class) => (None, Some(class.name())),
    };
    PrefixPart { outcome: outcome.name(), peers, class }
}
