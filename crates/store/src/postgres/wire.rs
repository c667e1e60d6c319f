//! What waits, as bytes in a file of ours: read back by the version that wrote it, or by a later one that knows its names.
//!
//! Numbers are big-endian; bytes and lists have their length, as a u32, before them.

use kad::PeerId;
use schema::{Encounter, PeerNumber, Row, RunEnd, RunState, TABLES, Timestamp, cell::Cells};

use super::{
    batch::{Batch, Waiting},
    wire_cell, wire_encounter,
};

const BATCH: u8 = 0;
const END: u8 = 1;

/// Stands for a row that introduces a peer, where the others have the number of their table.
const PEER: u8 = u8::MAX;

/// Bytes that are written.
#[derive(Debug, Default)]
pub(crate) struct Out(pub(crate) Vec<u8>);

impl Out {
    pub(crate) fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(crate) fn word(&mut self, value: u32) {
        self.0.extend(value.to_be_bytes());
    }

    pub(crate) fn long(&mut self, value: u64) {
        self.0.extend(value.to_be_bytes());
    }

    pub(crate) fn bytes(&mut self, value: &[u8]) {
        // Nothing that is kept is longer than four gigabytes.
        self.word(u32::try_from(value.len()).unwrap_or(u32::MAX));
        self.0.extend(value);
    }

    pub(crate) fn list<T>(&mut self, items: &[T], mut put: impl FnMut(&mut Self, &T)) {
        self.word(u32::try_from(items.len()).unwrap_or(u32::MAX));
        for item in items {
            put(self, item);
        }
    }

    pub(crate) fn option<T>(&mut self, value: Option<T>, put: impl FnOnce(&mut Self, T)) {
        self.byte(u8::from(value.is_some()));
        if let Some(value) = value {
            put(self, value);
        }
    }
}

/// Bytes that are read: everything is `None` where they are not what was written.
#[derive(Debug)]
pub(crate) struct In<'a>(pub(crate) &'a [u8]);

impl<'a> In<'a> {
    fn take(&mut self, size: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(size)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }

    pub(crate) fn word(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    pub(crate) fn long(&mut self) -> Option<u64> {
        Some(u64::from_be_bytes(self.take(8)?.try_into().ok()?))
    }

    pub(crate) fn time(&mut self) -> Option<Timestamp> {
        self.long().map(|micros| Timestamp(micros.cast_signed()))
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let size = self.word()?;
        self.take(usize::try_from(size).ok()?)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        str::from_utf8(self.bytes()?).ok()
    }

    pub(crate) fn list<T>(&mut self, mut get: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        // No room is made for what is only said to come.
        (0..self.word()?).map(|_| get(self)).collect()
    }

    /// Something that may not be there: `U` is an option of `T`.
    pub(crate) fn option<T, U: Default + From<T>>(
        &mut self,
        get: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<U> {
        match self.byte()? {
            0 => Some(U::default()),
            1 => get(self).map(U::from),
            _ => None,
        }
    }
}

/// As bytes.
pub(crate) fn encode(waiting: &Waiting) -> Vec<u8> {
    let mut out = Out::default();
    match waiting {
        Waiting::Batch(batch) => {
            out.byte(BATCH);
            out.long(batch.number.cast_unsigned());
            out.long(batch.created_at.0.cast_unsigned());
            out.list(&batch.rows, put_row);
        }
        Waiting::End(end) => {
            out.byte(END);
            out.long(end.finished_at.0.cast_unsigned());
            out.bytes(end.state.name().as_bytes());
            out.bytes(end.summary.to_string().as_bytes());
        }
    }
    out.0
}

/// What [`encode`] was given; `None` for anything else.
pub(crate) fn decode(bytes: &[u8]) -> Option<Waiting> {
    let mut bytes = In(bytes);
    let waiting = match bytes.byte()? {
        BATCH => {
            let number = bytes.long()?.cast_signed();
            let created_at = bytes.time()?;
            Waiting::Batch(Batch { number, created_at, rows: bytes.list(row)? })
        }
        END => Waiting::End(RunEnd {
            finished_at: bytes.time()?,
            state: RunState::from_name(bytes.text()?)?,
            summary: serde_json::from_str(bytes.text()?).ok()?,
        }),
        _ => return None,
    };
    bytes.0.is_empty().then_some(waiting)
}

fn put_row(out: &mut Out, row: &Row) {
    if let Row::Peer(number, peer) = row {
        out.byte(PEER);
        out.word(number.0);
        return out.bytes(&peer.to_bytes());
    }
    let table = row.table().and_then(|table| TABLES.iter().position(|known| known.name == table.name));
    out.byte(table.and_then(|table| u8::try_from(table).ok()).unwrap_or(PEER));
    out.option(row.encounter(), wire_encounter::put);
    out.list(&row.cells(), wire_cell::put);
}

fn row(bytes: &mut In<'_>) -> Option<Row> {
    let table = match bytes.byte()? {
        PEER => {
            let number = PeerNumber(bytes.word()?);
            return Some(Row::Peer(number, PeerId::from_bytes(bytes.bytes()?).ok()?));
        }
        position => TABLES.get(usize::from(position))?,
    };
    let encounter: Option<Encounter> = bytes.option(wire_encounter::get)?;
    let cells = bytes.list(wire_cell::get)?;
    Row::read(table, &mut Cells::new(cells), encounter)?.ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kad::{
        Address,
        failure::{Failure, FailureClass, Phase, SkipReason},
        lookup::{LookupKind, RpcFate},
        network::{AddressOutcome, RoundTrip, RttSource, Security, Transport, WssCertificate},
    };
    use proptest::prelude::*;
    use schema::{
        AddressVisit, ClockStep, ConnectionInfo, LookupRequest, Measurement, MeasurementRequest,
        OperationKind, PeerInDegree, PrefixOutcome, RecordHolder, RequestPurpose, StepCause, Strategy, Visit,
        VisitKind,
    };

    use super::*;

    fn fate(outcome: AddressOutcome, resolved: Vec<AddressVisit>) -> AddressVisit {
        AddressVisit {
            address: Address::from_bytes(&[4, 192, 0, 2, 1, 6]),
            started_after: Some(Duration::from_micros(1)),
            took: None,
            outcome,
            resolved,
        }
    }

    fn failure() -> Failure {
        Failure { phase: Phase::Connect, class: FailureClass::Timeout, detail: Some("\0é".into()) }
    }

    /// A visit of which everything is there.
    fn visit() -> Visit {
        let mut visit = Visit::begun(PeerNumber(7), VisitKind::TurnedAway, Timestamp(-5));
        visit.met.dial_duration = Some(Duration::from_micros(u64::MAX >> 1));
        visit.met.addresses = vec![
            fate(AddressOutcome::Connected, vec![fate(AddressOutcome::Failed(failure()), Vec::new())]),
            fate(AddressOutcome::Skipped(SkipReason::Private), Vec::new()),
            fate(AddressOutcome::NotTried, Vec::new()),
            fate(AddressOutcome::Abandoned, Vec::new()),
        ];
        visit.met.connection = Some(ConnectionInfo {
            address: 3,
            transport: Transport::Wss,
            security: Security::Tls,
            certificate: Some(WssCertificate::Unverified),
            ip_version: 6,
            socket: ([0, 0, 0, 0, 0, 0, 0, 1], 4001).into(),
            rtt: Some(RoundTrip { time: Duration::from_micros(9), source: RttSource::TcpInfo }),
        });
        visit.met.connect_error = Some(failure());
        visit.met.agent_version = Some(String::new());
        visit.met.protocols = vec!["/a".to_owned(), String::new()];
        visit.met.listen_addrs = vec![Address::from_bytes(&[0xff])];
        visit.prefixes[1] = PrefixOutcome::Saved;
        visit.prefixes[2] = PrefixOutcome::Answered { peers: 20 };
        visit.prefixes[3] = PrefixOutcome::Failed(FailureClass::Timeout);
        visit.neighbors = Some(vec![PeerNumber(0), PeerNumber(u32::MAX)]);
        visit
    }

    /// One of each kind of rows.
    fn rows() -> Vec<Row> {
        let request = LookupRequest {
            peer: PeerNumber(1),
            kind: LookupKind::ALL[0],
            key: vec![0, 255],
            lookup_started_at: Timestamp(1),
            heard_by: None,
            heard_after: Duration::ZERO,
            hop: 2,
            common_prefix_len: 256,
            asked_after: Duration::ZERO,
            sent_after: None,
            ended_after: Some(Duration::from_micros(4)),
            fate: RpcFate::ALL[0],
            failure: None,
            closer: 1,
            closer_with_addresses: 2,
            providers: 3,
            providers_with_addresses: 4,
            has_value: true,
        };
        let holder = RecordHolder {
            peer: PeerNumber(1),
            key: Vec::new(),
            given_at: Timestamp(0),
            provider: PeerNumber(2),
            send_error: Some(failure()),
            has_record: Some(false),
            with_addresses: None,
            read_error: None,
        };
        let (noticed_at, wall) = (Timestamp(i64::MIN), Timestamp(i64::MAX));
        let step = ClockStep { noticed_at, expected: Timestamp(0), wall, cause: StepCause::Set };
        let heard =
            PeerInDegree { named: PeerNumber(2), tables: u16::MAX, heard_after: u32::MAX, given: true };
        let peer = Row::Peer(PeerNumber(3), PeerId::from_bytes(&[0, 1, 7]).unwrap());
        let [measurement, asked] = measured();
        vec![
            peer,
            visit().into(),
            request.into(),
            holder.into(),
            heard.into(),
            step.into(),
            measurement,
            asked,
        ]
    }

    fn measured() -> [Row; 2] {
        let (peer, attempt) = (PeerNumber(1), [255; 16]);
        let measurement = Measurement {
            strategy: Some(Strategy::OptProv),
            failure: Some("\0é".to_owned()),
            culprit: Some(PeerNumber(2)),
            size_estimate: Some(u64::MAX >> 1),
            ..Measurement::planned(peer, attempt, OperationKind::Findable, Timestamp(3))
        };
        let asked = MeasurementRequest {
            failure: Some(failure()),
            transport: Some(Transport::Quic),
            has_record: Some(false),
            ..MeasurementRequest::begun(peer, attempt, RequestPurpose::ReadBack, Timestamp(4))
        };
        [measurement.into(), asked.into()]
    }

    #[test]
    fn every_value_is_read_back() {
        let batch = Batch { number: 5, created_at: Timestamp(6), rows: rows() };
        let end = RunEnd {
            finished_at: Timestamp(7),
            state: RunState::Cancelled,
            summary: serde_json::json!({ "peers": [1, null, "\0"] }),
        };
        for waiting in [Waiting::Batch(batch), Waiting::End(end)] {
            assert_eq!(decode(&encode(&waiting)), Some(waiting));
        }
    }

    #[test]
    fn what_is_cut_is_nothing() {
        let whole = encode(&Waiting::Batch(Batch { number: 5, created_at: Timestamp(6), rows: rows() }));
        for size in 0..whole.len() {
            assert_eq!(decode(&whole[..size]), None, "{size}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>, place: prop::sample::Index, to: u8) {
            drop(decode(&bytes));
            let mut turned = encode(&Waiting::Batch(Batch { number: 5, created_at: Timestamp(6), rows: rows() }));
            let place = place.index(turned.len());
            turned[place] = to;
            drop(decode(&turned));
        }
    }
}
