//! An encounter as bytes in a file of ours.

use kad::{
    failure::SkipReason,
    network::{AddressOutcome, RoundTrip, RttSource, Security, Transport, WssCertificate},
};
use schema::{AddressVisit, ConnectionInfo, Encounter};

use super::{
    wire::{In, Out},
    wire_cell::{
        address, addresses, duration, failure, put_addresses, put_duration, put_failure, put_texts, texts,
    },
};

pub(super) fn put(out: &mut Out, encounter: &Encounter) {
    out.long(encounter.started_at.0.cast_unsigned());
    out.long(encounter.ended_at.0.cast_unsigned());
    out.option(encounter.dial_duration, put_duration);
    out.option(encounter.connect_duration, put_duration);
    out.list(&encounter.addresses, put_visited);
    out.option(encounter.connection.as_ref(), put_connection);
    out.option(encounter.connect_error.as_ref(), put_failure);
    out.option(encounter.agent_version.as_deref(), put_text);
    put_texts(out, &encounter.protocols);
    put_addresses(out, &encounter.listen_addrs);
    out.option(encounter.identify_error.as_ref(), put_failure);
    out.long(encounter.sent_bytes);
    out.long(encounter.received_bytes);
}

pub(super) fn get(bytes: &mut In<'_>) -> Option<Encounter> {
    Some(Encounter {
        started_at: bytes.time()?,
        ended_at: bytes.time()?,
        dial_duration: bytes.option(duration)?,
        connect_duration: bytes.option(duration)?,
        addresses: bytes.list(visited)?,
        connection: bytes.option(connection)?,
        connect_error: bytes.option(failure)?,
        agent_version: bytes.option(text)?,
        protocols: texts(bytes)?,
        listen_addrs: addresses(bytes)?,
        identify_error: bytes.option(failure)?,
        sent_bytes: bytes.long()?,
        received_bytes: bytes.long()?,
    })
}

fn put_text(out: &mut Out, text: &str) {
    out.bytes(text.as_bytes());
}

fn text(bytes: &mut In<'_>) -> Option<String> {
    bytes.text().map(str::to_owned)
}

fn put_visited(out: &mut Out, visited: &AddressVisit) {
    out.bytes(visited.address.as_bytes());
    out.option(visited.started_after, put_duration);
    out.option(visited.took, put_duration);
    match &visited.outcome {
        AddressOutcome::Connected => out.byte(0),
        AddressOutcome::NotTried => out.byte(1),
        AddressOutcome::Abandoned => out.byte(2),
        AddressOutcome::Skipped(reason) => {
            out.byte(3);
            put_text(out, reason.name());
        }
        AddressOutcome::Failed(failure) => {
            out.byte(4);
            put_failure(out, failure);
        }
    }
    out.list(&visited.resolved, put_visited);
}

fn visited(bytes: &mut In<'_>) -> Option<AddressVisit> {
    let own = fate(bytes)?;
    // What a name led to leads nowhere: a list within a list within a list is none of ours.
    let resolved = bytes.list(|bytes| {
        let led_to = fate(bytes)?;
        (bytes.word()? == 0).then_some(led_to)
    })?;
    Some(AddressVisit { resolved, ..own })
}

fn fate(bytes: &mut In<'_>) -> Option<AddressVisit> {
    Some(AddressVisit {
        address: address(bytes)?,
        started_after: bytes.option(duration)?,
        took: bytes.option(duration)?,
        outcome: match bytes.byte()? {
            0 => AddressOutcome::Connected,
            1 => AddressOutcome::NotTried,
            2 => AddressOutcome::Abandoned,
            3 => AddressOutcome::Skipped(SkipReason::from_name(bytes.text()?)?),
            4 => AddressOutcome::Failed(failure(bytes)?),
            _ => return None,
        },
        resolved: Vec::new(),
    })
}

fn put_connection(out: &mut Out, connection: &ConnectionInfo) {
    out.long(connection.address as u64);
    put_text(out, connection.transport.name());
    put_text(out, connection.security.name());
    out.option(connection.certificate, |out, certificate| put_text(out, certificate.name()));
    out.byte(connection.ip_version);
    put_text(out, &connection.socket.to_string());
    out.option(connection.rtt, |out, rtt| {
        put_duration(out, rtt.time);
        put_text(out, rtt.source.name());
    });
}

fn connection(bytes: &mut In<'_>) -> Option<ConnectionInfo> {
    Some(ConnectionInfo {
        address: usize::try_from(bytes.long()?).ok()?,
        transport: Transport::from_name(bytes.text()?)?,
        security: Security::from_name(bytes.text()?)?,
        certificate: bytes.option(|bytes| WssCertificate::from_name(bytes.text()?))?,
        ip_version: bytes.byte()?,
        socket: bytes.text()?.parse().ok()?,
        rtt: bytes.option(|bytes| {
            Some(RoundTrip { time: duration(bytes)?, source: RttSource::from_name(bytes.text()?)? })
        })?,
    })
}
