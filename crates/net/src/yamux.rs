//! The frames of yamux version 0 and the numbers that both ends must know.
//!
//! Source: `spec.md` of hashicorp/yamux; libp2p specification, `yamux/README.md` and `error-codes/README.md`.

/// A frame's header, in bytes.
pub(crate) const HEADER_BYTES: usize = 12;

/// What may be sent on a fresh stream before the other side grants more, in bytes.
pub(crate) const INITIAL_WINDOW_BYTES: u32 = 256 * 1024;

/// This frame opens the stream.
pub(crate) const SYN: u16 = 1;
/// This frame acknowledges that the stream was opened.
pub(crate) const ACK: u16 = 2;
/// The sender sends no more on this stream.
pub(crate) const FIN: u16 = 4;
/// The stream is over at once.
pub(crate) const RST: u16 = 8;

/// The code by which a peer says that it has no room (libp2p's error codes): `RESOURCE_LIMIT_EXCEEDED` of a stream.
pub(crate) const STREAM_RESOURCE_LIMIT: u32 = 0x1002;
/// `RATE_LIMITED` of a stream.
pub(crate) const STREAM_RATE_LIMITED: u32 = 0x1003;
/// `RESOURCE_LIMIT_EXCEEDED` of a connection.
pub(crate) const CONNECTION_RESOURCE_LIMIT: u32 = 0x1001;
/// `RATE_LIMITED` of a connection.
pub(crate) const CONNECTION_RATE_LIMITED: u32 = 0x1002;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Bytes of a stream; the length is theirs.
    Data,
    /// The length is what may be sent on top of what was granted before; with RST it is an error code.
    WindowUpdate,
    /// A question (SYN) or its answer (ACK); the length is an opaque value.
    Ping,
    /// No more streams; the length is an error code.
    GoAway,
}

/// A frame's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) flags: u16,
    pub(crate) stream: u32,
    pub(crate) length: u32,
}

impl Header {
    /// Reads a header; `None` for another version or an unknown type.
    pub(crate) fn parse(bytes: [u8; HEADER_BYTES]) -> Option<Self> {
        let [version, kind, f0, f1, s0, s1, s2, s3, l0, l1, l2, l3] = bytes;
        let kind = match (version, kind) {
            (0, 0) => Kind::Data,
            (0, 1) => Kind::WindowUpdate,
            (0, 2) => Kind::Ping,
            (0, 3) => Kind::GoAway,
            _ => return None,
        };
        Some(Self {
            kind,
            flags: u16::from_be_bytes([f0, f1]),
            stream: u32::from_be_bytes([s0, s1, s2, s3]),
            length: u32::from_be_bytes([l0, l1, l2, l3]),
        })
    }

    /// Appends the header.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[0, self.kind as u8]);
        out.extend_from_slice(&self.flags.to_be_bytes());
        out.extend_from_slice(&self.stream.to_be_bytes());
        out.extend_from_slice(&self.length.to_be_bytes());
    }

    /// Whether a flag is set.
    pub(crate) const fn has(self, flag: u16) -> bool {
        self.flags & flag != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_was_written() {
        let header = Header { kind: Kind::WindowUpdate, flags: SYN | FIN, stream: 0x0102_0304, length: 5 };
        let mut bytes = Vec::new();
        header.write(&mut bytes);
        assert_eq!(bytes, [0, 1, 0, 5, 1, 2, 3, 4, 0, 0, 0, 5]);
        assert_eq!(Header::parse(bytes.try_into().unwrap()), Some(header));
        assert_eq!(Header::parse([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(Header::parse([0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), None);
    }
}
