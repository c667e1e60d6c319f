//! What is said while a network is made that takes its time.

use std::{
    future::Future,
    io::{self, IsTerminal as _},
    pin::pin,
    time::Duration,
};

use testnet::Making;
use tokio::time::{Instant, interval_at};

use crate::{output, progress::CLEAR, render::text::counted};

/// After how long the first word is said: most networks are made by then.
const FIRST: Duration = Duration::from_secs(1);

/// How often it is said on a terminal, in the same line, and elsewhere.
const REDRAW: Duration = Duration::from_millis(200);
const LOG_EVERY: Duration = Duration::from_secs(5);

/// A line on the terminal, which goes with it.
struct TerminalLine;

impl Drop for TerminalLine {
    fn drop(&mut self) {
        output::note_raw(CLEAR);
    }
}

/// Waits for a network of so many peers, and says how far it is.
pub(super) async fn watched<T>(making: &Making, peers: u32, made: impl Future<Output = T>) -> T {
    let on_terminal = io::stderr().is_terminal();
    let mut line = None;
    let mut ticks = interval_at(Instant::now() + FIRST, if on_terminal { REDRAW } else { LOG_EVERY });
    let mut made = pin!(made);
    loop {
        tokio::select! {
            made = &mut made => return made,
            _ = ticks.tick() => {
                let text = text(making.share(), peers);
                if on_terminal {
                    line.get_or_insert(TerminalLine);
                    output::note_raw(&format!("{CLEAR}{text}"));
                } else {
                    output::note(&text);
                }
            }
        }
    }
}

fn text(share: f64, peers: u32) -> String {
    let peers = counted(peers.into(), "peer", "peers");
    if share < 1.0 {
        format!("making {peers}: {:.0} %", (share * 100.0).floor())
    } else {
        format!("made {peers}; writing down what is true of them")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_not_all_done_before_it_is() {
        assert_eq!(text(0.999, 300_000), "making 300,000 peers: 99 %");
        assert_eq!(text(1.0, 20), "made 20 peers; writing down what is true of them");
    }
}
