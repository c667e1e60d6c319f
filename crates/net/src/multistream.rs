//! multistream-select 1.0: agreeing on a protocol, as the one who proposes and as the one who chooses.
//!
//! The proposer does not wait for answers (`V1Lazy` elsewhere): header, proposal and the first bytes of the protocol
//! itself leave together. Source: libp2p specification, `connections/README.md`, and `multiformats/multistream-select`.

use std::borrow::Cow;

use kad::protobuf::{DecodeError, read_varint};

use crate::wire::put_varint;

/// The line that both sides begin with.
const HEADER: &[u8; 20] = b"\x13/multistream/1.0.0\n";
const HEADER_NAME: &[u8] = b"/multistream/1.0.0";

/// The longest line that is read, in bytes. Names of protocols are far shorter.
const MAX_LINE_BYTES: usize = 1024;

/// The most proposals that a proposer may make before it is given up.
const MAX_PROPOSALS: u8 = 32;

/// What was read is not multistream-select, or has no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// How a proposal ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Agreed,
    Refused,
}

/// The side that proposes one protocol.
#[derive(Debug)]
pub(crate) struct Proposal {
    protocol: Cow<'static, str>,
    header_seen: bool,
    line: Line,
}

impl Proposal {
    /// Writes header and proposal to `out`.
    pub(crate) fn new(protocol: Cow<'static, str>, out: &mut Vec<u8>) -> Self {
        out.extend_from_slice(HEADER);
        put_line(out, protocol.as_bytes());
        Self { protocol, header_seen: false, line: Line::default() }
    }

    /// Whether the other side has begun to answer.
    pub(crate) const fn is_header_seen(&self) -> bool {
        self.header_seen
    }

    /// Takes the answer off the front of what came; `None` if more is needed.
    pub(crate) fn receive(&mut self, rest: &mut &[u8]) -> Result<Option<Verdict>, Malformed> {
        loop {
            let Some(line) = self.line.take(rest)? else { return Ok(None) };
            match &*line {
                HEADER_NAME if !self.header_seen => self.header_seen = true,
                _ if !self.header_seen => return Err(Malformed),
                b"na" => return Ok(Some(Verdict::Refused)),
                name if name == self.protocol.as_bytes() => return Ok(Some(Verdict::Agreed)),
                _ => return Err(Malformed),
            }
        }
    }
}

/// The side that chooses among the protocols that it speaks.
#[derive(Debug, Default)]
pub(crate) struct Choice {
    header_seen: bool,
    proposals: u8,
    line: Line,
}

impl Choice {
    /// Takes proposals off the front of what came and writes the answers to `out`; the position of the protocol that
    /// was agreed on, or `None` if more is needed.
    pub(crate) fn receive(
        &mut self,
        rest: &mut &[u8],
        supported: &[impl AsRef<str>],
        out: &mut Vec<u8>,
    ) -> Result<Option<usize>, Malformed> {
        while let Some(line) = self.line.take(rest)? {
            if !self.header_seen {
                if &*line != HEADER_NAME {
                    return Err(Malformed);
                }
                self.header_seen = true;
                out.extend_from_slice(HEADER);
            } else if let Some(chosen) = supported.iter().position(|name| name.as_ref().as_bytes() == &*line)
            {
                put_line(out, &line);
                return Ok(Some(chosen));
            } else {
                self.proposals += 1;
                if self.proposals > MAX_PROPOSALS {
                    return Err(Malformed);
                }
                if &*line == b"ls" { put_list(out, supported) } else { put_line(out, b"na") }
            }
        }
        Ok(None)
    }
}

/// One line as it comes in: its length, its text and a line feed.
#[derive(Debug, Default)]
struct Line {
    partial: Vec<u8>,
}

impl Line {
    /// Takes the text of the next whole line; `None` when all of `rest` was taken and more is needed.
    fn take<'a>(&mut self, rest: &mut &'a [u8]) -> Result<Option<Cow<'a, [u8]>>, Malformed> {
        if self.partial.is_empty()
            && let Some((text, after)) = split_line(rest)?
        {
            *rest = after;
            return Ok(Some(Cow::Borrowed(text)));
        }
        while let Some((&byte, after)) = rest.split_first() {
            *rest = after;
            self.partial.push(byte);
            let partial = std::mem::take(&mut self.partial);
            if let Some((text, _)) = split_line(&partial)? {
                return Ok(Some(Cow::Owned(text.to_vec())));
            }
            self.partial = partial;
        }
        Ok(None)
    }
}

/// A line's text, and what follows the line.
type Split<'a> = (&'a [u8], &'a [u8]);

/// Splits a whole line off the front; `None` if more is needed.
fn split_line(bytes: &[u8]) -> Result<Option<Split<'_>>, Malformed> {
    let mut rest = bytes;
    let len = match read_varint(&mut rest) {
        Ok(len) => len,
        // A line's length takes two bytes at the most.
        Err(DecodeError::Truncated) if bytes.len() < 2 => return Ok(None),
        Err(_) => return Err(Malformed),
    };
    let len = usize::try_from(len).map_err(|_| Malformed)?;
    if len == 0 || len > MAX_LINE_BYTES {
        return Err(Malformed);
    }
    let Some((line, after)) = rest.split_at_checked(len) else { return Ok(None) };
    match line {
        [text @ .., b'\n'] => Ok(Some((text, after))),
        _ => Err(Malformed),
    }
}

fn put_line(out: &mut Vec<u8>, text: &[u8]) {
    put_varint(out, text.len() + 1);
    out.extend_from_slice(text);
    out.push(b'\n');
}

/// The answer to `ls`: a line whose text is a line for each protocol.
fn put_list(out: &mut Vec<u8>, supported: &[impl AsRef<str>]) {
    let mut list = Vec::new();
    for name in supported {
        put_line(&mut list, name.as_ref().as_bytes());
    }
    put_line(out, &list);
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUPPORTED: [&str; 2] = ["/a/1", "/b/1"];

    /// Feeds `bytes` in pieces of `step`.
    fn choose(bytes: &[u8], step: usize) -> (Result<Option<usize>, Malformed>, Vec<u8>) {
        let (mut choice, mut out) = (Choice::default(), Vec::new());
        for piece in bytes.chunks(step) {
            let mut rest = piece;
            match choice.receive(&mut rest, &SUPPORTED, &mut out) {
                Ok(None) => assert!(rest.is_empty()),
                end => return (end, out),
            }
        }
        (Ok(None), out)
    }

    fn propose(answer: &[u8], step: usize) -> Result<Option<Verdict>, Malformed> {
        let mut proposal = Proposal::new("/b/1".into(), &mut Vec::new());
        for piece in answer.chunks(step) {
            let mut rest = piece;
            match proposal.receive(&mut rest) {
                Ok(None) => assert!(rest.is_empty()),
                end => return end,
            }
        }
        Ok(None)
    }

    #[test]
    fn the_two_sides_agree_in_pieces_of_any_size() {
        let mut proposed = Vec::new();
        drop(Proposal::new("/b/1".into(), &mut proposed));
        for step in 1..=proposed.len() {
            let (chosen, answer) = choose(&proposed, step);
            assert_eq!(chosen, Ok(Some(1)));
            assert_eq!(propose(&answer, step), Ok(Some(Verdict::Agreed)));
        }
    }

    #[test]
    fn a_protocol_that_is_not_spoken_is_refused_and_another_may_follow() {
        let mut proposed = Vec::new();
        drop(Proposal::new("/c/1".into(), &mut proposed));
        let (chosen, answer) = choose(&proposed, 7);
        assert_eq!((chosen, propose(&answer, 5)), (Ok(None), Ok(Some(Verdict::Refused))));
        put_line(&mut proposed, b"/a/1");
        assert_eq!(choose(&proposed, 7).0, Ok(Some(0)));
    }

    #[test]
    fn the_list_names_what_is_spoken() {
        let mut asked = HEADER.to_vec();
        put_line(&mut asked, b"ls");
        let (chosen, answer) = choose(&asked, 3);
        assert_eq!(chosen, Ok(None));
        assert_eq!(answer.strip_prefix(HEADER), Some(&b"\x0d\x05/a/1\n\x05/b/1\n\n"[..]));
    }

    #[test]
    fn nonsense_and_endless_proposals_are_malformed() {
        for bytes in [&b"\x00"[..], b"\xff\xff\x01", b"\x03abc", b"GET / HTTP/1.1\r\n\r\n"] {
            assert_eq!(propose(bytes, 1).unwrap_or_default(), None, "{bytes:?}");
            assert_ne!(propose(&[bytes, &[b'x'; 80]].concat(), 4), Ok(Some(Verdict::Agreed)));
        }
        let mut many = HEADER.to_vec();
        (0..=MAX_PROPOSALS).for_each(|_| put_line(&mut many, b"x"));
        assert_eq!(choose(&many, 1000).0, Err(Malformed));
    }
}
