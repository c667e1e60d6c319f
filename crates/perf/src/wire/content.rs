//! Content in JSON: a text of base64, or a list of numbers. Read as Go reads `[]byte`.

use std::fmt;

use multibase::Base;
use serde::{
    Deserialize, Deserializer,
    de::{Error, SeqAccess, Visitor},
};

/// Content that was read.
#[derive(Default)]
pub(super) struct Content(pub(super) Vec<u8>);

/// Content as base64 with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    Base::Base64Pad.encode(bytes)
}

/// The bytes of a text of base64; `None` if it is none. As in Go (`base64.StdEncoding`) line ends within it say nothing, and neither do the
/// last bits that are in no byte, which decoders of the RFC refuse.
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut digits, mut padding) = (0_u32, 0, 0);
    for &sign in text.iter().filter(|sign| !matches!(sign, b'\r' | b'\n')) {
        if sign == b'=' {
            padding += 1;
            continue;
        }
        bits = bits << 6 | digit(sign).filter(|_| padding == 0)?;
        digits += 1;
        if digits == 4 {
            bytes.extend_from_slice(&bits.to_be_bytes()[1..]);
            (bits, digits) = (0, 0);
        }
    }
    match (digits, padding) {
        (0, 0) => {}
        (2, 2) => bytes.extend_from_slice(&(bits << 12).to_be_bytes()[1..2]),
        (3, 1) => bytes.extend_from_slice(&(bits << 6).to_be_bytes()[1..3]),
        _ => return None,
    }
    Some(bytes)
}

/// The value of a digit (RFC 4648, section 4); `None` if it is none.
fn digit(sign: u8) -> Option<u32> {
    let digit = match sign {
        b'A'..=b'Z' => sign - b'A',
        b'a'..=b'z' => sign - b'a' + 26,
        b'0'..=b'9' => sign - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(digit.into())
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("base64 or a list of bytes")
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::default())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Content, E> {
        decoded(text.as_bytes()).map(Content).ok_or_else(|| E::custom("illegal base64 data"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Content, A::Error> {
        let mut bytes = Vec::new();
        // Go takes `null` for a zero.
        while let Some(byte) = seq.next_element::<Option<u8>>()? {
            bytes.push(byte.unwrap_or_default());
        }
        Ok(Content(bytes))
    }
}
