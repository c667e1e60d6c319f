//! What a peer asks a server to keep: that it provides a key, or a value under a key.

use libp2p_identity::{PeerId, PublicKey};
use multiaddr::{Multiaddr, Protocol};

use crate::{
    message::{MessageView, Record},
    protobuf::{DecodeError, Fields, Value},
    records::MAX_VALUE_BYTES,
};

/// The most addresses that are kept of a provider. go-libp2p-kad-dht bounds an entry to 8 KiB instead
/// (`pb.MaxPeerRecordSize`), which is about a hundred addresses of no peer that means well.
pub const MAX_PROVIDER_ADDRESSES: usize = 32;

/// What the signature of an IPNS record is over, before its data (specs.ipfs.tech, IPNS record, "signatureV2").
const IPNS_SIGNED: &[u8] = b"ipns-signature:";

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
        let mut addrs: Vec<Multiaddr> = Vec::new();
        for addr in request.provider_peers().filter(|peer| peer.id == asker).flat_map(|peer| peer.addrs()) {
            let addr = Multiaddr::try_from(addr.to_vec()).ok().and_then(|addr| own_address(addr, &id));
            addrs.extend(addr.filter(|addr| !addrs.contains(addr)));
            if addrs.len() == MAX_PROVIDER_ADDRESSES {
                break;
            }
        }
        (!addrs.is_empty()).then_some(Self { key: request.key, addrs })
    }

    /// The key: 1 to [`MAX_KEY_BYTES`](super::MAX_KEY_BYTES) bytes.
    pub const fn key(&self) -> &'a [u8] {
        self.key
    }

    /// Where the provider says that it is: 1 to [`MAX_PROVIDER_ADDRESSES`] addresses, none twice. Which of them are
    /// worth keeping is the caller's to decide; if none is, the record is kept without addresses, as go does it.
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

/// A value under a key that vouches for it.
#[derive(Debug, Clone)]
pub struct Put<'a> {
    request: MessageView<'a>,
    value: Vec<u8>,
}

impl<'a> Put<'a> {
    /// `None` if there is no record, its key is not that of the request, or the value is not one for this key:
    ///
    /// * `/pk/` and a peer id: the public key of that peer;
    /// * `/ipns/` and a peer id: a record whose second signature is that peer's. Its end of life, its sequence number
    ///   and what it repeats outside of the signed part are not looked at, so that of two records the one that came
    ///   last is kept, and one that has expired is kept too;
    /// * everything else is refused.
    ///
    /// An error says that the record is no protobuf.
    pub(super) fn of(request: MessageView<'a>) -> Result<Option<Self>, DecodeError> {
        let Some(record) = request.record() else { return Ok(None) };
        let Record { key, value, .. } = Record::decode(record)?;
        let is_valid = key == request.key && value.len() <= MAX_VALUE_BYTES && vouches(&key, &value);
        Ok(is_valid.then_some(Self { request, value }))
    }

    /// The key, with its namespace.
    pub const fn key(&self) -> &'a [u8] {
        self.request.key
    }

    /// The value: at most [`MAX_VALUE_BYTES`].
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// The answer of a server that has kept it: the request itself.
    pub fn answer(&self) -> Vec<u8> {
        super::echo(&self.request)
    }
}

/// Whether a value is one for this key.
fn vouches(key: &[u8], value: &[u8]) -> bool {
    if let Some(id) = key.strip_prefix(b"/pk/") {
        return PublicKey::try_decode_protobuf(value)
            .is_ok_and(|public| public.to_peer_id().to_bytes() == id);
    }
    let id = key.strip_prefix(b"/ipns/").and_then(|id| PeerId::from_bytes(id).ok());
    id.is_some_and(|id| is_signed(&id, value).unwrap_or(false))
}

/// Whether an IPNS record is signed by this peer; `None` if it lacks what that takes. Fields: specs.ipfs.tech, IPNS
/// record.
fn is_signed(id: &PeerId, record: &[u8]) -> Option<bool> {
    let (mut public, mut signature, mut data) = (None, None, None);
    for field in Fields::new(record) {
        match field.ok()? {
            (7, Value::Bytes(bytes)) => public = Some(bytes),
            (8, Value::Bytes(bytes)) => signature = Some(bytes),
            (9, Value::Bytes(bytes)) => data = Some(bytes),
            _ => {}
        }
    }
    // The id of a short key is the key itself: an identity multihash.
    let public = public.or_else(|| (id.as_ref().code() == 0).then(|| id.as_ref().digest()))?;
    let public = PublicKey::try_decode_protobuf(public).ok().filter(|public| public.to_peer_id() == *id)?;
    let data = data.filter(|data| !data.is_empty())?;
    Some(public.verify(&[IPNS_SIGNED, data].concat(), signature?))
}
