//! Everything that is printed goes through here: results to stdout, what is said along the way to stderr.

use std::{
    io::{self, ErrorKind, IsTerminal, Write},
    os::fd::AsFd,
};

use rustix::fs::FileType;
use serde::Serialize;

use crate::{
    clock,
    log::{self, LogFormat},
    render::text::wrapped,
    screen, secrets,
};

/// Prints a result. Who reads it may stop reading: that is not an error.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe || is_hung_up(&error) => Ok(()),
        done => done,
    }
}

/// Prints what people read: on a terminal, in lines that fit into it.
pub(crate) fn print_text(text: &str) -> io::Result<()> {
    match stdout_columns() {
        Some(columns) => print(&wrapped(text, columns)),
        None => print(text),
    }
}

/// Whether the terminal that stdout was is closed: then every write fails, and there is nobody to tell.
fn is_hung_up(error: &io::Error) -> bool {
    let stdout = rustix::fs::fstat(io::stdout());
    let is_device =
        stdout.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice);
    is_device && error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

/// Prints a result as one JSON object on one line.
pub(crate) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    let text = escape_controls(&serde_json::to_string(value)?);
    Ok(print(&(text + "\n"))?)
}

/// Tells the user something, one line or several; where logs are JSON, as one object.
pub(crate) fn note(text: &str) {
    match log::format() {
        LogFormat::Text => note_raw(&format!("{text}\n")),
        LogFormat::Json => {
            let line = Note {
                timestamp: clock::rfc3339(),
                level: "INFO",
                message: &secrets::hidden(text),
                target: "kadscope",
            };
            // A string with three others in it is always JSON.
            drop(print_line(&line));
        }
    }
}

/// What is said along the way, as a line of the log.
#[derive(Serialize)]
struct Note<'a> {
    timestamp: String,
    level: &'a str,
    message: &'a str,
    target: &'a str,
}

fn print_line(note: &Note<'_>) -> anyhow::Result<()> {
    to_stderr(&(escape_controls(&serde_json::to_string(note)?) + "\n"));
    Ok(())
}

/// The same without an end of line, for people.
pub(crate) fn note_raw(text: &str) {
    to_stderr(&secrets::hidden(text));
}

/// Writes what has nothing secret in it, on a page that is up where there is one. There is nobody to tell if it fails.
pub(crate) fn to_stderr(text: &str) {
    if !screen::takes(text) {
        drop(io::stderr().lock().write_all(text.as_bytes()));
    }
}

/// Whether lines may be drawn on stderr and taken away again.
pub(crate) fn can_draw() -> bool {
    io::stderr().is_terminal() && log::format() == LogFormat::Text
}

/// JSON leaves DEL and the C1 controls as they are, and a terminal obeys them. They can only stand inside strings.
pub(crate) fn escape_controls(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_control() {
            safe += "\\u";
            safe.extend(
                (0..4).rev().filter_map(|nibble| char::from_digit((u32::from(c) >> (4 * nibble)) & 15, 16)),
            );
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Whether to paint, and with what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    colour: bool,
    /// How wide the terminal is; `None` where there is none.
    columns: Option<usize>,
}

/// How wide lines are that nobody sees on a terminal.
const COLUMNS: usize = 80;

impl Style {
    /// Colour on a terminal, unless `NO_COLOR` is set (no-color.org) or the terminal is dumb.
    pub(crate) fn of_stdout() -> Self {
        Self { colour: io::stdout().is_terminal() && is_colour_welcome(), columns: stdout_columns() }
    }

    /// The same for stderr.
    pub(crate) fn of_stderr() -> Self {
        Self { colour: io::stderr().is_terminal() && is_colour_welcome(), columns: columns(io::stderr()) }
    }

    /// No colour.
    #[cfg(test)]
    pub(crate) const fn plain() -> Self {
        Self { colour: false, columns: None }
    }

    /// No colour, on a terminal so wide.
    #[cfg(test)]
    pub(crate) const fn plain_in(columns: usize) -> Self {
        Self { colour: false, columns: Some(columns) }
    }

    /// How wide a line may be.
    pub(crate) fn columns(self) -> usize {
        self.columns.unwrap_or(COLUMNS)
    }

    /// Whether a line of this width fits; where there is no terminal, every line does.
    pub(crate) fn has_room_for(self, width: usize) -> bool {
        self.columns.is_none_or(|columns| width <= columns)
    }

    pub(crate) const fn is_coloured(self) -> bool {
        self.colour
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.paint("31", text)
    }

    pub(crate) fn green(self, text: &str) -> String {
        self.paint("32", text)
    }

    pub(crate) fn blue(self, text: &str) -> String {
        self.paint("34", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

fn is_colour_welcome() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// How many columns stderr has; 80 where that cannot be known.
pub(crate) fn stderr_columns() -> usize {
    columns(io::stderr()).unwrap_or(80)
}

/// How many columns and rows stderr has; 80 and 24 where that cannot be known.
pub(crate) fn stderr_size() -> (usize, usize) {
    size(io::stderr())
}

/// The same of stdout.
pub(crate) fn stdout_size() -> (usize, usize) {
    size(io::stdout())
}

fn size(stream: impl AsFd) -> (usize, usize) {
    let size = rustix::termios::tcgetwinsize(stream).ok();
    let known = size.map(|size| (usize::from(size.ws_col), usize::from(size.ws_row)));
    known.filter(|&(columns, rows)| columns > 0 && rows > 0).unwrap_or((COLUMNS, 24))
}

/// How many columns the terminal has that stdout is; `None` if it is none.
pub(crate) fn stdout_columns() -> Option<usize> {
    columns(io::stdout())
}

fn columns(stream: impl AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    Some(usize::from(size.ws_col)).filter(|&columns| columns > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_never_carries_controls() {
        let json = serde_json::to_string(&["a\u{9b}31m\u{7f}\u{1b}[2J\n"]).unwrap();
        let safe = escape_controls(&json);
        assert!(!safe.contains(char::is_control), "{safe:?}");
        let back: Vec<String> = serde_json::from_str(&safe).unwrap();
        assert_eq!(back, ["a\u{9b}31m\u{7f}\u{1b}[2J\n"]);
    }

    #[test]
    fn paint_is_left_out_where_it_is_not_welcome() {
        assert_eq!(Style::plain().bold("a"), "a");
        assert_eq!(Style { colour: true, columns: None }.bold("a"), "\x1b[1ma\x1b[0m");
    }
}
