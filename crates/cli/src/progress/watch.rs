//! A network while one looks on: a page on the whole terminal, a line each period where there is none, or JSON for programs.
//!
//! One task holds the view of the network, takes what becomes known, and shows it: nothing is shared, and nothing is counted twice. Who
//! finds out what is known is left to whoever sends it.

mod controls;
mod line;
mod listing;
mod numbers;
mod page;
mod picture;
mod sixteen;
mod terminal;
#[cfg(test)]
mod tests;

use std::{
    io::{self, IsTerminal as _},
    time::Duration,
};

use crawl::Clock;
use monitor::watching::{NetworkView, WatchFact};
use ratatui::crossterm::event::Event;
use rustix::process::{Signal, getpid, kill_process};
use schema::Timestamp;
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, Interval, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use self::{
    controls::{Controls, Wish},
    picture::Picture,
    terminal::PageTerminal,
};
use crate::{output, screen};

/// How often the page is drawn when nobody presses a key, and the course of the network is noted.
const TICK: Duration = Duration::from_secs(1);

/// How many facts are taken at once, between which the page is not drawn.
const FACTS_AT_ONCE: usize = 1024;

/// What whoever looks at a network tells.
#[derive(Debug)]
pub(crate) enum WatchTold {
    /// Something became known of a peer.
    Fact(WatchFact),
    /// The network was looked through once.
    Swept,
    /// What was told before was seen before this run, which begins now.
    Begun(Timestamp),
}

/// How a network is shown.
#[derive(Debug, Clone)]
pub(crate) struct WatchManner {
    /// What is looked at: the name of a network, or of a store.
    pub(crate) title: String,
    /// How often a line or an object is printed.
    pub(crate) every: Duration,
    /// Whether it is JSON.
    pub(crate) json: bool,
}

/// What shows a network, until it is told to end or dropped.
#[derive(Debug)]
pub(crate) struct WatchDisplay {
    over: CancellationToken,
    left: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

impl WatchDisplay {
    /// Shows what is told: as JSON if that is wanted, on a page if stdout is a terminal, else in lines. Times are those of the clock. An
    /// error if the terminal cannot be had.
    pub(crate) fn begin(
        view: NetworkView,
        told: mpsc::Receiver<WatchTold>,
        clock: Clock,
        manner: WatchManner,
    ) -> io::Result<Self> {
        let (over, left) = (CancellationToken::new(), CancellationToken::new());
        let looker = Looker { view, told, clock, manner, over: over.clone(), is_told: true };
        let is_page = !looker.manner.json && io::stdout().is_terminal();
        let task = if is_page {
            let (terminal, keys) = PageTerminal::enter()?;
            tokio::spawn(looker.draw(terminal, keys, left.clone()))
        } else {
            tokio::spawn(looker.print())
        };
        Ok(Self { over, left, task })
    }

    /// Waits until somebody at the terminal has seen enough; for ever where there is none.
    pub(crate) async fn left(&self) {
        self.left.cancelled().await;
    }

    /// Ends it, and gives the terminal back. An error if something could not be shown.
    pub(crate) async fn end(mut self) -> anyhow::Result<()> {
        self.over.cancel();
        (&mut self.task).await?
    }
}

impl Drop for WatchDisplay {
    fn drop(&mut self) {
        self.over.cancel();
        // What is said from now on is to be seen.
        screen::leave();
    }
}

/// Takes what is told, and shows it.
struct Looker {
    view: NetworkView,
    told: mpsc::Receiver<WatchTold>,
    clock: Clock,
    manner: WatchManner,
    over: CancellationToken,
    /// Whether anybody still tells something.
    is_told: bool,
}

/// What happens next.
enum Next {
    Over,
    Key(Event),
    Told(Vec<WatchTold>),
    Tick,
}

impl Looker {
    /// A line or an object each period, and one at the end.
    async fn print(mut self) -> anyhow::Result<()> {
        let (mut ticks, mut periods) = (ticks(TICK), ticks(self.manner.every));
        periods.tick().await;
        loop {
            let next = tokio::select! {
                _ = periods.tick() => {
                    self.print_now()?;
                    continue;
                }
                next = self.next(&mut ticks, None) => next,
            };
            match next {
                Next::Over => break,
                Next::Told(told) => self.take(told),
                Next::Key(_) => {}
                Next::Tick => self.view.tick(self.now()),
            }
        }
        self.drain();
        self.print_now()
    }

    fn print_now(&mut self) -> anyhow::Result<()> {
        let now = self.now();
        self.view.tick(now);
        if self.manner.json {
            return output::print_json(&Picture::of(&self.view, now));
        }
        Ok(output::print(&(line::line(&self.view.counts(now)) + "\n"))?)
    }

    /// A page, drawn each second and with each key.
    async fn draw(
        mut self,
        mut terminal: PageTerminal,
        mut keys: mpsc::Receiver<Event>,
        left: CancellationToken,
    ) -> anyhow::Result<()> {
        let (mut ticks, mut controls) = (ticks(TICK), Controls::default());
        let paint = page::Paint::new(output::Style::of_stdout().is_coloured());
        let drawn = loop {
            match self.next(&mut ticks, Some(&mut keys)).await {
                Next::Over => break Ok(()),
                Next::Told(told) => {
                    self.take(told);
                    continue;
                }
                Next::Key(Event::Key(key)) => match controls.press(key) {
                    Wish::Draw => {}
                    Wish::Leave => left.cancel(),
                    // As if the terminal had made a signal of it: whoever hears signals knows what to do.
                    Wish::Interrupt => kill_process(getpid(), Signal::INT)?,
                },
                Next::Key(_) => {}
                Next::Tick => self.view.tick(self.now()),
            }
            if let Err(error) = self.draw_now(&mut terminal, &mut controls, paint) {
                break Err(error.into());
            }
        };
        terminal.leave().await;
        drawn
    }

    fn draw_now(
        &self,
        terminal: &mut PageTerminal,
        controls: &mut Controls,
        paint: page::Paint,
    ) -> io::Result<()> {
        let picture = Picture::of(&self.view, self.now());
        let (title, said) = (self.manner.title.as_str(), screen::last_said());
        let page = page::Page { title, picture: &picture, view: &self.view, said, paint };
        terminal.draw(|frame| page.draw(frame, controls))
    }

    async fn next(&mut self, ticks: &mut Interval, keys: Option<&mut mpsc::Receiver<Event>>) -> Next {
        let key = async {
            match keys {
                Some(keys) => keys.recv().await,
                None => None,
            }
        };
        let mut told = Vec::new();
        tokio::select! {
            biased;
            () = self.over.cancelled() => Next::Over,
            Some(event) = key => Next::Key(event),
            _ = ticks.tick() => Next::Tick,
            _ = self.told.recv_many(&mut told, FACTS_AT_ONCE), if self.is_told => Next::Told(told),
        }
    }

    fn take(&mut self, told: Vec<WatchTold>) {
        self.is_told = !told.is_empty();
        for told in told {
            match told {
                WatchTold::Fact(fact) => self.view.note(&fact),
                WatchTold::Swept => self.view.swept(),
                WatchTold::Begun(at) => self.view.begin(at),
            }
        }
    }

    /// Takes what was told before it was over.
    fn drain(&mut self) {
        while let Ok(told) = self.told.try_recv() {
            self.take(vec![told]);
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.at(Instant::now())
    }
}

fn ticks(every: Duration) -> Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
