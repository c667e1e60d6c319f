//! One value of a row as bytes in a file of ours.

use std::{borrow::Cow, time::Duration};

use kad::{
    Address,
    failure::{Failure, FailureClass, Phase},
};
use schema::{PeerNumber, PrefixOutcome, cell::Cell, visit::PREFIXES};

use super::{
    encode::micros,
    wire::{In, Out},
};

pub(super) fn put(out: &mut Out, cell: &Cell<'_>) {
    match cell {
        Cell::Absent => out.byte(0),
        Cell::Peer(number) => tagged(out, 1, |out| out.word(number.0)),
        Cell::Time(time) => tagged(out, 2, |out| out.long(time.0.cast_unsigned())),
        Cell::Duration(duration) => tagged(out, 3, |out| put_duration(out, *duration)),
        Cell::Count(count) => tagged(out, 4, |out| out.long(*count)),
        Cell::Flag(flag) => tagged(out, 5, |out| out.byte(u8::from(*flag))),
        Cell::Name(name) => tagged(out, 6, |out| out.bytes(name.as_bytes())),
        Cell::Text(text) => tagged(out, 7, |out| out.bytes(text.as_bytes())),
        Cell::Texts(texts) => tagged(out, 8, |out| put_texts(out, texts)),
        Cell::Bytes(bytes) => tagged(out, 9, |out| out.bytes(bytes)),
        Cell::Address(address) => tagged(out, 10, |out| out.bytes(address.as_bytes())),
        Cell::Failure(failure) => tagged(out, 11, |out| put_failure(out, failure)),
        Cell::Addresses(addresses) => tagged(out, 12, |out| put_addresses(out, addresses)),
        Cell::Prefixes(prefixes) => tagged(out, 13, |out| put_prefixes(out, prefixes)),
        Cell::Peers(peers) => tagged(out, 14, |out| out.list(peers, |out, peer| out.word(peer.0))),
    }
}

pub(super) fn get(bytes: &mut In<'_>) -> Option<Cell<'static>> {
    Some(match bytes.byte()? {
        0 => Cell::Absent,
        1 => Cell::Peer(PeerNumber(bytes.word()?)),
        2 => Cell::Time(bytes.time()?),
        3 => Cell::Duration(duration(bytes)?),
        4 => Cell::Count(bytes.long()?),
        5 => Cell::Flag(bytes.byte()? != 0),
        6 => Cell::Name(bytes.text()?.to_owned().into()),
        7 => Cell::Text(bytes.text()?.to_owned().into()),
        8 => Cell::Texts(texts(bytes)?.into()),
        9 => Cell::Bytes(bytes.bytes()?.to_vec().into()),
        10 => Cell::Address(Cow::Owned(address(bytes)?)),
        11 => Cell::Failure(Cow::Owned(failure(bytes)?)),
        12 => Cell::Addresses(addresses(bytes)?.into()),
        13 => Cell::Prefixes(<[_; PREFIXES]>::try_from(bytes.list(prefix)?).ok()?),
        14 => Cell::Peers(bytes.list(|bytes| bytes.word().map(PeerNumber))?.into()),
        _ => return None,
    })
}

fn tagged(out: &mut Out, tag: u8, put: impl FnOnce(&mut Out)) {
    out.byte(tag);
    put(out);
}

pub(super) fn put_duration(out: &mut Out, duration: Duration) {
    out.long(micros(duration).cast_unsigned());
}

pub(super) fn duration(bytes: &mut In<'_>) -> Option<Duration> {
    bytes.long().map(Duration::from_micros)
}

pub(super) fn put_texts(out: &mut Out, texts: &[String]) {
    out.list(texts, |out, text| out.bytes(text.as_bytes()));
}

pub(super) fn texts(bytes: &mut In<'_>) -> Option<Vec<String>> {
    bytes.list(|bytes| bytes.text().map(str::to_owned))
}

pub(super) fn address(bytes: &mut In<'_>) -> Option<Address> {
    bytes.bytes().map(Address::from_bytes)
}

pub(super) fn put_addresses(out: &mut Out, addresses: &[Address]) {
    out.list(addresses, |out, address| out.bytes(address.as_bytes()));
}

pub(super) fn addresses(bytes: &mut In<'_>) -> Option<Vec<Address>> {
    bytes.list(address)
}

pub(super) fn put_failure(out: &mut Out, failure: &Failure) {
    out.bytes(failure.phase.name().as_bytes());
    out.bytes(failure.class.name().as_bytes());
    out.option(failure.detail.as_deref(), |out, detail| out.bytes(detail.as_bytes()));
}

pub(super) fn failure(bytes: &mut In<'_>) -> Option<Failure> {
    Some(Failure {
        phase: Phase::from_name(bytes.text()?)?,
        class: FailureClass::from_name(bytes.text()?)?,
        detail: bytes.option::<_, Option<&str>>(In::text)?.map(Into::into),
    })
}

fn put_prefixes(out: &mut Out, prefixes: &[PrefixOutcome]) {
    out.list(prefixes, |out, prefix| put_prefix(out, *prefix));
}

fn put_prefix(out: &mut Out, prefix: PrefixOutcome) {
    match prefix {
        PrefixOutcome::NotAsked => out.byte(0),
        PrefixOutcome::Saved => out.byte(1),
        PrefixOutcome::Answered { peers } => tagged(out, 2, |out| out.word(u32::from(peers))),
        PrefixOutcome::Failed(class) => tagged(out, 3, |out| out.bytes(class.name().as_bytes())),
    }
}

fn prefix(bytes: &mut In<'_>) -> Option<PrefixOutcome> {
    Some(match bytes.byte()? {
        0 => PrefixOutcome::NotAsked,
        1 => PrefixOutcome::Saved,
        2 => PrefixOutcome::Answered { peers: u16::try_from(bytes.word()?).ok()? },
        3 => PrefixOutcome::Failed(FailureClass::from_name(bytes.text()?)?),
        _ => return None,
    })
}
