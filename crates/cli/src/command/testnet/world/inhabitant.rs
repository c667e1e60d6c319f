//! The program that runs in a world: started, told what the user tells us, and gone when the world is.
//!
//! It is started by way of this program's own file (`kadscope inhabitant`), which asks the system to kill it when the
//! world ends and then becomes the program: even a world that is killed does not leave it behind. What it has started
//! itself is ended when it ends; only where the world is killed does that live on, in a namespace without peers.

use std::{
    ffi::OsString,
    io,
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    process::{self, ExitStatus},
};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use super::{descent, environment::Environment};
use crate::{
    args::InhabitantArgs,
    exit::{Code, Failed},
    signals::{self, Signals},
};

/// This program's own file, whatever has become of its name since it was started.
const OURSELVES: &str = "/proc/self/exe";

/// What shells end by when a command is not found, and when it is and cannot be run.
const NOT_FOUND: u8 = 127;
const NOT_EXECUTABLE: u8 = 126;

/// What shells add to the number of the signal that has ended a command.
const BY_SIGNAL: i32 = 128;

/// Runs a program to its end, and ends what it leaves behind.
///
/// Must be called on the main thread: the system takes the end of the thread that has started a process for its parent's.
pub(super) async fn run(
    command: &[OsString],
    environment: &Environment,
    signals: &mut Signals,
) -> anyhow::Result<Code> {
    descent::adopt_orphans().context("cannot look after what the command starts")?;
    let mut child = Command::new(OURSELVES)
        .args(["inhabitant", &process::id().to_string(), "--"])
        .args(command)
        .envs(environment.variables_of_child())
        .spawn()
        .context("cannot start a process")?;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status.context("cannot wait for the command")?,
            signal = signals.next() => pass_on(&child, signal),
        }
    };
    descent::end_children();
    Ok(Code::Command(code(status)))
}

/// From a terminal Ctrl-C has come to both of us.
fn pass_on(child: &Child, signal: Signal) {
    if signal == Signal::INT && signals::is_from_terminal() {
        return;
    }
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid
        && let Err(error) = kill_process(pid, signal)
    {
        tracing::warn!(%error, "the command was not told of a signal");
    }
}

fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| Some(BY_SIGNAL + status.signal()?));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

/// What `kadscope inhabitant` does: becomes the program. Returns only if it cannot.
pub(crate) fn become_inhabitant(args: &InhabitantArgs) -> anyhow::Error {
    let Some((program, rest)) = args.command.split_first() else {
        return Failed::usage("no command").into();
    };
    if let Err(error) = descent::end_with(args.parent) {
        return anyhow::Error::new(error).context("cannot be bound to the end of the world");
    }
    let error = process::Command::new(program).args(rest).exec();
    let number = if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { NOT_EXECUTABLE };
    Failed::command(number, format!("cannot run {}: {error}", program.display())).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_command_is_a_code_as_in_a_shell() {
        assert_eq!(code(ExitStatus::from_raw(0)), 0);
        assert_eq!(code(ExitStatus::from_raw(7 << 8)), 7);
        assert_eq!(code(ExitStatus::from_raw(255 << 8)), 255);
        assert_eq!(code(ExitStatus::from_raw(15)), 143);
    }
}
