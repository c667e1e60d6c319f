//! Runs the program, and ends whatever a test has started.

use std::{
    ffi::OsStr,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, ChildStdin, Command, Output, Stdio},
};

use rustix::{
    io::ioctl_fionread,
    pipe::fcntl_getpipe_size,
    process::{Pid, Signal, kill_process},
};
use serde_json::Value;

/// The program with these arguments, and without what the environment of the tests says.
pub(crate) fn kadscope<I: IntoIterator<Item: AsRef<OsStr>>>(args: I) -> Command {
    let mut command = hearing_a_closed_terminal(env!("CARGO_BIN_EXE_kadscope"));
    command.args(args).env_clear().stdin(Stdio::null());
    command
}

/// A program that hears when its terminal is closed, also where the tests run under `nohup`: it would inherit that.
fn hearing_a_closed_terminal(program: &str) -> Command {
    if !cfg!(target_os = "linux") {
        return Command::new(program);
    }
    let mut command = Command::new("/usr/bin/env");
    command.args(["--default-signal=HUP", program]);
    command
}

/// What a run that is over left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("an exit code"),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

impl Ended {
    /// Stdout as exactly one JSON object on one line.
    pub(crate) fn json(&self) -> Value {
        let line = self.stdout.strip_suffix('\n').unwrap_or_else(|| panic!("no line: {self:?}"));
        assert!(!line.contains('\n'), "more than one line: {line}");
        let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(value.is_object(), "{value}");
        value
    }
}

/// Runs the program to its end.
pub(crate) fn run<I: IntoIterator<Item: AsRef<OsStr>>>(args: I) -> Ended {
    kadscope(args).output().expect("it starts").into()
}

/// A program that runs. It ends with the test, however that ends.
#[derive(Debug)]
pub(crate) struct Running {
    /// `None` once it was waited for.
    child: Option<Child>,
    /// What was read of its stderr.
    heard: String,
}

impl Running {
    /// Starts it with all of its output piped.
    pub(crate) fn start(command: &mut Command) -> Self {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        Self { child: Some(child), heard: String::new() }
    }

    /// The same, with its stdout in a file, which can be read while it runs.
    pub(crate) fn start_into(command: &mut Command, file: &Path) -> Self {
        let file = std::fs::File::create(file).expect("a file");
        let child = command.stdout(file).stderr(Stdio::piped()).spawn().expect("it starts");
        Self { child: Some(child), heard: String::new() }
    }

    /// Waits until there is a whole line in such a file.
    pub(crate) fn await_line(&mut self, file: &Path) -> String {
        loop {
            let text = std::fs::read_to_string(file).expect("readable");
            if let Some((line, _)) = text.split_once('\n') {
                return line.to_owned();
            }
            assert!(self.child().try_wait().expect("a child").is_none(), "it ended before it said anything");
            std::thread::yield_now();
        }
    }

    fn child(&mut self) -> &mut Child {
        self.child.as_mut().expect("it was not waited for")
    }

    pub(crate) fn send(&mut self, signal: Signal) {
        let pid = i32::try_from(self.child().id()).expect("a process id");
        kill_process(Pid::from_raw(pid).expect("a process id"), signal).expect("it runs");
    }

    /// Waits until it no longer ends by SIGTERM itself. Source: `proc_pid_status(5)`, `SigCgt`, a mask in hexadecimal.
    pub(crate) fn await_hearing(&mut self) {
        let status = format!("/proc/{}/status", self.child().id());
        let hears = || {
            let status = std::fs::read_to_string(&status).expect("it runs");
            let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).expect("a mask");
            let mask = u64::from_str_radix(mask.trim(), 16).expect("hexadecimal");
            mask >> (Signal::TERM.as_raw() - 1) & 1 == 1
        };
        while !hears() {
            std::thread::yield_now();
        }
    }

    /// Waits until no more fits into the pipe that its stdout is: less than a page, since what was written before may have left one
    /// half empty.
    pub(crate) fn await_full_stdout(&mut self) {
        let stdout = self.child().stdout.as_ref().expect("piped");
        let capacity = fcntl_getpipe_size(stdout).expect("a pipe");
        while ioctl_fionread(stdout).expect("a pipe") + 4096 < capacity as u64 {
            std::thread::yield_now();
        }
    }

    /// Waits for its end without reading what it says on stdout.
    pub(crate) fn code_unread(mut self) -> Option<i32> {
        self.child().wait().expect("an end").code()
    }

    /// From now on nobody reads its stdout.
    pub(crate) fn close_stdout(&mut self) {
        drop(self.child().stdout.take());
    }

    /// What was read of its stderr so far.
    pub(crate) fn heard(&self) -> &str {
        &self.heard
    }

    /// Reads stderr until a line says what is awaited, which is returned.
    pub(crate) fn await_stderr(&mut self, is_awaited: impl Fn(&str) -> bool) -> String {
        // Unbuffered: what comes later is read by `wait`.
        let child = self.child.as_mut().expect("it was not waited for");
        let stderr = child.stderr.as_mut().expect("piped");
        let mut line = Vec::new();
        loop {
            let mut byte = [0];
            assert_eq!(
                stderr.read(&mut byte).expect("readable"),
                1,
                "it ended before it said what was awaited"
            );
            if byte != *b"\n" {
                line.extend(byte);
                continue;
            }
            let whole = String::from_utf8_lossy(&line).into_owned();
            self.heard.extend([whole.as_str(), "\n"]);
            if is_awaited(&whole) {
                return whole;
            }
            line.clear();
        }
    }

    /// Reads stderr until nobody holds its other end any more: neither the process nor one that it has started.
    pub(crate) fn await_end_of_stderr(&mut self) {
        let stderr = self.child().stderr.as_mut().expect("piped");
        std::io::copy(stderr, &mut std::io::sink()).expect("readable");
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Ended {
        self.child.take().expect("it was not waited for").wait_with_output().expect("an end").into()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// A network that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Testnet {
    child: Child,
    stdin: Option<ChildStdin>,
    announcement: Value,
}

impl Testnet {
    pub(crate) fn start(scenario: &Path) -> Self {
        Self::with(&["--scenario", scenario.to_str().expect("UTF-8")])
    }

    /// So many peers, all of them online.
    pub(crate) fn healthy(peers: u32) -> Self {
        Self::with(&["--peers", &peers.to_string()])
    }

    /// With these options.
    pub(crate) fn with(args: &[&str]) -> Self {
        let mut child = kadscope(["testnet", "--json", "--until-eof"].iter().chain(args))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let announcement = serde_json::from_str(&line).expect("an announcement");
        Self { stdin: child.stdin.take(), child, announcement }
    }

    /// Where to begin.
    pub(crate) fn bootstrap(&self) -> Vec<&str> {
        let list = self.announcement["bootstrap"].as_array().expect("a list");
        list.iter().map(|address| address.as_str().expect("a string")).collect()
    }

    /// A network's file that names its peers.
    pub(crate) fn network_file(&self, protocols: &str) -> String {
        let bootstrap = self.bootstrap().join("\",\n    \"");
        format!(
            "name = \"lab\"\nprotocols = {protocols}\naddresses = \"loopback\"\nbootstrap = [\n    \"{bootstrap}\",\n]\n"
        )
    }

    /// Lets go of its stdin, and waits for its end.
    pub(crate) fn end(mut self) -> Option<i32> {
        drop(self.stdin.take());
        self.child.wait().expect("an end").code()
    }
}

/// A network whose crawl waits for an hour for peers that never answer.
const SLOW: &str = r#"
seed = 5
peers = 60

[[states]]
state = "dropping"
share = 0.3
"#;

/// A crawl that has reached all whom it can reach, 42 peers, and waits for the others.
#[derive(Debug)]
pub(crate) struct SlowCrawl {
    pub(crate) testnet: Testnet,
    pub(crate) crawl: Running,
}

impl SlowCrawl {
    pub(crate) fn start(dir: &Path, store: &str) -> Self {
        Self::start_with(dir, store, &[])
    }

    /// With these variables.
    pub(crate) fn start_with(dir: &Path, store: &str, variables: &[(&str, &str)]) -> Self {
        let scenario = dir.join("slow.toml");
        std::fs::write(&scenario, SLOW).expect("written");
        let testnet = Testnet::start(&scenario);
        let bootstrap = testnet.bootstrap().join(",");
        let network = ["--addresses", "loopback", "--dial-timeout", "1h"];
        let args = ["crawl", "--json", "--store", store, "--bootstrap", &bootstrap];
        let mut crawl =
            Running::start(kadscope(args.into_iter().chain(network)).envs(variables.iter().copied()));
        crawl.await_stderr(|line| line.contains("42 reached"));
        Self { testnet, crawl }
    }
}

impl Drop for Testnet {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
