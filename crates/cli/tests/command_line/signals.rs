//! Ctrl-C and SIGTERM: what is in hand is kept, and no process is left behind.

use std::{fs::File, path::Path};

use nix::{
    fcntl::{FcntlArg, fcntl},
    libc::{F_WRLCK, SEEK_SET, flock},
};
use rustix::process::Signal;

use crate::program::{Running, SlowCrawl, kadscope, run};

#[test]
fn a_crawl_that_is_stopped_keeps_what_is_in_hand() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = dir.path().join("a.sqlite");
    let store = store.to_str().expect("UTF-8");
    let SlowCrawl { testnet, mut crawl } = SlowCrawl::start(dir.path(), store);
    crawl.send(Signal::INT);
    let ended = crawl.wait();

    assert_eq!(ended.code, 130, "{}", ended.stderr);
    assert!(ended.stderr.contains("stopped; 42 visits were kept"), "{}", ended.stderr);
    let summary = ended.json();
    assert_eq!((&summary["state"], &summary["peers"]["reachable"]), (&"cancelled".into(), &42.into()));
    let listed = run(["crawls", "--json", "--store", store]).json();
    let crawl = &listed["crawls"][0];
    assert_eq!((&crawl["state"], &crawl["visits"]), (&"cancelled".into(), &42.into()));
    assert_eq!(testnet.end(), Some(0));
}

/// Takes the place of the one who writes to a store, as another program does in the middle of a transaction, until the
/// file is closed. Source: SQLite, "WAL-mode File Format", 2.3, locks of the WAL-index.
pub(crate) fn hold_for_writing(store: &Path) -> File {
    let index = store.with_extension("sqlite-shm");
    let file = File::options().read(true).write(true).open(index).expect("a store that is open");
    let number = |constant: i32| i16::try_from(constant).expect("a small number");
    let (l_type, l_whence) = (number(F_WRLCK), number(SEEK_SET));
    let lock = flock { l_type, l_whence, l_start: 120, l_len: 1, l_pid: 0 };
    fcntl(&file, FcntlArg::F_SETLKW(&lock)).expect("locked");
    file
}

#[test]
fn a_second_signal_ends_a_crawl_at_once_and_leaves_a_store_that_can_be_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a.sqlite");
    let store = path.to_str().expect("UTF-8");
    let SlowCrawl { testnet, mut crawl } = SlowCrawl::start(dir.path(), store);
    // What is in hand cannot be written, for as long as the store has patience.
    let held = hold_for_writing(&path);
    crawl.send(Signal::INT);
    crawl.await_stderr(|line| line.contains("Ctrl-C again ends at once"));
    crawl.send(Signal::INT);
    let ended = crawl.wait();
    drop(held);

    assert_eq!((ended.code, ended.stdout.as_str()), (130, ""), "{}", ended.stderr);
    let listed = run(["crawls", "--json", "--store", store]).json();
    let crawl = &listed["crawls"][0];
    assert_eq!(crawl["state"], "interrupted", "{crawl}");
    let visits = crawl["visits"].as_u64().expect("a number");
    assert!(visits <= 42, "{crawl}");
    let exported = run(["export", "--privacy", "as-is", "--out", "-", "--store", store]);
    assert_eq!(exported.code, 0, "{}", exported.stderr);
    assert_eq!(testnet.end(), Some(0));
}

/// A closed terminal is told by the shell and by the system.
#[test]
fn a_crawl_whose_terminal_is_closed_keeps_what_is_in_hand() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = dir.path().join("a.sqlite");
    let store = store.to_str().expect("UTF-8");
    let SlowCrawl { testnet: _testnet, mut crawl } = SlowCrawl::start(dir.path(), store);
    crawl.send(Signal::HUP);
    crawl.send(Signal::HUP);
    let ended = crawl.wait();
    assert_eq!((ended.code, &ended.json()["state"]), (130, &"cancelled".into()), "{}", ended.stderr);
    let listed = run(["crawls", "--json", "--store", store]).json();
    assert_eq!(listed["crawls"][0]["visits"], 42);
}

#[test]
fn every_command_ends_in_good_order_when_its_terminal_is_closed() {
    let mut testnet = Running::start(&mut kadscope(["testnet", "--peers", "20"]));
    testnet.await_stderr(|line| line.contains("Ctrl-C ends the network"));
    testnet.send(Signal::HUP);
    assert_eq!(testnet.wait().code, 0);
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().to_str().expect("UTF-8");
    let mut demo = Running::start(&mut kadscope(["demo", "--json", "--peers", "200", "--dir", path]));
    demo.await_stderr(|line| line.starts_with("after "));
    demo.send(Signal::HUP);
    let ended = demo.wait();
    assert_eq!((ended.code, &ended.json()["state"]), (130, &"cancelled".into()), "{}", ended.stderr);
}

/// As `nohup` starts it.
#[test]
fn who_was_told_to_outlive_the_terminal_does() {
    let program = env!("CARGO_BIN_EXE_kadscope");
    let script = r#"trap "" HUP; exec "$0" testnet --peers 20"#;
    let mut command = std::process::Command::new("sh");
    let mut testnet =
        Running::start(command.args(["-c", script, program]).stdin(std::process::Stdio::null()));
    testnet.await_stderr(|line| line.contains("Ctrl-C ends the network"));
    testnet.send(Signal::HUP);
    let listed = run(["networks"]);
    assert_eq!(listed.code, 0);
    testnet.send(Signal::TERM);
    assert_eq!(testnet.wait().code, 0, "by the second one alone");
}

#[test]
fn a_demo_that_is_stopped_ends_its_network() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().to_str().expect("UTF-8");
    let mut demo = Running::start(&mut kadscope(["demo", "--json", "--peers", "200", "--dir", path]));
    demo.await_stderr(|line| line.starts_with("after "));
    demo.send(Signal::TERM);
    // The network holds the other end of the pipes as well: that they are closed says that it is gone.
    let ended = demo.wait();
    assert_eq!(ended.code, 130, "{}", ended.stderr);
    let summary = ended.json();
    assert_eq!((&summary["state"], &summary["truth"]), (&"cancelled".into(), &serde_json::Value::Null));
}

#[test]
fn a_demo_that_is_killed_ends_its_network() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().to_str().expect("UTF-8");
    let mut demo = Running::start(&mut kadscope(["demo", "--json", "--peers", "200", "--dir", path]));
    demo.await_stderr(|line| line.starts_with("after "));
    demo.send(Signal::KILL);
    // The network inherited stderr: its end closes it.
    demo.await_end_of_stderr();
    let store = format!("{path}/kadscope-demo.sqlite");
    let listed = run(["crawls", "--json", "--store", &store]).json();
    assert_eq!(listed["crawls"][0]["state"], "interrupted");
}

#[test]
fn the_first_signal_is_heard_while_a_large_network_is_made() {
    for signal in [Signal::INT, Signal::HUP] {
        let mut testnet = Running::start(&mut kadscope(["testnet", "--peers", "300000"]));
        testnet.await_stderr(|line| line.starts_with("making 300,000 peers: "));
        testnet.send(signal);
        let ended = testnet.wait();
        assert_eq!((ended.code, ended.stdout.as_str()), (130, ""), "{}", ended.stderr);
    }
}

#[test]
fn a_testnet_ends_in_good_order() {
    let mut testnet = Running::start(&mut kadscope(["testnet", "--peers", "20"]));
    testnet.await_stderr(|line| line.contains("Ctrl-C ends the network"));
    testnet.send(Signal::INT);
    let ended = testnet.wait();
    assert_eq!(ended.code, 0);
    assert!(ended.stdout.lines().count() > 0);
    for line in ended.stdout.lines() {
        assert!(line.starts_with("/ip4/127.") && line.contains("/p2p/"), "{line}");
    }
}
