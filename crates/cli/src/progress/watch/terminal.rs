//! The terminal that a page is drawn on: as large as stdout says it is, and told of keys.

use std::{
    io::{self, Stdout},
    thread,
    time::Duration,
};

use ratatui::{
    Frame, Terminal, TerminalOptions, Viewport,
    backend::CrosstermBackend,
    crossterm::event::{self, Event},
    layout::Rect,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::sixteen::SixteenColours;
use crate::{output, screen::KeyScreen};

/// Keys that wait to be heard.
const QUEUED_KEYS: usize = 64;

/// How often it is looked whether keys are to be heard no longer.
const HEARD_FOR: Duration = Duration::from_millis(100);

/// A terminal with a page on it, which is given back when this is dropped.
#[derive(Debug)]
pub(super) struct PageTerminal {
    terminal: Terminal<CrosstermBackend<SixteenColours<Stdout>>>,
    area: Rect,
    screen: KeyScreen,
    hearing: Hearing,
}

/// The thread that hears keys, since the system has no other way to wait for them.
#[derive(Debug)]
struct Hearing {
    over: CancellationToken,
    thread: Option<thread::JoinHandle<()>>,
}

impl PageTerminal {
    /// Takes the terminal that stdout is; its keys come by the receiver. An error if it cannot be had.
    pub(super) fn enter() -> io::Result<(Self, mpsc::Receiver<Event>)> {
        let screen = KeyScreen::enter()?;
        let area = area();
        let options = TerminalOptions { viewport: Viewport::Fixed(area) };
        let backend = CrosstermBackend::new(SixteenColours::new(io::stdout()));
        let terminal = Terminal::with_options(backend, options)?;
        let (keys, heard) = mpsc::channel(QUEUED_KEYS);
        let hearing = Hearing::begin(keys)?;
        Ok((Self { terminal, area, screen, hearing }, heard))
    }

    /// Draws a page, in whatever room there is now.
    pub(super) fn draw(&mut self, page: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        let area = area();
        if area != self.area {
            self.area = area;
            self.terminal.resize(area)?;
        }
        self.terminal.draw(page).map(drop)
    }

    /// Gives the terminal back, and waits until nobody reads from it any more.
    pub(super) async fn leave(self) {
        let Self { terminal, screen, mut hearing, .. } = self;
        hearing.over.cancel();
        drop((screen, terminal));
        if let Some(thread) = hearing.thread.take() {
            // It ends soon: it looks often whether it is to.
            drop(tokio::task::spawn_blocking(move || thread.join()).await);
        }
    }
}

impl Hearing {
    fn begin(keys: mpsc::Sender<Event>) -> io::Result<Self> {
        let over = CancellationToken::new();
        let until = over.clone();
        let hear = move || {
            // Without a terminal no key comes any more: a signal says so, too, and ends the program.
            while let (false, Ok(event)) = (until.is_cancelled(), next_event()) {
                if event.is_some_and(|event| keys.blocking_send(event).is_err()) {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("keys".to_owned()).spawn(hear)?;
        Ok(Self { over, thread: Some(thread) })
    }
}

impl Drop for Hearing {
    fn drop(&mut self) {
        self.over.cancel();
    }
}

/// The next thing that a terminal says; `None` if it says nothing for a while.
fn next_event() -> io::Result<Option<Event>> {
    if event::poll(HEARD_FOR)? { event::read().map(Some) } else { Ok(None) }
}

/// The whole terminal.
fn area() -> Rect {
    let (columns, rows) = output::stdout_size();
    let fit = |size| u16::try_from(size).unwrap_or(u16::MAX);
    Rect::new(0, 0, fit(columns), fit(rows))
}
