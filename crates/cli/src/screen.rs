//! The whole terminal as one page that is drawn anew: the alternate screen, which is left again however the program ends. The page is on
//! stderr ([`Screen`]), or on stdout and hears keys ([`KeyScreen`]).
//!
//! What is said meanwhile would stand in the midst of the page, so whoever writes to stderr hands it over ([`takes`]): the last
//! lines stand at the foot of the page, and on the terminal once the page is gone.

use std::{
    collections::VecDeque,
    io::{self, IsTerminal as _},
    sync::{Mutex, MutexGuard, Once, PoisonError},
};

use ratatui::crossterm::terminal::{disable_raw_mode, enable_raw_mode};

/// To the alternate screen, and no cursor; and back. Source: `xterm` control sequences, private modes 1049 and 25.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// To the first line; the rest of a line is cleared behind it, and the rest of the screen behind the last.
const HOME: &str = "\x1b[H";
const CLEAR_LINE: &str = "\x1b[K";
const CLEAR_BELOW: &str = "\x1b[J";
const CLEAR: &str = "\x1b[2J";

/// How many lines that are said meanwhile are remembered, the last ones.
const SAID_LINES: usize = 200;

/// The page that is up; `None` while none is.
static PAGE: Mutex<Option<Page>> = Mutex::new(None);

/// What is to be undone when a page goes, and what was said meanwhile.
#[derive(Debug, Default)]
struct Page {
    said: VecDeque<String>,
    /// Whether it hears keys, and is on stdout.
    has_keys: bool,
    /// Whether what is said would be seen elsewhere, and is no matter of the page.
    is_deaf: bool,
}

fn page() -> MutexGuard<'static, Option<Page>> {
    PAGE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A panic gives the terminal back before it says what it is.
fn leave_on_panic() {
    static ON_PANIC: Once = Once::new();
    ON_PANIC.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            leave();
            before(panic);
        }));
    });
}

/// A page on the whole terminal, until this is dropped.
#[derive(Debug)]
pub(crate) struct Screen {
    /// How large the terminal was when the page was last drawn: what was drawn at another size stands anywhere.
    size: Option<(usize, usize)>,
}

impl Screen {
    /// Takes the terminal.
    pub(crate) fn enter() -> Self {
        leave_on_panic();
        *page() = Some(Page::default());
        write(ENTER);
        Self { size: None }
    }

    /// Draws the page: these lines, which fit, and as many of the last ones that were said as there is room for below them.
    pub(crate) fn draw(&mut self, lines: &[String], size: (usize, usize)) {
        let guard = page();
        let Some(page) = guard.as_ref() else { return };
        if self.size.replace(size) != Some(size) {
            write(CLEAR);
        }
        write(&drawn(lines, page.said.iter().map(String::as_str), size));
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave();
    }
}

/// A page on the whole terminal of stdout that also hears keys, until this is dropped. Who draws it draws it whole.
#[derive(Debug)]
pub(crate) struct KeyScreen(());

impl KeyScreen {
    /// Takes the terminal, which from now on says each key as it is pressed, Ctrl-C as well. An error if it cannot do that.
    pub(crate) fn enter() -> io::Result<Self> {
        leave_on_panic();
        enable_raw_mode()?;
        *page() = Some(Page { has_keys: true, is_deaf: !io::stderr().is_terminal(), ..Page::default() });
        write_to(io::stdout().lock(), ENTER);
        Ok(Self(()))
    }
}

impl Drop for KeyScreen {
    fn drop(&mut self) {
        leave();
    }
}

/// The last line that was said while a page is up, as it was said: not to be shown as it is.
pub(crate) fn last_said() -> Option<String> {
    page().as_ref()?.said.back().cloned()
}

/// Gives the terminal back, if it was taken, with what was said meanwhile.
pub(crate) fn leave() {
    let Some(page) = page().take() else { return };
    if page.has_keys {
        write_to(io::stdout().lock(), LEAVE);
        // Nobody is left to be told of a terminal that is gone.
        drop(disable_raw_mode());
    } else {
        write(LEAVE);
    }
    for line in &page.said {
        write(&format!("{line}\n"));
    }
}

/// Whether a text that was to be written to stderr is on the page instead.
pub(crate) fn takes(text: &str) -> bool {
    let mut guard = page();
    let Some(Page { said, is_deaf: false, .. }) = guard.as_mut() else { return false };
    said.extend(text.lines().map(str::to_owned));
    let surplus = said.len().saturating_sub(SAID_LINES);
    said.drain(..surplus);
    true
}

/// A page with the last lines that were said, from the first column of the first line on.
fn drawn<'a>(
    lines: &'a [String],
    said: impl DoubleEndedIterator<Item = &'a str>,
    (columns, rows): (usize, usize),
) -> String {
    // One line stays free between both.
    let room = rows.saturating_sub(lines.len() + 1);
    let mut last: Vec<&str> = said.rev().take(room).collect();
    last.reverse();
    let free = if last.is_empty() { Vec::new() } else { vec![String::new()] };
    let last =
        last.into_iter().map(|line| crate::render::text::fit(&crate::render::text::escaped(line), columns));
    let all: Vec<String> = lines.iter().take(rows).cloned().chain(free).chain(last).collect();
    let ended: Vec<String> = all.iter().map(|line| format!("{line}{CLEAR_LINE}")).collect();
    format!("{HOME}{}{CLEAR_BELOW}", ended.join("\r\n"))
}

fn write(text: &str) {
    write_to(io::stderr().lock(), text);
}

/// There is nobody to tell if it fails.
fn write_to(mut out: impl io::Write, text: &str) {
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_stands_below_and_nothing_is_beyond_the_end() {
        let lines: Vec<String> = ["one", "two"].map(str::to_owned).into();
        let at = |rows| drawn(&lines, ["old", "a\x1b[2Jb", "new lines are cut"].into_iter(), (10, rows));
        let shown = |text: String| text.replace(CLEAR_LINE, "").replace("\r\n", "|");
        assert_eq!(shown(at(5)), format!("{HOME}one|two||a\\u{{1b}}[2…|new lines…{CLEAR_BELOW}"));
        assert_eq!(shown(at(3)), format!("{HOME}one|two{CLEAR_BELOW}"));
        assert_eq!(shown(at(1)), format!("{HOME}one{CLEAR_BELOW}"));
    }
}
