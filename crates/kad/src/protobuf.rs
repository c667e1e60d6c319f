//! The little of Protocol Buffers that libp2p's messages need: varints and length-delimited fields, read as borrowed
//! slices and written into one buffer.
//!
//! <https://protobuf.dev/programming-guides/encoding/>

use thiserror::Error;

/// How deep groups may stand in groups: no message of libp2p has any, and other decoders refuse 100
/// (<https://protobuf.dev/programming-guides/proto-limits/>).
const MAX_GROUP_DEPTH: usize = 32;

/// Why bytes are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The bytes end within a field.
    #[error("the message ends within a field")]
    Truncated,
    /// A varint is longer than ten bytes or than 64 bits.
    #[error("a varint is longer than 64 bits")]
    VarintTooLong,
    /// A field has number 0 or a wire type that does not exist, or a group is not closed as it was opened.
    #[error("a field has a number or wire type that does not exist")]
    BadField,
    /// A known field has another wire type than its own.
    #[error("a known field has the wrong wire type")]
    WrongType,
    /// A text field is not UTF-8.
    #[error("a text field is not UTF-8")]
    NotUtf8,
    /// A list is longer than this decoder takes.
    #[error("a list has more entries than are taken from one message")]
    TooMany,
}

/// The value of one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 2.
    Bytes(&'a [u8]),
    /// Wire types 1 and 5 and groups (3 and 4), which libp2p's messages do not use: passed over.
    Passed,
}

impl<'a> Value<'a> {
    /// The number of a varint field.
    pub const fn varint(self) -> Result<u64, DecodeError> {
        match self {
            Self::Varint(value) => Ok(value),
            _ => Err(DecodeError::WrongType),
        }
    }

    /// The bytes of a length-delimited field.
    pub const fn bytes(self) -> Result<&'a [u8], DecodeError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(DecodeError::WrongType),
        }
    }

    /// The text of a length-delimited field.
    pub fn text(self) -> Result<&'a str, DecodeError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| DecodeError::NotUtf8)
    }
}

/// Walks over the fields of a message, in the order in which they were written. Ends after the first error.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The fields of `message`.
    pub const fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    fn field(&mut self) -> Result<(u64, Value<'a>), DecodeError> {
        let tag = read_varint(&mut self.rest)?;
        let number = tag >> 3;
        if number == 0 {
            return Err(DecodeError::BadField);
        }
        let value = match tag & 7 {
            0 => Value::Varint(read_varint(&mut self.rest)?),
            1 => take(&mut self.rest, 8).map(|_| Value::Passed)?,
            2 => {
                let length = read_varint(&mut self.rest)?;
                Value::Bytes(take(&mut self.rest, usize::try_from(length).unwrap_or(usize::MAX))?)
            }
            3 => self.pass_group(number).map(|()| Value::Passed)?,
            5 => take(&mut self.rest, 4).map(|_| Value::Passed)?,
            _ => return Err(DecodeError::BadField),
        };
        Ok((number, value))
    }

    /// Passes over the rest of a group that was opened: what is in it, groups too, up to the end that bears its number.
    fn pass_group(&mut self, number: u64) -> Result<(), DecodeError> {
        let mut open = [0; MAX_GROUP_DEPTH];
        open[0] = number;
        let mut depth = 1;
        while depth > 0 {
            let tag = read_varint(&mut self.rest)?;
            match (tag >> 3, tag & 7) {
                (0, _) => return Err(DecodeError::BadField),
                (_, 0) => drop(read_varint(&mut self.rest)?),
                (_, 1) => drop(take(&mut self.rest, 8)?),
                (_, 2) => {
                    let length = read_varint(&mut self.rest)?;
                    take(&mut self.rest, usize::try_from(length).unwrap_or(usize::MAX))?;
                }
                (inner, 3) => {
                    *open.get_mut(depth).ok_or(DecodeError::TooMany)? = inner;
                    depth += 1;
                }
                (ended, 4) if ended == open[depth - 1] => depth -= 1,
                (_, 5) => drop(take(&mut self.rest, 4)?),
                _ => return Err(DecodeError::BadField),
            }
        }
        Ok(())
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], DecodeError> {
    let (head, tail) = rest.split_at_checked(length).ok_or(DecodeError::Truncated)?;
    *rest = tail;
    Ok(head)
}

/// Reads an unsigned varint (LEB128) from the front of `rest` and moves past it.
pub fn read_varint(rest: &mut &[u8]) -> Result<u64, DecodeError> {
    // Nearly all tags and lengths of messages are one byte.
    if let [byte @ 0..0x80, after @ ..] = *rest {
        *rest = after;
        return Ok(u64::from(*byte));
    }
    let mut value = 0_u64;
    for (index, &byte) in rest.iter().take(10).enumerate() {
        if index == 9 && byte > 1 {
            return Err(DecodeError::VarintTooLong);
        }
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            *rest = &rest[index + 1..];
            return Ok(value);
        }
    }
    Err(if rest.len() < 10 { DecodeError::Truncated } else { DecodeError::VarintTooLong })
}

/// Appends an unsigned varint.
pub fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

/// How many bytes [`write_varint`] appends for `value`.
pub const fn varint_len(value: u64) -> usize {
    (70 - (value | 1).leading_zeros() as usize) / 7
}

/// Appends a varint field, also where it has its default value.
pub fn write_number(out: &mut Vec<u8>, field: u64, value: u64) {
    write_varint(out, field << 3);
    write_varint(out, value);
}

/// Appends a length-delimited field, also where it is empty.
pub fn write_bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    write_varint(out, field << 3 | 2);
    write_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_at_the_edges() {
        for value in [0, 1, 127, 128, 16_383, 16_384, u64::MAX >> 1, u64::MAX] {
            let mut bytes = Vec::new();
            write_varint(&mut bytes, value);
            assert_eq!(bytes.len(), varint_len(value), "{value}");
            let mut rest = bytes.as_slice();
            assert_eq!(read_varint(&mut rest), Ok(value));
            assert!(rest.is_empty());
        }
        assert_eq!(read_varint(&mut [0x80].as_slice()), Err(DecodeError::Truncated));
        assert_eq!(read_varint(&mut [0xff; 11].as_slice()), Err(DecodeError::VarintTooLong));
        assert_eq!(
            read_varint(&mut [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2].as_slice()),
            Err(DecodeError::VarintTooLong)
        );
    }

    #[test]
    fn unknown_fields_of_any_wire_type_are_walked_over() {
        let mut message = vec![0x09];
        message.extend([0; 8]);
        message.extend([0x15, 0, 0, 0, 0]);
        // A group with a number, bytes, a fixed number of each size and a group of its own in it.
        message.extend([0x1b, 0x08, 1, 0x12, 1, 0x1c, 0x23, 0x24, 0x2d, 0, 0, 0, 0, 0x31]);
        message.extend([0; 8]);
        message.push(0x1c);
        write_bytes(&mut message, 7, b"x");
        let fields: Result<Vec<_>, _> = Fields::new(&message).collect();
        let passed = |number| (number, Value::Passed);
        assert_eq!(fields, Ok(vec![passed(1), passed(2), passed(3), (7, Value::Bytes(b"x"))]));
        assert_eq!(Fields::new(&[0x00, 0x01]).next(), Some(Err(DecodeError::BadField)));
    }

    #[test]
    fn a_group_ends_as_it_began() {
        fn first(bytes: &[u8]) -> Option<Result<(u64, Value<'_>), DecodeError>> {
            Fields::new(bytes).next()
        }
        assert_eq!(first(&[0x0b, 0x0c]), Some(Ok((1, Value::Passed))));
        assert_eq!(first(&[0x0b]), Some(Err(DecodeError::Truncated)), "it never ends");
        assert_eq!(first(&[0x0c]), Some(Err(DecodeError::BadField)), "it never began");
        assert_eq!(first(&[0x0b, 0x14]), Some(Err(DecodeError::BadField)), "the end of another");
        assert_eq!(first(&[0x0b, 0x13, 0x0c, 0x14]), Some(Err(DecodeError::BadField)), "crossed");
        let nested = |depth| [vec![0x0b; depth], vec![0x0c; depth]].concat();
        assert_eq!(first(&nested(MAX_GROUP_DEPTH)), Some(Ok((1, Value::Passed))));
        assert_eq!(first(&nested(MAX_GROUP_DEPTH + 1)), Some(Err(DecodeError::TooMany)));
    }
}
