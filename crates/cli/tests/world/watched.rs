//! A world is watched from outside: what asks how it is need not get in.

use std::{
    io::{BufRead as _, BufReader},
    os::unix::net::UnixDatagram,
    process::{Child, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::program::{Ended, KADSCOPE, command, run, world};

/// Starts a world that is watched, and waits until it says where.
fn watched(options: &[&str], variables: &[(&str, &str)]) -> (Child, BufReader<impl std::io::Read>, String) {
    let options = [&["--metrics-addr", "127.0.0.1:0"], options].concat();
    let mut world = world(&options);
    world.envs(variables.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut world = world.spawn().expect("it starts");
    let mut said = BufReader::new(world.stderr.take().expect("piped"));
    let mut line = String::new();
    said.read_line(&mut line).expect("readable");
    let url = line.trim_end().rsplit_once(' ').expect("a URL").1.to_owned();
    assert!(url.starts_with("http://127.0.0.1:"), "{line}");
    (world, said, url)
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
    let (mut world, _said, url) = watched(&[], &variables);
    until("READY=1");
    until("WATCHDOG=1");
    let ready = ask(&format!("{url}/ready"));
    assert_eq!((ready.code, ready.stdout.as_str()), (Some(0), "ready\n"), "{}", ready.stderr);
    assert_eq!(ask(&format!("{url}/metrics")).code, Some(0));
    let pid = i32::try_from(world.id()).expect("a process id");
    kill_process(Pid::from_raw(pid).expect("a process id"), Signal::TERM).expect("it runs");
    until("STOPPING=1");
    assert_eq!(world.wait().expect("an end").code(), Some(0));
}

#[test]
fn who_lives_in_a_world_cannot_ask() {
    let asks = r#"read url; "$0" health "$url"; echo "code $?""#;
    let mut world = command(KADSCOPE, ["testnet", "--world", "--scenario", "healthy", "--peers", "20"]);
    world.args(["--metrics-addr", "127.0.0.1:0", "--", "sh", "-c", asks, KADSCOPE]);
    world.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut world = world.spawn().expect("it starts");
    let mut line = String::new();
    let mut said = BufReader::new(world.stderr.take().expect("piped"));
    said.read_line(&mut line).expect("readable");
    let url = line.trim_end().rsplit_once(' ').expect("a URL").1.to_owned();
    assert_eq!(ask(&url).code, Some(0), "from outside");
    let mut stdin = world.stdin.take().expect("piped");
    std::io::Write::write_all(&mut stdin, format!("{url}\n").as_bytes()).expect("written");
    let ended: Ended = world.wait_with_output().expect("an end").into();
    assert_eq!(ended.stdout, "code 1\n");
}
