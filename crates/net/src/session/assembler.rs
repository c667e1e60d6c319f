//! Puts the messages of a stream together from the pieces in which they come.

use kad::failure::FailureClass;

use super::Framing;

/// What is set aside for a message before its bytes have come, in bytes: its announced length proves nothing.
const MAX_RESERVED_BYTES: usize = 64 * 1024;

/// The longest varint that can announce a length, in bits.
const MAX_LENGTH_BITS: u32 = 35;

/// The message under way on one stream.
#[derive(Debug)]
pub(crate) struct Assembler {
    framing: Framing,
    /// How many bytes the message has; `None` while its length is being read.
    length: Option<usize>,
    value: u64,
    shift: u32,
    message: Vec<u8>,
}

impl Assembler {
    pub(crate) const fn new(framing: Framing) -> Self {
        Self { framing, length: None, value: 0, shift: 0, message: Vec::new() }
    }

    /// Whether a message was begun and is not complete.
    pub(crate) fn is_partial(&self) -> bool {
        self.shift > 0 || self.length.is_some()
    }

    /// How many bytes are held of a message that is not complete.
    pub(crate) fn held_bytes(&self) -> usize {
        self.message.len()
    }

    /// Takes the next whole message off the front; `None` when all was taken and more is needed.
    pub(crate) fn take(&mut self, rest: &mut &[u8]) -> Result<Option<Vec<u8>>, FailureClass> {
        let Some(length) = self.take_length(rest)? else { return Ok(None) };
        if self.message.is_empty() {
            if let Some((whole, after)) = rest.split_at_checked(length) {
                *rest = after;
                self.restart();
                return Ok(Some(whole.to_vec()));
            }
            self.message.reserve(length.min(MAX_RESERVED_BYTES));
        }
        let missing = length.saturating_sub(self.message.len());
        let (now, later) = rest.split_at(missing.min(rest.len()));
        self.message.extend_from_slice(now);
        *rest = later;
        if self.message.len() < length {
            return Ok(None);
        }
        let message = std::mem::take(&mut self.message);
        self.restart();
        Ok(Some(message))
    }

    fn restart(&mut self) {
        (self.length, self.value, self.shift) = (None, 0, 0);
    }

    fn take_length(&mut self, rest: &mut &[u8]) -> Result<Option<usize>, FailureClass> {
        if self.length.is_some() {
            return Ok(self.length);
        }
        let max = match self.framing {
            Framing::Fixed(bytes) => {
                // An empty piece must not begin a message.
                self.length = (!rest.is_empty()).then_some(bytes);
                return Ok(self.length);
            }
            Framing::Prefixed(max) => max,
        };
        while let Some((&byte, after)) = rest.split_first() {
            *rest = after;
            self.value |= u64::from(byte & 0x7f) << self.shift;
            self.shift += 7;
            if byte & 0x80 == 0 {
                let length = usize::try_from(self.value).map_err(|_| FailureClass::MessageTooLarge)?;
                if length > max {
                    return Err(FailureClass::MessageTooLarge);
                }
                self.length = Some(length);
                return Ok(self.length);
            }
            if self.shift >= MAX_LENGTH_BITS {
                return Err(FailureClass::Malformed);
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::put_varint;

    fn all(assembler: &mut Assembler, bytes: &[u8], step: usize) -> Result<Vec<Vec<u8>>, FailureClass> {
        let mut messages = Vec::new();
        for piece in bytes.chunks(step) {
            let mut rest = piece;
            while let Some(message) = assembler.take(&mut rest)? {
                messages.push(message);
            }
            assert!(rest.is_empty());
        }
        Ok(messages)
    }

    #[test]
    fn messages_come_out_whole_whatever_the_pieces() {
        let messages = [vec![], vec![7; 1], vec![8; 300], vec![]];
        let mut bytes = Vec::new();
        for message in &messages {
            put_varint(&mut bytes, message.len());
            bytes.extend_from_slice(message);
        }
        for step in 1..=bytes.len() {
            let mut assembler = Assembler::new(Framing::Prefixed(300));
            assert_eq!(all(&mut assembler, &bytes, step).unwrap(), messages);
            assert!(!assembler.is_partial());
        }
    }

    #[test]
    fn messages_of_fixed_length_have_no_prefix() {
        let mut assembler = Assembler::new(Framing::Fixed(4));
        assert_eq!(all(&mut assembler, b"aaaabbbbcc", 3).unwrap(), [b"aaaa", b"bbbb"]);
        assert!(assembler.is_partial());
    }

    #[test]
    fn what_is_too_long_or_has_no_length_is_refused() {
        let mut assembler = Assembler::new(Framing::Prefixed(100));
        assert_eq!(all(&mut assembler, &[101], 1), Err(FailureClass::MessageTooLarge));
        let mut assembler = Assembler::new(Framing::Prefixed(100));
        assert_eq!(all(&mut assembler, &[0xff; 9], 2), Err(FailureClass::Malformed));
    }
}
