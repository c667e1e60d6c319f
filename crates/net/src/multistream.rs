//! multistream-select 1.0: agreeing on a protocol, as the one who proposes and as the one who chooses.
//!
//! The proposer does not wait for answers (`V1Lazy` elsewhere): header, proposal and the first bytes of the protocol
//! itself leave together. The first byte that cannot belong to an answer ends it: who speaks something else (HTTP, SSH)
//! may never send as many bytes as its first one, read as a length, announces. Source: libp2p specification, `connections/README.md`, and `multiformats/multistream-select`.

use std::borrow::Cow;

use kad::protobuf::{DecodeError, read_varint};

use crate::{foreign::looks_like, wire::put_varint};

/// The line that both sides begin with.
const HEADER: &[u8] = b"\x13/multistream/1.0.0\n";

/// The line that refuses a proposal.
const REFUSAL: &[u8] = b"\x03na\n";

/// The longest line that is read, in bytes. Names of protocols are far shorter.
const MAX_LINE_BYTES: usize = 1024;

/// The most proposals that a proposer may make before it is given up.
const MAX_PROPOSALS: u8 = 32;

/// What was read is not multistream-select, or has no end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// What a failure says of it.
    pub(crate) text: String,
}

impl Malformed {
    /// A line that begins with `seen`, of which `rest` has come too.
    fn line(seen: &[u8], rest: &[u8]) -> Self {
        let text = format!("multistream: not a line of it: {}", looks_like(&[seen, rest].concat()));
        Self { text }
    }
}

/// How a proposal ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProposalEnd {
    Agreed,
    Refused,
}

/// The side that proposes one protocol.
#[derive(Debug)]
pub(crate) struct Proposal {
    /// The line that proposes, and that agrees.
    consent: Box<[u8]>,
    header_seen: bool,
    line: Line,
}

impl Proposal {
    /// Writes header and proposal to `out`.
    pub(crate) fn new(protocol: &str, out: &mut Vec<u8>) -> Self {
        let mut consent = Vec::with_capacity(protocol.len() + 3);
        put_line(&mut consent, protocol.as_bytes());
        out.extend_from_slice(HEADER);
        out.extend_from_slice(&consent);
        Self { consent: consent.into(), header_seen: false, line: Line::default() }
    }

    /// Whether the other side has begun to answer.
    pub(crate) const fn is_header_seen(&self) -> bool {
        self.header_seen
    }

    /// Takes the answer off the front of what came; `None` if more is needed.
    pub(crate) fn receive(&mut self, rest: &mut &[u8]) -> Result<Option<ProposalEnd>, Malformed> {
        if !self.header_seen {
            self.header_seen = self.line.take(rest, &[HEADER])?.is_some();
            if !self.header_seen {
                return Ok(None);
            }
        }
        let line = self.line.take(rest, &[REFUSAL, &self.consent])?;
        let is_refusal =
            |line: &[u8]| REFUSAL.get(1..).is_some_and(|text| text.strip_suffix(b"\n") == Some(line));
        Ok(line.map(|line| if is_refusal(&line) { ProposalEnd::Refused } else { ProposalEnd::Agreed }))
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
        while let Some(line) = self.line.take(rest, if self.header_seen { &[] } else { &[HEADER] })? {
            if !self.header_seen {
                self.header_seen = true;
                out.extend_from_slice(HEADER);
            } else if let Some(chosen) = supported.iter().position(|name| name.as_ref().as_bytes() == &*line)
            {
                put_line(out, &line);
                return Ok(Some(chosen));
            } else {
                self.proposals += 1;
                if self.proposals > MAX_PROPOSALS {
                    return Err(Malformed { text: "multistream: proposals without an end".to_owned() });
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
    /// Takes the text of the next whole line; `None` when all of `rest` was taken and more is needed. Where lines are
    /// expected, with length and line feed, any other is an error with its first wrong byte.
    fn take<'a>(
        &mut self,
        rest: &mut &'a [u8],
        expected: &[&[u8]],
    ) -> Result<Option<Cow<'a, [u8]>>, Malformed> {
        if self.partial.is_empty() {
            let split = split_line(rest, expected).map_err(|NoLine| Malformed::line(&[], rest))?;
            if let Some((text, after)) = split {
                *rest = after;
                return Ok(Some(Cow::Borrowed(text)));
            }
        }
        while let Some((&byte, after)) = rest.split_first() {
            *rest = after;
            self.partial.push(byte);
            let split = split_line(&self.partial, expected);
            if let Some((text, _)) = split.map_err(|NoLine| Malformed::line(&self.partial, after))? {
                let text = text.to_vec();
                self.partial.clear();
                return Ok(Some(Cow::Owned(text)));
            }
        }
        Ok(None)
    }
}

/// A line's text, and what follows the line.
type Split<'a> = (&'a [u8], &'a [u8]);

/// Bytes that are the beginning of no line, or of none that is expected.
struct NoLine;

/// Splits a whole line off the front; `None` if more is needed. Where lines are expected, with length and line feed, it has to
/// be one of them.
fn split_line<'a>(bytes: &'a [u8], expected: &[&[u8]]) -> Result<Option<Split<'a>>, NoLine> {
    let is_possible = |line: &&[u8]| line.starts_with(bytes) || bytes.starts_with(line);
    if !expected.is_empty() && !expected.iter().any(is_possible) {
        return Err(NoLine);
    }
    let mut rest = bytes;
    let len = match read_varint(&mut rest) {
        Ok(len) => usize::try_from(len).map_err(|_| NoLine)?,
        // A line's length takes two bytes at the most.
        Err(DecodeError::Truncated) if bytes.len() < 2 => return Ok(None),
        Err(_) => return Err(NoLine),
    };
    if len == 0 || len > MAX_LINE_BYTES {
        return Err(NoLine);
    }
    match rest.split_at_checked(len) {
        None => Ok(None),
        Some(([text @ .., b'\n'], after)) => Ok(Some((text, after))),
        Some(_) => Err(NoLine),
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

    fn propose(answer: &[u8], step: usize) -> Result<Option<ProposalEnd>, Malformed> {
        let mut proposal = Proposal::new("/b/1", &mut Vec::new());
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
        drop(Proposal::new("/b/1", &mut proposed));
        for step in 1..=proposed.len() {
            let (chosen, answer) = choose(&proposed, step);
            assert_eq!(chosen, Ok(Some(1)));
            assert_eq!(propose(&answer, step), Ok(Some(ProposalEnd::Agreed)));
        }
    }

    #[test]
    fn a_protocol_that_is_not_spoken_is_refused_and_another_may_follow() {
        let mut proposed = Vec::new();
        drop(Proposal::new("/c/1", &mut proposed));
        let (chosen, answer) = choose(&proposed, 7);
        assert_eq!((chosen, propose(&answer, 5)), (Ok(None), Ok(Some(ProposalEnd::Refused))));
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
    fn other_protocols_are_known_by_their_first_bytes_and_shown() {
        for (bytes, shown) in [
            (&b"SSH-2.0-OpenSSH_9.6\r\n"[..], "`SSH-2.0-OpenSSH_9.6`"),
            (b"HTTP/1.1 400 Bad Request\r\n", "`HTTP/1.1 400 Bad Request`"),
            (b"+OK\r\n", "bytes 2b 4f 4b 0d 0a"),
            // An alert of TLS, and a line that stops being the header in its middle.
            (b"\x15\x03\x01\x00\x02\x02\x46", "bytes 15 03 01 00 02 02 46"),
            (b"\x13/multistream/2.0.0\n", "bytes 13 2f 6d 75 6c 74 69 73"),
        ] {
            let (proposed, chosen) = (propose(bytes, 1000), choose(bytes, 1000).0);
            for text in [proposed.unwrap_err().text, chosen.unwrap_err().text] {
                assert_eq!(text, format!("multistream: not a line of it: {shown}"));
            }
            assert!(propose(bytes, 1).is_err(), "byte by byte: {shown}");
        }
        let other = [HEADER, b"\x05/b/2\n"].concat();
        for step in 1..=other.len() {
            assert!(propose(&other, step).is_err(), "consent to something else, {step} bytes at a time");
        }
        assert!(propose(&other[..HEADER.len() + 4], 100).is_ok_and(|verdict| verdict.is_none()));
    }

    #[test]
    fn nonsense_and_endless_proposals_are_malformed() {
        for bytes in [&b"\x00"[..], b"\xff\xff\x01", b"\x03abc", b"GET / HTTP/1.1\r\n\r\n"] {
            assert!(propose(bytes, 1).is_err() && choose(bytes, 1).0.is_err(), "{bytes:?}");
        }
        let mut many = HEADER.to_vec();
        (0..=MAX_PROPOSALS).for_each(|_| put_line(&mut many, b"x"));
        assert!(choose(&many, 1000).0.is_err());
    }
}
