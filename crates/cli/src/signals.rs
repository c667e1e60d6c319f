//! Ctrl-C and SIGTERM: the first one drains, the second one ends the program at once.

use std::{fs::File, io};

use rustix::{process, termios::tcgetpgrp};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::exit::Code;

/// Both signals, each as often as it comes.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// From now on neither of them ends the program by itself.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) -> process::Signal {
        tokio::select! {
            _ = self.interrupt.recv() => process::Signal::INT,
            _ = self.terminate.recv() => process::Signal::TERM,
        }
    }
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
