//! A terminal that is told of the sixteen colours by the sequences that all terminals with colours know: crossterm names them as the
//! first sixteen of 256, which older terminals take for blinking text.

use std::io::{self, Write};

/// Waits for whole drawings, and writes them with other names of colours.
#[derive(Debug)]
pub(super) struct SixteenColours<W> {
    out: W,
    waiting: Vec<u8>,
}

impl<W: Write> SixteenColours<W> {
    pub(super) const fn new(out: W) -> Self {
        Self { out, waiting: Vec::new() }
    }
}

impl<W: Write> Write for SixteenColours<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let text = String::from_utf8_lossy(&self.waiting);
        let renamed = renamed(&text);
        self.waiting.clear();
        self.out.write_all(renamed.as_bytes())?;
        self.out.flush()
    }
}

/// The same with other names of colours in sequences that set them (ECMA-48, SGR): `ESC [ ... m`.
fn renamed(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out += "\x1b[";
        let end = part.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(part.len());
        let (parameters, rest) = part.split_at(end);
        out += &if rest.starts_with('m') { colours(parameters) } else { parameters.to_owned() };
        out += rest;
    }
    out
}

/// `38;5;2` is 32 and `48;5;9` is 101: of the first eight 30 and 40 are the first, of the others 90 and 100.
fn colours(parameters: &str) -> String {
    let all: Vec<&str> = parameters.split(';').collect();
    let mut named = Vec::new();
    let mut rest = all.as_slice();
    while let Some((first, others)) = rest.split_first() {
        let (name, left) = match (*first, others) {
            ("38", ["5", colour, left @ ..]) => (colour_name(30, colour), left),
            ("48", ["5", colour, left @ ..]) => (colour_name(40, colour), left),
            (other, left) => (other.to_owned(), left),
        };
        named.push(name);
        rest = left;
    }
    named.join(";")
}

/// The name of a colour of the foreground (30) or the background (40); of one beyond the sixteen the one that it has.
fn colour_name(ground: u8, colour: &str) -> String {
    match colour.parse::<u8>() {
        Ok(colour @ 0..=7) => (ground + colour).to_string(),
        Ok(colour @ 8..=15) => (ground + 60 + colour - 8).to_string(),
        _ => format!("{};5;{colour}", ground + 8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_have_the_names_that_all_terminals_know_and_text_stays_as_it_is() {
        assert_eq!(renamed("a\x1b[38;5;2;49mb 38;5;2m\x1b[0m"), "a\x1b[32;49mb 38;5;2m\x1b[0m");
        assert_eq!(renamed("\x1b[38;5;9;48;5;1m\x1b[38;5;200m"), "\x1b[91;41m\x1b[38;5;200m");
        assert_eq!(renamed("\x1b[38;5;2H\x1b[?25l\x1b["), "\x1b[38;5;2H\x1b[?25l\x1b[");
        let mut out = SixteenColours::new(Vec::new());
        out.write_all(b"\x1b[38;5").unwrap();
        out.write_all(b";4mx").unwrap();
        out.flush().unwrap();
        assert_eq!(out.out, b"\x1b[34mx");
    }
}
