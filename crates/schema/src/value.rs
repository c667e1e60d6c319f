//! What a row says, column by column, as its description lists the columns.

use crate::{AddressVisit, Encounter, Row, cell::Cell};

/// What a row says in one column.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnValue<'a> {
    /// One value, as a store keeps it.
    Cell(Cell<'a>),
    /// Addresses, and what came of each.
    Fates(&'a [AddressVisit]),
}

impl<'a, T: Into<Cell<'a>>> From<T> for ColumnValue<'a> {
    fn from(cell: T) -> Self {
        Self::Cell(cell.into())
    }
}

impl Row {
    /// What it says in [all columns](crate::Table::all_columns) of its table, in their order; nothing for a peer.
    pub fn values(&self) -> Vec<ColumnValue<'_>> {
        let Some(table) = self.table() else { return Vec::new() };
        let mut cells = self.cells().into_iter().map(ColumnValue::Cell);
        let subject: Vec<_> = cells.by_ref().take(usize::from(table.has_subject())).collect();
        let encounter = self.encounter().map(Encounter::values).unwrap_or_default();
        subject.into_iter().chain(encounter).chain(cells).collect()
    }
}

impl Encounter {
    /// What it says in each of its [columns](crate::encounter::COLUMNS).
    pub fn values(&self) -> Vec<ColumnValue<'_>> {
        let connection = self.connection.as_ref();
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let socket = connection.map(|connection| Cell::Text(connection.socket.to_string().into()));
        vec![
            self.started_at.into(),
            self.ended_at.into(),
            self.dial_duration.into(),
            self.connect_duration.into(),
            ColumnValue::Fates(&self.addresses),
            self.is_reachable().into(),
            connection.map(|connection| count(connection.address)).into(),
            connection.map(|connection| connection.transport.name()).into(),
            connection.map(|connection| connection.security.name()).into(),
            connection
                .and_then(|connection| connection.certificate)
                .map(kad::network::WssCertificate::name)
                .into(),
            connection.map(|connection| connection.ip_version).into(),
            socket.unwrap_or(Cell::Absent).into(),
            connection.and_then(|connection| connection.rtt).map(|rtt| rtt.time).into(),
            connection.and_then(|connection| connection.rtt).map(|rtt| rtt.source.name()).into(),
            self.connect_error.as_ref().into(),
            self.agent_version.as_deref().map_or(Cell::Absent, Cell::text).into(),
            self.protocols.as_slice().into(),
            self.listen_addrs.as_slice().into(),
            self.identify_error.as_ref().into(),
            self.sent_bytes.into(),
            self.received_bytes.into(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        PeerNumber, Ping, Timestamp,
        encounter::COLUMNS,
        table::{Holds, List},
    };

    #[test]
    fn there_is_a_value_for_each_column_and_of_its_kind() {
        let mut met = Encounter::begun(Timestamp(1));
        met.agent_version = Some("kubo".to_owned());
        met.connection = Some(crate::ConnectionInfo {
            address: 0,
            transport: kad::network::Transport::Wss,
            security: kad::network::Security::Noise,
            certificate: Some(kad::network::WssCertificate::Root),
            ip_version: 4,
            socket: ([192, 0, 2, 1], 4001).into(),
            rtt: Some(kad::network::RoundTrip {
                time: std::time::Duration::from_millis(1),
                source: kad::network::RttSource::Quic,
            }),
        });
        let values = met.values();
        assert_eq!(values.len(), COLUMNS.len());
        for (column, value) in COLUMNS.iter().zip(&values) {
            let fits = match (column.holds, value) {
                (Holds::List(List::Fates), ColumnValue::Fates(_))
                | (Holds::Time, ColumnValue::Cell(Cell::Time(_)))
                | (Holds::Duration, ColumnValue::Cell(Cell::Duration(_)))
                | (Holds::Count(_), ColumnValue::Cell(Cell::Count(_)))
                | (Holds::Flag, ColumnValue::Cell(Cell::Flag(_)))
                | (Holds::Name(_), ColumnValue::Cell(Cell::Name(_)))
                | (Holds::Text, ColumnValue::Cell(Cell::Text(_)))
                | (Holds::Texts, ColumnValue::Cell(Cell::Texts(_)))
                | (Holds::List(List::Addresses), ColumnValue::Cell(Cell::Addresses(_))) => true,
                (_, ColumnValue::Cell(Cell::Absent)) => column.nullable,
                _ => false,
            };
            assert!(fits, "{}: {value:?}", column.name);
        }
        let ping = Ping {
            peer: PeerNumber(3),
            met,
            observed_addr: None,
            ping: None,
            ping_error: None,
            named: Some(2),
            request_error: None,
        };
        let row = Row::from(ping);
        let table = row.table().expect("a ping has a table");
        let (values, columns) = (row.values(), table.all_columns().count());
        assert_eq!((values.len(), &values[0]), (columns, &PeerNumber(3).into()));
    }
}
