//! The messages of version 2: <https://github.com/libp2p/specs/blob/master/autonat/autonat-v2.md#rpc-messages>.

use multiaddr::Multiaddr;

use super::MAX_ADDRESSES;
use crate::protobuf::{DecodeError, Fields, read_varint, write_bytes, write_number, write_varint};

/// A message on the stream of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckMessage<'a> {
    /// "Dial one of these."
    Request(CheckRequest),
    /// What came of it.
    Reply(CheckReply),
    /// "Send me so much before I do."
    Demand(DataDemand),
    /// A part of what was demanded.
    Data(&'a [u8]),
}

/// A peer asks for one of its addresses to be dialled, the first that can be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckRequest {
    /// The bytes of its addresses, unchecked, the most important first; at most [`MAX_ADDRESSES`].
    pub addrs: Vec<Vec<u8>>,
    /// The number that is to come back.
    pub nonce: u64,
}

/// What came of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CheckReply {
    /// Whether an address was dialled, or why not.
    pub status: CheckStatus,
    /// Which of the request's addresses was dialled, from 0.
    pub address: u32,
    /// What came of dialling it.
    pub dialled: DialStatus,
}

/// Whether an address was dialled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CheckStatus {
    /// The answering peer failed, or gave a number that this version does not know.
    #[default]
    InternalError,
    /// It has no time for this now.
    Rejected,
    /// It dials none of these addresses.
    Refused,
    /// One was dialled.
    Dialled,
}

/// What came of dialling an address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DialStatus {
    /// None was dialled, or the number is one that this version does not know.
    #[default]
    Unused,
    /// It could not be connected to.
    DialError,
    /// It was, but the number could not be given.
    DialBackError,
    /// The number was given.
    Reached,
}

/// What the asker has to send first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DataDemand {
    /// For which of the request's addresses, from 0.
    pub address: u32,
    /// How many bytes.
    pub bytes: u64,
}

impl CheckStatus {
    const fn from_number(number: u64) -> Self {
        match number {
            100 => Self::Rejected,
            101 => Self::Refused,
            200 => Self::Dialled,
            _ => Self::InternalError,
        }
    }

    const fn number(self) -> u64 {
        match self {
            Self::InternalError => 0,
            Self::Rejected => 100,
            Self::Refused => 101,
            Self::Dialled => 200,
        }
    }
}

impl DialStatus {
    const fn from_number(number: u64) -> Self {
        match number {
            100 => Self::DialError,
            101 => Self::DialBackError,
            200 => Self::Reached,
            _ => Self::Unused,
        }
    }

    const fn number(self) -> u64 {
        match self {
            Self::Unused => 0,
            Self::DialError => 100,
            Self::DialBackError => 101,
            Self::Reached => 200,
        }
    }
}

impl CheckRequest {
    /// A request for these addresses, the most important first.
    pub fn new(addrs: &[Multiaddr], nonce: u64) -> Self {
        Self { addrs: addrs.iter().take(MAX_ADDRESSES).map(Multiaddr::to_vec).collect(), nonce }
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut request = Self { addrs: Vec::new(), nonce: fixed64(bytes, 2)?.unwrap_or(0) };
        for field in Fields::new(bytes) {
            if let (1, value) = field? {
                let addr = value.bytes()?;
                if request.addrs.len() < MAX_ADDRESSES {
                    request.addrs.push(addr.to_vec());
                }
            }
        }
        Ok(request)
    }
}

impl CheckReply {
    /// The reply to a peer none of whose addresses was dialled.
    pub const fn failed(status: CheckStatus) -> Self {
        Self { status, address: 0, dialled: DialStatus::Unused }
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reply = Self::default();
        for field in Fields::new(bytes) {
            match field? {
                (1, value) => reply.status = CheckStatus::from_number(value.varint()?),
                (2, value) => reply.address = index(value.varint()?),
                (3, value) => reply.dialled = DialStatus::from_number(value.varint()?),
                _ => {}
            }
        }
        Ok(reply)
    }
}

impl DataDemand {
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut demand = Self::default();
        for field in Fields::new(bytes) {
            match field? {
                (1, value) => demand.address = index(value.varint()?),
                (2, value) => demand.bytes = value.varint()?,
                _ => {}
            }
        }
        Ok(demand)
    }
}

impl<'a> CheckMessage<'a> {
    /// Reads a message. Of several in one the last counts, as protobuf says; one of none is an error.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut message = Err(DecodeError::BadField);
        for field in Fields::new(bytes) {
            message = match field? {
                (1, value) => CheckRequest::decode(value.bytes()?).map(Self::Request),
                (2, value) => CheckReply::decode(value.bytes()?).map(Self::Reply),
                (3, value) => DataDemand::decode(value.bytes()?).map(Self::Demand),
                (4, value) => data(value.bytes()?).map(Self::Data),
                _ => continue,
            };
        }
        message
    }

    /// The bytes of the message, without the length that goes before it on a stream.
    pub fn encode(&self) -> Vec<u8> {
        let mut inner = Vec::with_capacity(256);
        let field = match self {
            Self::Request(request) => {
                request.addrs.iter().for_each(|addr| write_bytes(&mut inner, 1, addr));
                write_fixed64(&mut inner, 2, request.nonce);
                1
            }
            Self::Reply(reply) => {
                write_unless_zero(&mut inner, 1, reply.status.number());
                write_unless_zero(&mut inner, 2, reply.address.into());
                write_unless_zero(&mut inner, 3, reply.dialled.number());
                2
            }
            Self::Demand(demand) => {
                write_unless_zero(&mut inner, 1, demand.address.into());
                write_unless_zero(&mut inner, 2, demand.bytes);
                3
            }
            Self::Data(data) => {
                write_bytes(&mut inner, 1, data);
                4
            }
        };
        let mut out = Vec::with_capacity(inner.len() + 4);
        write_bytes(&mut out, field, &inner);
        out
    }
}

/// The number that comes back, on a connection of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DialBack {
    /// The number of the request.
    pub nonce: u64,
}

impl DialBack {
    /// Reads the message.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self { nonce: fixed64(bytes, 1)?.unwrap_or(0) })
    }

    /// The bytes of the message.
    pub fn encode(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(9);
        write_fixed64(&mut out, 1, self.nonce);
        out
    }

    /// The bytes of the answer to it: that it was heard, which is what an empty message says.
    pub const fn heard() -> &'static [u8] {
        &[]
    }
}

fn data(bytes: &[u8]) -> Result<&[u8], DecodeError> {
    let mut data: &[u8] = &[];
    for field in Fields::new(bytes) {
        if let (1, value) = field? {
            data = value.bytes()?;
        }
    }
    Ok(data)
}

/// An index on the wire is of 32 bits: what is beyond is beyond any list of ours.
fn index(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn write_unless_zero(out: &mut Vec<u8>, field: u64, number: u64) {
    if number != 0 {
        write_number(out, field, number);
    }
}

/// Appends a field of wire type 1, unless it has its default value.
fn write_fixed64(out: &mut Vec<u8>, field: u64, number: u64) {
    if number != 0 {
        write_varint(out, field << 3 | 1);
        out.extend_from_slice(&number.to_le_bytes());
    }
}

/// The value of a field of wire type 1, the one that [`Fields`] passes over; `None` if it is not there.
fn fixed64(message: &[u8], field: u64) -> Result<Option<u64>, DecodeError> {
    let (mut rest, mut found) = (message, None);
    while !rest.is_empty() {
        let tag = read_varint(&mut rest)?;
        let length = match tag & 7 {
            0 => {
                read_varint(&mut rest)?;
                0
            }
            1 => 8,
            2 => read_varint(&mut rest)?,
            5 => 4,
            _ => return Err(DecodeError::BadField),
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let (value, tail) = rest.split_at_checked(length).ok_or(DecodeError::Truncated)?;
        rest = tail;
        if tag >> 3 == field {
            let bytes = <[u8; 8]>::try_from(value).ok().filter(|_| tag & 7 == 1);
            found = Some(bytes.map(u64::from_le_bytes).ok_or(DecodeError::WrongType)?);
        }
    }
    Ok(found)
}
