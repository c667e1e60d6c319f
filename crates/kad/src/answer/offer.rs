//! What a peer asks a server to keep: that it provides a key, or a value under a key.

use libp2p_identity::PeerId;
use multiaddr::{Multiaddr, Protocol};

use crate::{
    message::{Message, MessageView},
    protobuf::DecodeError,
    values::{CheckedValue, Version},
};

/// The most addresses that are kept of a provider. go-libp2p-kad-dht bounds an entry to 8 KiB instead
/// (`pb.MaxPeerRecordSize`), which is about a hundred addresses of no peer that means well.
pub const MAX_PROVIDER_ADDRESSES: usize = 32;

/// The asker provides a key.
#[derive(Debug, Clone)]
pub struct Provide<'a> {
    key: &'a [u8],
    addrs: Vec<Multiaddr>,
}

impl<'a> Provide<'a> {
    /// Only what the asker says of itself counts: nobody announces others. `None` if it says nothing of itself, or
    /// names no address; go resets the stream then.
    pub(super) fn of(request: &MessageView<'a>, asker: &[u8]) -> Option<Self> {
        let id = PeerId::from_bytes(asker).ok()?;
        let own = request.provider_peers().filter(|peer| peer.id == asker);
        let said =
            own.flat_map(|peer| peer.addrs()).filter_map(|addr| Multiaddr::try_from(addr.to_vec()).ok());
        let mut said = said.filter(|addr| !addr.is_empty()).peekable();
        said.peek()?;
        let mut addrs: Vec<Multiaddr> = Vec::new();
        for addr in said.filter_map(|addr| own_address(addr, &id)) {
            if !addrs.contains(&addr) {
                addrs.push(addr);
            }
            if addrs.len() == MAX_PROVIDER_ADDRESSES {
                break;
            }
        }
        Some(Self { key: request.key, addrs })
    }

    /// The key: 1 to [`MAX_KEY_BYTES`](super::MAX_KEY_BYTES) bytes.
    pub const fn key(&self) -> &'a [u8] {
        self.key
    }

    /// Where the provider says that it is: at most [`MAX_PROVIDER_ADDRESSES`] addresses, none twice. Which of them are
    /// worth keeping is the caller's to decide; if none is, the record is kept without addresses, as go does it. So it is
    /// if all of them name another peer at their end.
    pub fn addrs(&self) -> &[Multiaddr] {
        &self.addrs
    }
}

/// An address of a peer without the peer's own id at its end; `None` if it is empty or names another peer there.
pub fn own_address(mut addr: Multiaddr, peer: &PeerId) -> Option<Multiaddr> {
    if let Some(Protocol::P2p(named)) = addr.iter().last() {
        if named != *peer {
            return None;
        }
        addr.pop();
    }
    (!addr.is_empty()).then_some(addr)
}

/// A value that is one for its key.
#[derive(Debug, Clone)]
pub struct Put<'a> {
    request: MessageView<'a>,
    value: Vec<u8>,
    version: Option<Version>,
}

impl<'a> Put<'a> {
    /// `None` if there is no record, its key is not that of the request, or the value is not one for this key
    /// ([`CheckedValue::of_record`]). Whether it has expired, or is older than what is there, is found out by who keeps it.
    ///
    /// An error says that a record is no protobuf: any of them, of which only the last counts.
    pub(super) fn of(request: MessageView<'a>, bytes: &[u8]) -> Result<Option<Self>, DecodeError> {
        let Some(record) = Message::decode(bytes)?.record else { return Ok(None) };
        let version = CheckedValue::of_record(request.key, &record).map(|checked| checked.version);
        Ok(version.ok().map(|version| Self { request, value: record.value, version }))
    }

    /// The key, with its namespace.
    pub const fn key(&self) -> &'a [u8] {
        self.request.key
    }

    /// The value.
    pub fn value(&self) -> CheckedValue<'_> {
        CheckedValue { value: &self.value, version: self.version }
    }

    /// The answer of a server that has kept it: the request itself.
    pub fn answer(&self) -> Vec<u8> {
        super::echo(&self.request)
    }
}
