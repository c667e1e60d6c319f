//! Ctrl-C, SIGTERM and SIGHUP (the terminal was closed): the first one drains, the second one ends the program at once.

use std::{
    fs::{self, File},
    future::pending,
    io,
};

use rustix::{process, termios::tcgetpgrp};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::exit::Code;

/// All of these signals, each as often as it comes.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// `None` where it is to be passed over, as `nohup` has it.
    hangup: Option<Signal>,
}

impl Signals {
    /// From now on none of them ends the program by itself.
    pub(crate) fn listen() -> io::Result<Self> {
        let is_ignored = fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores_hangup(&status));
        let hangup = (!is_ignored).then(|| signal(SignalKind::hangup())).transpose()?;
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(Self { interrupt, terminate, hangup })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) -> process::Signal {
        let hung_up = async {
            match &mut self.hangup {
                Some(hangup) => drop(hangup.recv().await),
                None => pending().await,
            }
        };
        tokio::select! {
            () = hung_up => process::Signal::HUP,
            _ = self.interrupt.recv() => process::Signal::INT,
            _ = self.terminate.recv() => process::Signal::TERM,
        }
    }
}

/// Whether a process whose `/proc/PID/status` this is passes SIGHUP over.
fn ignores_hangup(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // The lowest bit is signal 1.
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

/// Whether this process is in the foreground of a terminal. A Ctrl-C there comes to all processes of the group; one that
/// another process sends to this one alone cannot be told from it.
pub(crate) fn is_from_terminal() -> bool {
    let foreground = File::open("/dev/tty").ok().and_then(|terminal| tcgetpgrp(terminal).ok());
    foreground == Some(process::getpgrp())
}

/// From now on a signal cancels the token that is returned, and a further one ends the program.
pub(crate) fn stop_on_signal() -> io::Result<CancellationToken> {
    let mut signals = Signals::listen()?;
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        signals.next().await;
        token.cancel();
        signals.next().await;
        abort();
    });
    Ok(stop)
}

#[expect(
    clippy::exit,
    reason = "the user does not want to wait; what is committed in a store survives any end"
)]
fn abort() {
    std::process::exit(Code::Cancelled.number().into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_to_survive_the_terminal_does() {
        assert!(ignores_hangup("SigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\nSigCgt:\t0\n"));
        assert!(!ignores_hangup("SigIgn:\t0000000000001000\n") && !ignores_hangup(""));
    }
}
