//! Ctrl-C, SIGTERM and SIGHUP: the first one drains, a second Ctrl-C or SIGTERM ends the program at once.

use std::{
    fs::{self, File},
    future::pending,
    io,
    time::Duration,
};

use rustix::{
    process::{self, Pid},
    termios::tcgetpgrp,
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::{exit::Code, output};

/// How long a command has to end in good order: longer than a store is waited for that somebody else holds (30 s), and shorter
/// than systemd waits by itself (90 s).
pub(crate) const MAX_ENDING: Duration = Duration::from_secs(45);

/// All of them, each as often as it comes.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// `None` where the program was started so that it outlives its terminal (`nohup`).
    hang_up: Option<Signal>,
    /// Whether no terminal can have been closed when it says so.
    is_service: bool,
}

impl Signals {
    /// From now on none of them ends the program by itself.
    pub(crate) fn listen() -> io::Result<Self> {
        let hang_up = if is_hang_up_ignored() { None } else { Some(signal(SignalKind::hangup())?) };
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up,
            is_service: is_service(),
        })
    }

    /// Waits for the next one that asks a command to end.
    pub(crate) async fn next(&mut self) -> process::Signal {
        loop {
            match self.any().await {
                process::Signal::HUP if self.is_service => {
                    output::note("SIGHUP: a service has no terminal, and nothing to read again; it goes on");
                }
                signal => return signal,
            }
        }
    }

    async fn any(&mut self) -> process::Signal {
        let hang_up = async {
            match &mut self.hang_up {
                Some(signal) => drop(signal.recv().await),
                None => pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => process::Signal::INT,
            _ = self.terminate.recv() => process::Signal::TERM,
            () = hang_up => process::Signal::HUP,
        }
    }
}

/// Whether whoever started this program wants it to go on when its terminal is closed.
fn is_hang_up_ignored() -> bool {
    fs::read_to_string("/proc/self/status").is_ok_and(|status| is_ignored_in(&status, process::Signal::HUP))
}

/// Whether a process ignores a signal. Source: `proc_pid_status(5)`, `SigIgn`, a mask in hexadecimal.
fn is_ignored_in(status: &str, signal: process::Signal) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    u32::try_from(signal.as_raw() - 1).is_ok_and(|bit| mask.checked_shr(bit).unwrap_or(0) & 1 == 1)
}

/// Whether a manager of services has started this process: it has no terminal, and is the first process, a child of that, or
/// told what systemd tells its services.
fn is_service() -> bool {
    let is_first = process::getpid().is_init() || process::getppid().is_none_or(Pid::is_init);
    let is_told = ["NOTIFY_SOCKET", "INVOCATION_ID"].iter().any(|name| std::env::var_os(name).is_some());
    (is_first || is_told) && File::open("/dev/tty").is_err()
}

/// Whether this process is in the foreground of a terminal. A Ctrl-C there comes to all processes of the group; one that
/// another process sends to this one alone cannot be told from it.
pub(crate) fn is_from_terminal() -> bool {
    let foreground = File::open("/dev/tty").ok().and_then(|terminal| tcgetpgrp(terminal).ok());
    foreground == Some(process::getpgrp())
}

/// From now on a signal cancels the token that is returned, and a further one ends the program, as does [`MAX_ENDING`]. A
/// closed terminal is told by the shell and by the system both: that is one wish, and not said twice to hurry us.
pub(crate) fn stop_on_signal() -> io::Result<CancellationToken> {
    let mut signals = Signals::listen()?;
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        signals.next().await;
        token.cancel();
        let hurried = async { while signals.next().await == process::Signal::HUP {} };
        if timeout(MAX_ENDING, hurried).await.is_err() {
            output::note(&format!("it has not ended within {} s, and is ended now", MAX_ENDING.as_secs()));
        }
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
    fn what_is_ignored_is_read_from_the_mask() {
        let status = |mask: &str| format!("Name:\tx\nSigBlk:\t0000000000000001\nSigIgn:\t{mask}\n");
        assert!(is_ignored_in(&status("0000000000001001"), process::Signal::HUP));
        assert!(!is_ignored_in(&status("0000000000001000"), process::Signal::HUP));
        assert!(!is_ignored_in("", process::Signal::HUP));
    }
}
