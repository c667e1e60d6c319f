//! Ctrl-C and SIGTERM: what is in hand is kept, and no process is left behind.

use std::fs;

use rustix::process::Signal;

use crate::program::{Running, Testnet, kadscope, run};

/// A network whose crawl waits for a minute, and more, for peers that never answer.
const SLOW: &str = r#"
seed = 5
peers = 60

[[states]]
state = "dropping"
share = 0.3
"#;

#[test]
fn a_crawl_that_is_stopped_keeps_what_is_in_hand() {
    let dir = tempfile::tempdir().expect("a directory");
    let scenario = dir.path().join("slow.toml");
    fs::write(&scenario, SLOW).expect("written");
    let store = dir.path().join("a.sqlite");
    let store = store.to_str().expect("UTF-8");
    let testnet = Testnet::start(&scenario);
    let bootstrap = testnet.bootstrap().join(",");
    let network = ["--addresses", "loopback", "--dial-timeout", "1h"];
    let args = ["crawl", "--json", "--store", store, "--bootstrap", &bootstrap].into_iter().chain(network);
    let mut crawl = Running::start(&mut kadscope(args));
    crawl.await_stderr(|line| line.contains("42 reached"));
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
