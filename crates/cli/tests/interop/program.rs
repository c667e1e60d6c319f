//! Programs of `peers/` and our own: built, started, asked and ended.

use std::{
    ffi::OsStr,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::LazyLock,
};

use serde_json::Value;

use crate::truth::Truth;

/// The folder with the programs of other implementations.
fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../peers").canonicalize().expect("the folder peers")
}

/// Whether everything in `peers/` is built; done by the first test that asks.
static BUILT: LazyLock<bool> = LazyLock::new(|| {
    let status = Command::new(peers().join("build.sh")).stdin(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
});

/// A program of `peers/`, by its path there.
pub(crate) fn peer_program(path: &str) -> PathBuf {
    assert!(
        *BUILT,
        "peers/build.sh failed, so that {path} is missing: run it, it says what it needs (Go for instance)"
    );
    peers().join(path)
}

/// Our own program, without what the environment of the tests sets for it.
pub(crate) fn kadscope() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kadscope"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("KADSCOPE_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// A command with its arguments.
pub(crate) fn command<I: IntoIterator<Item: AsRef<OsStr>>>(program: impl AsRef<OsStr>, args: I) -> Command {
    let mut command = Command::new(program);
    command.args(args);
    command
}

/// A network that runs until it is dropped: a program that prints one line when the network stands, obeys lines, and
/// ends when its stdin does.
#[derive(Debug)]
pub(crate) struct Network {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    announcement: Value,
}

impl Network {
    /// Starts it, and waits until it stands.
    pub(crate) fn start(command: &mut Command) -> Self {
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut network = Self { child, stdin, stdout, announcement: Value::Null };
        network.announcement = network.read();
        network
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it printed when it stood.
    pub(crate) const fn announcement(&self) -> &Value {
        &self.announcement
    }

    /// Where to begin.
    pub(crate) fn bootstrap(&self) -> Vec<String> {
        let list = self.announcement["bootstrap"].as_array().expect("a list");
        list.iter().map(|address| address.as_str().expect("a string").to_owned()).collect()
    }

    /// What every peer knows of itself at this moment.
    pub(crate) fn truth(&mut self) -> Truth {
        serde_json::from_value(self.obey("truth")).expect("a truth")
    }

    /// What it prints when it is told this.
    pub(crate) fn obey(&mut self, line: &str) -> Value {
        let stdin = self.stdin.as_mut().expect("piped");
        stdin.write_all(format!("{line}\n").as_bytes()).expect("the network still runs");
        self.read()
    }

    fn read(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("a readable line");
        serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("a network ended, its errors are above: {error}: {line:?}"))
    }
}

/// It ends by itself, and so do all processes that it has started.
impl Drop for Network {
    fn drop(&mut self) {
        drop(self.stdin.take());
        drop(self.child.wait());
    }
}
