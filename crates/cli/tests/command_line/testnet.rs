//! What a testnet says of itself, and what one can do with it.

use std::{cell::RefCell, process::Command};

use rustix::process::Signal;
use serde_json::Value;

use crate::program::{Ended, Running, kadscope};

/// Runs a testnet, and the command that it prints, without a store.
fn pasted(options: &[&str]) -> Value {
    let mut testnet = Running::start(&mut kadscope(["testnet"].iter().chain(options)));
    let printed = RefCell::new(String::new());
    testnet.await_stderr(|line| {
        let is_command = line.contains(" crawl ");
        if is_command {
            line.clone_into(&mut printed.borrow_mut());
        }
        is_command
    });
    let line = format!("{} --store none --json", printed.borrow().trim());
    let crawl = Command::new("sh").args(["-c", &line]).output().expect("a shell");
    let crawl = Ended::from(crawl);
    assert_eq!(crawl.code, 0, "{line}: {}", crawl.stderr);
    testnet.send(Signal::INT);
    assert_eq!(testnet.wait().code, 0);
    crawl.json()
}

#[test]
fn the_command_that_a_testnet_prints_works_and_keeps_the_networks_own_name() {
    let summary = pasted(&["--peers", "20"]);
    assert_eq!((&summary["network"], &summary["peers"]["reachable"]), (&"healthy".into(), &20.into()));
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("own net.toml");
    std::fs::write(&file, "peers = 20\nprotocol = \"/own/kad/1.0.0\"\n").expect("written");
    let summary = pasted(&["--one-address", "--scenario", file.to_str().expect("UTF-8")]);
    assert_eq!((&summary["network"], &summary["peers"]["reachable"]), (&"own net".into(), &20.into()));
}
