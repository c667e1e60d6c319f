//! How a hydra stands: one line on a terminal or a line of log, the status line of hydra-booster, or a page on the whole terminal.

mod page;
mod status_line;

use std::{fmt, time::Duration};

use hydra::HydraNow;
use tokio::{
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval, interval_at},
};
use tokio_util::sync::CancellationToken;

use self::{page::Paces, status_line::status_line};
use super::{ProgressDisplay, Tell};
use crate::{
    args::UiTheme,
    output,
    render::text::{columns, counted, duration, grouped},
    screen::{self, Screen},
    staying::Staying,
};

/// How often hydra-booster writes its status line (`ui.go`).
const STATUS_EVERY: Duration = Duration::from_secs(5);

/// How often the page is drawn (hydra-booster, `ui/gooey.go`).
const REDRAW: Duration = Duration::from_secs(1);

/// Who knows how a hydra stands, when it is asked.
pub(crate) type HydraTells = Box<dyn Fn() -> HydraNow + Send>;

/// What shows a hydra, until it is told to end or dropped.
#[derive(Debug)]
pub(crate) enum HydraDisplay {
    /// As every command is shown.
    Progress(ProgressDisplay),
    /// In a way of its own.
    Own(OwnDisplay),
    /// Not at all.
    Nothing,
}

/// A task that shows a hydra.
#[derive(Debug)]
pub(crate) struct OwnDisplay {
    over: CancellationToken,
    task: JoinHandle<()>,
}

impl HydraDisplay {
    /// Shows how a hydra stands, as whoever runs it wants it shown; by default as every command is. Where stderr is no terminal, or is
    /// to be JSON, a page is a status line.
    pub(crate) fn begin(staying: &Staying, theme: Option<UiTheme>, tells: HydraTells) -> Self {
        let over = CancellationToken::new();
        let task = match theme {
            None => return Self::Progress(staying.tell(HydraProgress { tells, before: None })),
            Some(UiTheme::None) => return Self::Nothing,
            Some(UiTheme::Gooey) if output::can_draw() => tokio::spawn(draw(tells, over.clone())),
            Some(UiTheme::Logey | UiTheme::Gooey) => tokio::spawn(write(tells, over.clone())),
        };
        Self::Own(OwnDisplay { over, task })
    }

    /// Ends it, and gives the terminal back.
    pub(crate) async fn end(self) {
        match self {
            Self::Progress(display) => display.end().await,
            Self::Own(display) => display.end().await,
            Self::Nothing => {}
        }
    }
}

impl OwnDisplay {
    async fn end(mut self) {
        self.over.cancel();
        if let Err(error) = (&mut self.task).await {
            tracing::error!(%error, "how the hydra stands is shown no more");
        }
    }
}

impl Drop for OwnDisplay {
    fn drop(&mut self) {
        self.over.cancel();
        // What is said from now on is to be seen.
        screen::leave();
    }
}

/// Writes the status line.
async fn write(tells: HydraTells, over: CancellationToken) {
    let began = Instant::now();
    let mut ticks = interval_at(began + STATUS_EVERY, STATUS_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while over.run_until_cancelled(ticks.tick()).await.is_some() {
        let memory_bytes = http::resident_bytes().unwrap_or(0);
        output::note(&status_line(&tells(), began.elapsed(), memory_bytes));
    }
}

/// Draws the page.
async fn draw(tells: HydraTells, over: CancellationToken) {
    let (mut screen, mut paces, began) = (Screen::enter(), Paces::default(), Instant::now());
    let mut ticks = interval(REDRAW);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while over.run_until_cancelled(ticks.tick()).await.is_some() {
        let (now, size) = (tells(), output::stderr_size());
        paces.note(&now, began.elapsed());
        let memory_bytes = http::resident_bytes().unwrap_or(0);
        screen.draw(&page::page(&now, &paces, (began.elapsed(), memory_bytes), size), size);
    }
}

/// How a hydra stands, as every command shows it.
struct HydraProgress {
    tells: HydraTells,
    /// Requests so far when they were last looked at, and when that was.
    before: Option<(u64, Duration)>,
}

impl fmt::Debug for HydraProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HydraProgress").field("before", &self.before).finish_non_exhaustive()
    }
}

impl HydraProgress {
    /// How it stands, with requests a second since it was last looked at.
    fn look(&mut self, elapsed: Duration) -> (HydraNow, f64) {
        let now = (self.tells)();
        let requests = now.requests.iter().sum::<u64>();
        let (before, then) = self.before.unwrap_or((0, Duration::ZERO));
        let seconds = elapsed.saturating_sub(then).as_secs_f64();
        if seconds >= 1.0 || self.before.is_none() {
            self.before = Some((requests, elapsed));
        }
        (now, if seconds > 0.0 { requests.saturating_sub(before) as f64 / seconds } else { 0.0 })
    }
}

impl Tell for HydraProgress {
    fn line(&mut self, elapsed: Duration, room: usize) -> String {
        let (now, pace) = self.look(elapsed);
        shortened(&parts(&now, pace), room)
    }

    fn log_line(&mut self, elapsed: Duration) -> String {
        let (now, pace) = self.look(elapsed);
        format!("after {}: {}", duration(elapsed.as_secs_f64().round()), parts(&now, pace).join(", "))
    }
}

/// What there is to say, what matters most first.
fn parts(now: &HydraNow, pace: f64) -> Vec<String> {
    let degraded = (now.rung != hydra::Rung::Belly).then(|| format!("degraded to {}", now.rung.name()));
    let heads = counted(now.heads.len() as u64, "head", "heads");
    let said = [
        heads,
        counted(now.connected_peers, "peer", "peers"),
        format!("{pace:.0} requests/s"),
        counted(now.provider_records, "record", "records"),
        format!("{} in tables", grouped(now.table_size)),
    ];
    degraded.into_iter().chain(said).collect()
}

/// As many of them as there is room for; none is cut.
fn shortened(parts: &[String], room: usize) -> String {
    let with = |count: usize| parts.iter().take(count).cloned().collect::<Vec<_>>().join(", ");
    (0..=parts.len()).rev().map(with).find(|line| columns(line) <= room).unwrap_or_default()
}

#[cfg(test)]
pub(super) mod tests {
    use hydra::{AskedType, HeadNow, Rung};

    use super::*;

    /// A hydra of three heads that has seen something.
    pub(super) fn seen() -> HydraNow {
        let peer = |text: &str| text.parse().unwrap();
        let head =
            |index, id, connections, requests| HeadNow { index, peer: peer(id), connections, requests };
        let mut requests = [0; AskedType::ALL.len()];
        for (kind, count) in [
            (AskedType::PutValue, 7),
            (AskedType::GetValue, 1_204),
            (AskedType::AddProvider, 48_316),
            (AskedType::GetProviders, 1_930_221),
            (AskedType::FindNode, 12_400_512),
            (AskedType::Ping, 3),
        ] {
            requests[kind as usize] = count;
        }
        HydraNow {
            heads: vec![
                head(0, "12D3KooWBcfKctt29AayTY2tf1gBJm6Y6byQurYhx6QZwv4p3GQS", 40, 4_800_000),
                head(1, "12D3KooWChZWNvtp3je4fekLaDhHw1FfLrVioVCCcXofEqoxVna9", 25, 4_790_000),
                head(2, "12D3KooWEEVMhqqHk6gKQ8tjXZWndVeFs97Qvyxh5nJnNHx2pYZy", 1, 4_790_263),
            ],
            bootstrapped_heads: 3,
            connected_peers: 41,
            unique_peers: 23,
            table_size: 66,
            requests,
            shed: 120,
            rung: Rung::Cached,
            provider_records: 48_310,
            value_records: 7,
            prefetches: vec![("found", 812), ("none", 20_118), ("failed", 3), ("recently_failed", 9_400)],
            prefetches_pending: (17, 1000),
        }
    }

    #[test]
    fn a_line_says_how_it_stands() {
        let parts = parts(&seen(), 2_345.4);
        insta::assert_snapshot!(shortened(&parts, 100), @"degraded to cached, 3 heads, 41 peers, 2345 requests/s, 48,310 records, 66 in tables");
        insta::assert_snapshot!(shortened(&parts, 40), @"degraded to cached, 3 heads, 41 peers");
        for room in 0..100 {
            assert!(columns(&shortened(&parts, room)) <= room, "{room}");
        }
    }
}
