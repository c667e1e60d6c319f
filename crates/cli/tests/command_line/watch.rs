//! A network as one looks on: a store that is followed, as JSON, in lines, and as a page on a terminal that is given back however it ends.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Write as _},
    path::Path,
    process::{Child, Stdio},
};

use rustix::{
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize},
};
use serde_json::Value;

use crate::program::{Testnet, kadscope, run};

/// Fifty peers, of which five refuse, and some say what clears a terminal.
const SCENARIO: &str = r#"
seed = 5
peers = 50

[[agents]]
name = "evil\u001b[2J\u009b2J\n"
share = 0.2

[[agents]]
name = "good/1.0"
share = 0.8

[[states]]
state = "refusing"
share = 0.1
"#;

/// A store with one crawl of that network.
fn crawled(dir: &Path) -> String {
    let scenario = dir.join("evil.toml");
    std::fs::write(&scenario, SCENARIO).expect("written");
    let store = dir.join("a.sqlite").to_str().expect("UTF-8").to_owned();
    let testnet = Testnet::start(&scenario);
    let bootstrap = testnet.bootstrap().join(",");
    let crawl = ["crawl", "--addresses", "loopback", "--store", &store, "--bootstrap", &bootstrap, "--json"];
    let ended = run(crawl);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(testnet.end(), Some(0));
    store
}

#[test]
fn a_store_is_followed_as_json_and_in_the_words_of_the_original() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = crawled(dir.path());
    let ended = run(["watch", "--store", &store, "--json", "--every", "1s", "--for", "3s"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let last: Value = serde_json::from_str(ended.stdout.lines().last().expect("a line")).expect("JSON");
    assert_eq!((&last["active"], &last["left_in_run"]), (&45.into(), &0.into()), "{last}");
    assert_eq!((&last["failures"]["connection_refused"], &last["known"]), (&5.into(), &50.into()), "{last}");
    let agents = last["agents"].as_array().expect("a list");
    assert_eq!(agents.iter().filter_map(|row| row["peers"].as_u64()).sum::<u64>(), 45);
    assert!(!ended.stdout.contains(['\x1b', '\u{9b}']));

    let ended = run(["watch", "--store", &store, "--every", "1s", "--for", "2s"]);
    let last = ended.stdout.lines().last().expect("a line");
    assert!(last.starts_with("==== Total nodes active in run: 45, Total nodes left in run: 0, "), "{last}");
}

/// One command, and nothing set up: everybody who is there is found, and looked at again.
#[test]
fn a_network_is_looked_at_at_once() {
    let testnet = Testnet::healthy(40);
    let bootstrap = testnet.bootstrap().join(",");
    let network = ["watch", "--addresses", "loopback", "--bootstrap", &bootstrap, "--look-every", "1s"];
    let shown = ["--json", "--every", "1s", "--for", "8s"];
    let ended = run(network.iter().chain(&shown));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let last: Value = serde_json::from_str(ended.stdout.lines().last().expect("a line")).expect("JSON");
    assert_eq!(
        (&last["active"], &last["seen_today"], &last["left_in_run"]),
        (&40.into(), &40.into(), &0.into()),
        "{last}"
    );
    assert!(last["answered_looks"].as_u64() > Some(80), "they are looked at again: {last}");
    assert_eq!(testnet.end(), Some(0));
}

#[test]
fn a_store_that_is_not_there_is_3_and_a_period_that_is_none_is_2() {
    assert_eq!(run(["watch", "--store", "/nowhere/a.sqlite"]).code, 3);
    assert_eq!(run(["watch", "--every", "often"]).code, 2);
}

/// A program on a terminal of its own, which is 100 columns wide.
struct OnTerminal {
    child: Child,
    terminal: File,
    /// The other end, which a program that ends does not close.
    other: File,
    shown: String,
}

impl OnTerminal {
    fn start(store: &str, variables: &[(&str, &str)]) -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&terminal).expect("granted");
        unlockpt(&terminal).expect("unlocked");
        let name = ptsname(&terminal, Vec::new()).expect("a name");
        let other =
            OpenOptions::new().read(true).write(true).open(name.to_str().expect("UTF-8")).expect("open");
        tcsetwinsize(&other, Winsize { ws_row: 30, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 })
            .expect("a size");
        let end = || Stdio::from(other.try_clone().expect("a copy"));
        let mut command = kadscope(["watch", "--store", store]);
        command.env("TERM", "xterm").envs(variables.iter().copied());
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().expect("it starts");
        Self { child, terminal: terminal.into(), other, shown: String::new() }
    }

    /// Reads until that is on the terminal.
    fn await_text(&mut self, text: &str) {
        let mut bytes = [0; 4096];
        while !self.shown.contains(text) {
            let count = self.terminal.read(&mut bytes).expect("readable");
            self.shown += &String::from_utf8_lossy(&bytes[..count]);
        }
    }

    fn is_as_it_was(&self) -> bool {
        let modes = tcgetattr(&self.other).expect("modes").local_modes;
        modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG)
    }

    /// Waits for the end, and says how the terminal is left.
    fn end(mut self) -> (Option<i32>, bool) {
        self.await_text("\x1b[?1049l");
        let code = self.child.wait().expect("an end").code();
        (code, self.is_as_it_was())
    }
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn a_page_leaves_the_terminal_as_it_was() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = crawled(dir.path());
    let shown = || {
        let mut page = OnTerminal::start(&store, &[]);
        page.await_text("\x1b[?1049h");
        page.await_text("good/1.0");
        assert!(!page.is_as_it_was(), "it hears keys");
        page
    };

    let mut left = shown();
    left.terminal.write_all(b"s/good\rq").expect("pressed");
    assert!(left.shown.contains("\x1b[32;49m"), "there are colours: {:?}", left.shown);
    assert!(!left.shown.contains("\x1b[2Jevil") && !left.shown.contains("\u{9b}2J"), "{:?}", left.shown);
    assert_eq!(left.end(), (Some(0), true));

    let mut interrupted = shown();
    interrupted.terminal.write_all(b"\x03").expect("pressed");
    assert_eq!(interrupted.end(), (Some(130), true));

    let terminated = shown();
    let pid = Pid::from_raw(i32::try_from(terminated.child.id()).expect("an id")).expect("an id");
    kill_process(pid, Signal::TERM).expect("it runs");
    assert_eq!(terminated.end(), (Some(130), true));
}

#[test]
fn a_page_follows_the_size_of_its_terminal_and_has_no_colours_where_none_are_wanted() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = crawled(dir.path());
    let mut page = OnTerminal::start(&store, &[("NO_COLOR", "1")]);
    page.await_text("good/1.0");
    for colour in 30..38 {
        assert!(!page.shown.contains(&format!("\x1b[{colour};49m")), "{:?}", page.shown);
    }
    tcsetwinsize(&page.other, Winsize { ws_row: 20, ws_col: 70, ws_xpixel: 0, ws_ypixel: 0 })
        .expect("a size");
    page.await_text("needs");
    page.terminal.write_all(b"q").expect("pressed");
    assert_eq!(page.end(), (Some(0), true));
}
