//! The whole terminal as one page that is drawn anew: the alternate screen of stderr, which is left again however the program ends.
//!
//! What is said meanwhile would stand in the midst of the page, so whoever writes to stderr hands it over ([`takes`]): the last
//! lines stand at the foot of the page, and on the terminal once the page is gone.

use std::{
    collections::VecDeque,
    io::{self, Write as _},
    sync::{Mutex, MutexGuard, Once, PoisonError},
};

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

/// What is said while a page is up; `None` while none is.
static SAID: Mutex<Option<VecDeque<String>>> = Mutex::new(None);

fn said() -> MutexGuard<'static, Option<VecDeque<String>>> {
    SAID.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A page on the whole terminal, until this is dropped.
#[derive(Debug)]
pub(crate) struct Screen {
    /// How large the terminal was when the page was last drawn: what was drawn at another size stands anywhere.
    size: Option<(usize, usize)>,
}

impl Screen {
    /// Takes the terminal. A panic gives it back before it says what it is.
    pub(crate) fn enter() -> Self {
        static ON_PANIC: Once = Once::new();
        ON_PANIC.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                leave();
                before(panic);
            }));
        });
        *said() = Some(VecDeque::new());
        write(ENTER);
        Self { size: None }
    }

    /// Draws the page: these lines, which fit, and as many of the last ones that were said as there is room for below them.
    pub(crate) fn draw(&mut self, lines: &[String], size: (usize, usize)) {
        let guard = said();
        let Some(said) = guard.as_ref() else { return };
        if self.size.replace(size) != Some(size) {
            write(CLEAR);
        }
        write(&drawn(lines, said.iter().map(String::as_str), size));
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave();
    }
}

/// Gives the terminal back, if it was taken, with what was said meanwhile.
pub(crate) fn leave() {
    let Some(said) = said().take() else { return };
    write(LEAVE);
    for line in &said {
        write(&format!("{line}\n"));
    }
}

/// Whether a text that was to be written to stderr is on the page instead.
pub(crate) fn takes(text: &str) -> bool {
    let mut guard = said();
    let Some(said) = guard.as_mut() else { return false };
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

/// There is nobody to tell if it fails.
fn write(text: &str) {
    let mut stderr = io::stderr().lock();
    drop(stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()));
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
