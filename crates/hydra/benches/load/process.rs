//! The processes of a measurement: each on its core, and what each has spent.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use nix::{
    sched::{CpuSet, sched_setaffinity},
    sys::resource::{UsageWho, getrusage},
    sys::time::TimeVal,
    unistd::Pid,
};
use tokio::runtime::{Builder, Runtime};

use crate::options::Options;

/// Where the server runs, and where the client does.
pub(crate) const SERVER_CORE: usize = 0;
pub(crate) const CLIENT_CORE: usize = 1;

/// Keeps this thread, and those that it makes from now on, on one core; on a machine that has no such core, where they are.
pub(crate) fn pin(core: usize) {
    let mut cores = CpuSet::new();
    if cores.set(core).is_ok() {
        sched_setaffinity(Pid::from_raw(0), &cores).ok();
    }
}

/// A runtime of so many threads.
pub(crate) fn runtime(threads: usize) -> Runtime {
    let mut builder = if threads == 1 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    builder.worker_threads(threads).enable_all().build().expect("a runtime")
}

/// What a process has spent so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spent {
    /// CPU time in the program and in the kernel, in microseconds.
    pub(crate) user_us: f64,
    pub(crate) system_us: f64,
    /// Resident memory, in KiB.
    pub(crate) resident_kib: f64,
}

impl Spent {
    /// By this process.
    pub(crate) fn here() -> Self {
        let usage = getrusage(UsageWho::RUSAGE_SELF).expect("a usage");
        let us = |time: TimeVal| {
            let seconds = u32::try_from(time.tv_sec()).expect("not for long");
            let us = u32::try_from(time.tv_usec()).expect("below a second");
            f64::from(seconds) * 1e6 + f64::from(us)
        };
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
        let pages = statm.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0.0_f64);
        Self { user_us: us(usage.user_time()), system_us: us(usage.system_time()), resident_kib: pages * 4.0 }
    }

    /// Since then.
    pub(crate) fn since(self, then: Self) -> Self {
        Self {
            user_us: self.user_us - then.user_us,
            system_us: self.system_us - then.system_us,
            resident_kib: self.resident_kib - then.resident_kib,
        }
    }
}

/// A process that is there to be asked. It ends with this.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// Who it is, and where: all of its heads, the one first that is asked.
    pub(crate) heads: Vec<(String, String)>,
}

impl Server {
    pub(crate) fn start(options: &Options) -> Self {
        let transport = if options.quic { "quic" } else { "tcp" };
        Self::child(&["--serve", transport, &options.threads.to_string(), &options.belly])
    }

    pub(crate) fn child(args: &[&str]) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("a path"))
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let output = BufReader::new(child.stdout.take().expect("an output"));
        let input = child.stdin.take();
        let mut server = Self { child, input, output, heads: Vec::new() };
        let line = server.line();
        let words: Vec<&str> = line.split(' ').collect();
        server.heads = words.chunks(2).map(|head| (head[0].to_owned(), head[1].to_owned())).collect();
        server
    }

    /// The head that is asked.
    pub(crate) fn first(&self) -> &(String, String) {
        self.heads.first().expect("a server has one")
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a line");
        line.trim().to_owned()
    }

    /// What it has spent so far.
    pub(crate) fn spent(&mut self) -> Spent {
        let input = self.input.as_mut().expect("it is there");
        input.write_all(b"spent\n").expect("it hears");
        let line = self.line();
        let mut numbers = line.split(' ').map(|number| number.parse().expect("a number"));
        let mut next = || numbers.next().expect("three numbers");
        Spent { user_us: next(), system_us: next(), resident_kib: next() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.input.take());
        self.child.wait().ok();
    }
}

/// The other end of [`Server::spent`]: answers until the input ends.
pub(crate) fn tell_what_is_spent() {
    for _ in std::io::stdin().lines().map_while(Result::ok) {
        let Spent { user_us, system_us, resident_kib } = Spent::here();
        println!("{user_us} {system_us} {resident_kib}");
    }
}
