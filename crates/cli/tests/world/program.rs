//! Runs the program, and reads what it and its inhabitants say.

use std::{
    ffi::OsStr,
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, ChildStdout, Command, Output, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

/// The file of the program.
pub(crate) const KADSCOPE: &str = env!("CARGO_BIN_EXE_kadscope");

/// A command in an environment that says nothing but where programs are.
pub(crate) fn command<I: IntoIterator<Item: AsRef<OsStr>>>(program: &str, args: I) -> Command {
    let mut command = Command::new(program);
    command.args(args).env_clear().stdin(Stdio::null());
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command
}

/// A world of twenty peers that are always there, with these further options, a `--` and the command among them.
pub(crate) fn world(args: &[&str]) -> Command {
    // It hears when its terminal is closed, also where the tests run under `nohup`: it would inherit that.
    let program =
        ["--default-signal=HUP", KADSCOPE, "testnet", "--world", "--scenario", "healthy", "--peers", "20"];
    command("/usr/bin/env", program.iter().chain(args))
}

/// What a run that is over left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// Runs a command to its end, and to that of everything that it has started and that holds its output.
pub(crate) fn run(command: &mut Command) -> Ended {
    command.output().expect("it starts").into()
}

/// Runs a shell script in a world of twenty peers.
pub(crate) fn in_world(script: &str) -> Ended {
    run(&mut world(&["--", "bash", "-c", script]))
}

/// A program that runs. It ends with the test, however that ends.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    /// Starts it, with its stdout piped.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, stdout }
    }

    /// The next line of its stdout.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("readable");
        assert!(line.ends_with('\n'), "it ended: {line:?}");
        line.trim_end().to_owned()
    }

    /// The rest of its stdout: until nobody holds the other end.
    pub(crate) fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("readable");
        rest
    }

    pub(crate) fn send(&mut self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).expect("a process id");
        kill_process(Pid::from_raw(pid).expect("a process id"), signal).expect("it runs");
    }

    /// Waits for its end, and says how it ended.
    pub(crate) fn code(&mut self) -> Option<i32> {
        self.child.wait().expect("an end").code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
