//! A world is watched from outside: what asks how it is need not get in.

use std::{
    io::{self, BufRead as _, BufReader},
    os::unix::net::UnixDatagram,
    process::{Child, ChildStderr, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::program::{Ended, KADSCOPE, command, run, world};

/// A world that is watched. It ends with the test, however that ends.
struct Watched {
    child: Child,
    /// Held open as long as it runs.
    _stderr: BufReader<ChildStderr>,
    /// Where it says that it answers.
    url: String,
}

impl Watched {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
        let mut line = String::new();
        stderr.read_line(&mut line).expect("readable");
        let url = line.trim_end().rsplit_once(' ').expect("a URL").1.to_owned();
        assert!(url.starts_with("http://127.0.0.1:"), "{line}");
        Self { child, _stderr: stderr, url }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn ask(url: &str) -> Ended {
    run(&mut command(KADSCOPE, ["health", url]))
}

#[test]
fn who_is_outside_asks_how_a_world_is_and_systemd_is_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("notify");
    let systemd = UnixDatagram::bind(&path).expect("bound");
    systemd.set_read_timeout(Some(Duration::from_secs(60))).expect("set");
    let until = |what: &str| {
        let heard = || {
            let mut said = [0; 64];
            let length = systemd.recv(&mut said).expect("something is said");
            String::from_utf8_lossy(&said[..length]).into_owned()
        };
        (0..1000).find(|_| heard() == what).expect(what)
    };
    let variables = [("NOTIFY_SOCKET", path.to_str().expect("UTF-8")), ("WATCHDOG_USEC", "100000")];
    let mut world = Watched::start(world(&["--metrics-addr", "127.0.0.1:0"]).envs(variables));
    let url = world.url.clone();
    until("READY=1");
    until("WATCHDOG=1");
    let ready = ask(&format!("{url}/ready"));
    assert_eq!((ready.code, ready.stdout.as_str()), (Some(0), "ready\n"), "{}", ready.stderr);
    assert_eq!(ask(&format!("{url}/metrics")).code, Some(0));
    let pid = i32::try_from(world.child.id()).expect("a process id");
    kill_process(Pid::from_raw(pid).expect("a process id"), Signal::TERM).expect("it runs");
    until("STOPPING=1");
    assert_eq!(world.child.wait().expect("an end").code(), Some(0));
}

#[test]
fn who_lives_in_a_world_cannot_ask() {
    let asks = r#"read url; "$0" health "$url"; echo "code $?""#;
    let mut world = command(KADSCOPE, ["testnet", "--world", "--scenario", "healthy", "--peers", "20"]);
    world.args(["--metrics-addr", "127.0.0.1:0", "--", "sh", "-c", asks, KADSCOPE]);
    let mut world = Watched::start(world.stdin(Stdio::piped()));
    let url = world.url.clone();
    assert_eq!(ask(&url).code, Some(0), "from outside");
    let mut stdin = world.child.stdin.take().expect("piped");
    io::Write::write_all(&mut stdin, format!("{url}\n").as_bytes()).expect("written");
    let stdout = world.child.stdout.take().expect("piped");
    assert_eq!(io::read_to_string(stdout).expect("readable"), "code 1\n");
}
