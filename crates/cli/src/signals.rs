//! Ctrl-C, SIGTERM and SIGHUP: the first one drains, a second Ctrl-C or SIGTERM ends the program at once.
//!
//! They are heard on a thread of its own: a command that waits for a locked file, or for somebody to read what it prints, is ended
//! as well.

use std::{
    fs::{self, File},
    future::pending,
    io, thread,
    time::Duration,
};

use rustix::{
    process::{self, Pid},
    termios::tcgetpgrp,
};
use tokio::{
    runtime,
    signal::unix::{Signal, SignalKind, signal},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::{exit::Code, output, screen};

/// How long a command has to end in good order if nobody says: longer than a store is waited for that somebody else holds (30 s), and shorter
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

/// What the signals do to a command: the first one cancels a token, and a further one ends the program, as does the time that it
/// has to end.
#[derive(Debug)]
pub(crate) struct StopOnSignal {
    /// Cancelled by the first signal.
    stop: CancellationToken,
    /// Cancelled once the signals are somebody else's.
    let_go: CancellationToken,
    within: Duration,
}

impl StopOnSignal {
    /// From now on; what has not ended `within` the time after the first signal is ended. A closed terminal is told by the shell and
    /// by the system both: that is one wish, and not said twice to hurry us.
    pub(crate) fn listen(within: Duration) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let mut signals = {
            let _guard = runtime.enter();
            Signals::listen()?
        };
        let (stop, let_go) = (CancellationToken::new(), CancellationToken::new());
        let (token, over) = (stop.clone(), let_go.clone());
        let heard = async move {
            signals.next().await;
            token.cancel();
            let hurried = async { while signals.next().await == process::Signal::HUP {} };
            if timeout(within, hurried).await.is_err() {
                output::note(&format!(
                    "it has not ended within {} s, and is ended now",
                    within.as_secs_f64()
                ));
            }
            abort();
        };
        let run = move || runtime.block_on(over.run_until_cancelled(heard));
        thread::Builder::new().name("signals".to_owned()).spawn(run)?;
        Ok(Self { stop, let_go, within })
    }

    /// Cancelled by the first signal.
    pub(crate) const fn token(&self) -> &CancellationToken {
        &self.stop
    }

    /// How long a command has to end, from the first signal on.
    pub(crate) const fn within(&self) -> Duration {
        self.within
    }

    /// From now on signals do nothing here: somebody else listens to them.
    pub(crate) fn let_go(&self) {
        self.let_go.cancel();
    }
}

#[expect(
    clippy::exit,
    reason = "the user does not want to wait; what is committed in a store survives any end"
)]
fn abort() {
    screen::leave();
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
