//! The messages of version 1: <https://github.com/libp2p/specs/blob/master/autonat/autonat-v1.md#rpc-messages>.

use libp2p_identity::PeerId;
use multiaddr::Multiaddr;

use crate::protobuf::{DecodeError, Fields, write_bytes, write_number};

/// The most addresses that are taken from one request.
const MAX_ADDRESSES: usize = 64;

/// The longest text that is taken from a reply, in bytes; longer ones are cut.
const MAX_TEXT_BYTES: usize = 256;

/// The numbers of the two types of message.
const DIAL: u64 = 0;
const DIAL_RESPONSE: u64 = 1;

/// A message of either direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AutonatMessage {
    /// "Dial me."
    Request(DialBackRequest),
    /// Whether that worked.
    Reply(DialBackReply),
}

/// A peer asks to be dialled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DialBackRequest {
    /// The bytes of its id; `None` if it leaves that to its connection.
    pub id: Option<Vec<u8>>,
    /// The bytes of its addresses, unchecked.
    pub addrs: Vec<Vec<u8>>,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialBackReply {
    /// Whether the peer was reached, or why not.
    pub status: DialBackStatus,
    /// The same for people; empty if nothing is said.
    pub text: String,
    /// The bytes of the address at which it was reached, unchecked; empty if it was not.
    pub addr: Vec<u8>,
}

/// Whether a peer was dialled back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DialBackStatus {
    /// It was reached.
    Reached,
    /// It was dialled in vain.
    DialError,
    /// It was not dialled.
    Refused,
    /// Its request was none.
    BadRequest,
    /// The answering peer failed, or gave a number that this version does not know.
    InternalError,
}

impl DialBackStatus {
    const fn from_number(number: u64) -> Self {
        match number {
            0 => Self::Reached,
            100 => Self::DialError,
            101 => Self::Refused,
            200 => Self::BadRequest,
            _ => Self::InternalError,
        }
    }

    const fn number(self) -> u64 {
        match self {
            Self::Reached => 0,
            Self::DialError => 100,
            Self::Refused => 101,
            Self::BadRequest => 200,
            Self::InternalError => 300,
        }
    }
}

impl DialBackRequest {
    /// The request of a peer with these addresses.
    pub fn new(own: &PeerId, addrs: &[Multiaddr]) -> Self {
        Self { id: Some(own.to_bytes()), addrs: addrs.iter().map(Multiaddr::to_vec).collect() }
    }

    fn decode(dial: &[u8]) -> Result<Self, DecodeError> {
        let mut request = Self::default();
        let Some(peer) = last(dial, 1)? else { return Ok(request) };
        for field in Fields::new(peer) {
            match field? {
                (1, value) => request.id = Some(value.bytes()?.to_vec()),
                (2, value) if request.addrs.len() < MAX_ADDRESSES => {
                    request.addrs.push(value.bytes()?.to_vec());
                }
                _ => {}
            }
        }
        Ok(request)
    }
}

impl DialBackReply {
    /// The reply to a peer that was reached at an address.
    pub fn reached(addr: &Multiaddr) -> Self {
        Self { status: DialBackStatus::Reached, text: String::new(), addr: addr.to_vec() }
    }

    /// The reply to a peer that was not reached.
    pub fn failed(status: DialBackStatus, text: &str) -> Self {
        Self { status, text: text.to_owned(), addr: Vec::new() }
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reply = Self { status: DialBackStatus::Reached, text: String::new(), addr: Vec::new() };
        for field in Fields::new(bytes) {
            match field? {
                (1, value) => reply.status = DialBackStatus::from_number(value.varint()?),
                (2, value) => {
                    let bytes = value.bytes()?;
                    reply.text =
                        String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_TEXT_BYTES)]).into_owned();
                }
                (3, value) => reply.addr = value.bytes()?.to_vec(),
                _ => {}
            }
        }
        Ok(reply)
    }
}

impl AutonatMessage {
    /// Reads a message. One that does not have what its type says is read as if that were empty.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut kind = DIAL;
        for field in Fields::new(bytes) {
            if let (1, value) = field? {
                kind = value.varint()?;
            }
        }
        match kind {
            DIAL => DialBackRequest::decode(last(bytes, 2)?.unwrap_or_default()).map(Self::Request),
            DIAL_RESPONSE => DialBackReply::decode(last(bytes, 3)?.unwrap_or_default()).map(Self::Reply),
            _ => Err(DecodeError::BadField),
        }
    }

    /// The bytes of the message, without the length that goes before it on a stream.
    pub fn encode(&self) -> Vec<u8> {
        let (mut out, mut inner) = (Vec::with_capacity(256), Vec::with_capacity(256));
        match self {
            Self::Request(request) => {
                let mut peer = Vec::with_capacity(256);
                request.id.iter().for_each(|id| write_bytes(&mut peer, 1, id));
                request.addrs.iter().for_each(|addr| write_bytes(&mut peer, 2, addr));
                write_bytes(&mut inner, 1, &peer);
                write_number(&mut out, 1, DIAL);
                write_bytes(&mut out, 2, &inner);
            }
            Self::Reply(reply) => {
                write_number(&mut inner, 1, reply.status.number());
                if !reply.text.is_empty() {
                    write_bytes(&mut inner, 2, reply.text.as_bytes());
                }
                if !reply.addr.is_empty() {
                    write_bytes(&mut inner, 3, &reply.addr);
                }
                write_number(&mut out, 1, DIAL_RESPONSE);
                write_bytes(&mut out, 3, &inner);
            }
        }
        out
    }
}

/// The bytes of a field: of several the last, as protobuf says.
fn last(message: &[u8], number: u64) -> Result<Option<&[u8]>, DecodeError> {
    let mut found = None;
    for field in Fields::new(message) {
        let (field, value) = field?;
        if field == number {
            found = Some(value.bytes()?);
        }
    }
    Ok(found)
}
