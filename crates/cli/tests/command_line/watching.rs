//! Commands that stay up, seen from outside: metrics, health, readiness, systemd, memory, and what never stands on stderr.

use std::{
    fs,
    os::unix::net::UnixDatagram,
    process::{Command, Stdio},
    time::Duration,
};

use rustix::process::Signal;
use serde_json::Value;

use crate::program::{Ended, Running, SlowCrawl, kadscope, run};

const TOKEN: &str = "a-token-that-nobody-sees";

/// Where a program says that its metrics are.
pub(crate) fn url(said: &str) -> String {
    let (_, behind) = said.split_once("http://").expect("a URL");
    let end = behind.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(behind.len());
    format!("http://{}", &behind[..end])
}

/// A testnet that stays up, with these options and variables, and where it answers.
fn staying(options: &[&str], variables: &[(&str, &str)]) -> (Running, String) {
    let options = ["testnet", "--peers", "20", "--metrics-addr", "127.0.0.1:0"].iter().chain(options);
    let mut testnet = Running::start(kadscope(options).envs(variables.iter().copied()));
    let url = url(&testnet.await_stderr(|line| line.contains("metrics, health and readiness are at")));
    testnet.await_stderr(|line| line.contains("Ctrl-C ends the network"));
    (testnet, url)
}

#[test]
fn a_crawl_tells_how_far_it_is() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = dir.path().join("a.sqlite");
    let store = store.to_str().expect("UTF-8");
    let variables = [("KADSCOPE_METRICS_ADDR", "127.0.0.1:0")];
    let SlowCrawl { testnet, mut crawl } = SlowCrawl::start_with(dir.path(), store, &variables);
    let url = url(crawl.heard().lines().find(|line| line.contains("http://")).expect("it is said first"));
    let metrics = ask(&format!("{url}/metrics"));
    for expected in [
        "kadscope_crawl_peers{state=\"reachable\"} 42",
        "kadscope_crawl_dials_total{outcome=\"connected\"} 42",
        "kadscope_held_limit{what=\"peers_in_mind\"} 1000000",
        "kadscope_held{what=\"rows_waiting\"} ",
        "kadscope_store_rows_total{of=\"visits\"} ",
        "process_resident_memory_bytes ",
    ] {
        assert!(metrics.contains(&format!("\n{expected}")), "{expected}: {metrics}");
    }
    assert_eq!(run(["health", &format!("{url}/ready")]).stdout, "ready\n");
    crawl.send(Signal::TERM);
    assert_eq!(crawl.wait().code, 130);
    assert_eq!(run(["health", &url]).code, 1, "nobody is there any more");
    assert_eq!(testnet.end(), Some(0));
}

/// What a program of ours answers.
pub(crate) fn ask(url: &str) -> String {
    let host = url.strip_prefix("http://").and_then(|url| url.split('/').next()).expect("a host");
    let path = url.split_once(host).expect("it is there").1;
    let mut stream = std::net::TcpStream::connect(host).expect("connected");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    std::io::Write::write_all(&mut stream, request.as_bytes()).expect("asked");
    std::io::read_to_string(stream).expect("answered")
}

#[test]
fn health_is_an_exit_code_and_says_why() {
    let (mut testnet, url) = staying(&[], &[]);
    let well = run(["health", &url]);
    assert_eq!((well.code, well.stdout.as_str()), (0, "ok\n"), "{}", well.stderr);
    let missing = run(["health", &format!("{url}/nothing")]);
    assert_eq!((missing.code, missing.stdout.as_str()), (1, "not well (404): there is nothing here\n"));
    testnet.send(Signal::TERM);
    assert_eq!(testnet.wait().code, 0);
    let gone = run(["health", &url]);
    assert!(gone.code == 1 && gone.stderr.contains("did not answer"), "{}", gone.stderr);
    let wrong = run(["health", "https://127.0.0.1:1"]);
    assert!(wrong.code == 1 && wrong.stderr.contains("only http://"), "{}", wrong.stderr);
}

#[test]
fn beyond_loopback_it_takes_a_token_or_a_word() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("token");
    fs::write(&file, TOKEN).expect("written");
    let begin = ["testnet", "--peers", "20", "--metrics-addr", "0.0.0.0:0"];
    let refused = run(begin);
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{}", refused.stderr);
    for named in ["--metrics-token-file", "KADSCOPE_METRICS_TOKEN", "--open"] {
        assert!(refused.stderr.contains(named), "{named}: {}", refused.stderr);
    }
    fs::write(dir.path().join("short"), "short").expect("written");
    let short = dir.path().join("short");
    let weak = run(begin.iter().copied().chain(["--metrics-token-file", short.to_str().expect("UTF-8")]));
    assert!(weak.code == 2 && weak.stderr.contains("at least 16"), "{}", weak.stderr);

    let (mut testnet, url) = staying(&["--metrics-token-file", file.to_str().expect("UTF-8")], &[]);
    let refused = run(["health", &url]);
    assert!(refused.code == 1 && refused.stdout.starts_with("not well (401)"), "{}", refused.stdout);
    let well: Ended =
        kadscope(["health", &url]).env("KADSCOPE_METRICS_TOKEN", TOKEN).output().expect("an end").into();
    assert_eq!((well.code, well.stdout.as_str()), (0, "ok\n"), "{}", well.stderr);
    testnet.send(Signal::TERM);
    assert_eq!(testnet.wait().code, 0);
}

#[test]
fn nothing_secret_stands_on_stderr() {
    let variables = [("KADSCOPE_METRICS_TOKEN", TOKEN), ("KADSCOPE_LOG", "trace")];
    for format in ["text", "json"] {
        let (mut testnet, url) = staying(&["--log-format", format], &variables);
        let asked: Ended = kadscope(["health", &url]).envs(variables).output().expect("an end").into();
        assert_eq!(asked.code, 0, "{}", asked.stderr);
        testnet.send(Signal::TERM);
        let said = testnet.heard().to_owned() + &testnet.wait().stderr + &asked.stderr;
        assert!(!said.contains(TOKEN), "{said}");
    }
    for args in [
        &["health", "http://me:hunter2@127.0.0.1:1"][..],
        &["crawls", "--store", "http://me:hunter2@127.0.0.1:1"],
        &["crawl", "--store", "none", "--network", "http://me:hunter2@127.0.0.1/x.toml"],
    ] {
        let ended = run(args);
        assert!(ended.code != 0 && !ended.stderr.contains("hunter2"), "{args:?}: {}", ended.stderr);
    }
}

#[test]
fn logs_are_lines_of_json_where_that_is_asked_for() {
    let (mut testnet, _) = staying(&["--log-format", "json", "--log", "debug"], &[]);
    let heard = testnet.heard().to_owned();
    testnet.send(Signal::TERM);
    let ended = testnet.wait();
    assert!(heard.lines().count() >= 2, "{heard}");
    for line in heard.lines().chain(ended.stderr.lines()) {
        let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(["timestamp", "level", "message"].iter().all(|key| value[key].is_string()), "{line}");
    }
}

#[test]
fn systemd_is_told_what_it_waits_for() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("notify");
    let systemd = UnixDatagram::bind(&path).expect("bound");
    systemd.set_read_timeout(Some(Duration::from_secs(60))).expect("set");
    let variables = [("NOTIFY_SOCKET", path.to_str().expect("UTF-8")), ("WATCHDOG_USEC", "100000")];
    let mut testnet = Running::start(kadscope(["testnet", "--peers", "20"]).envs(variables));
    let heard = || {
        let mut said = [0; 64];
        let length = systemd.recv(&mut said).expect("something is said");
        String::from_utf8_lossy(&said[..length]).into_owned()
    };
    let until = |what: &str| (0..1000).find(|_| heard() == what).expect(what);
    until("READY=1");
    until("WATCHDOG=1");
    until("WATCHDOG=1");
    testnet.send(Signal::TERM);
    until("STOPPING=1");
    assert_eq!(testnet.wait().code, 0);
}

/// A service has no terminal that could be closed: SIGHUP asks it to read its files again, if it asks anything.
#[test]
fn a_service_outlives_a_signal_of_a_closed_terminal() {
    let mut command = Command::new("setsid");
    command.args([env!("CARGO_BIN_EXE_kadscope"), "testnet", "--peers", "20"]).stdin(Stdio::null());
    let mut testnet = Running::start(command.env("INVOCATION_ID", "1"));
    testnet.await_stderr(|line| line.contains("Ctrl-C ends the network"));
    testnet.send(Signal::HUP);
    testnet.await_stderr(|line| line.contains("SIGHUP"));
    testnet.send(Signal::TERM);
    assert_eq!(testnet.wait().code, 0);
}

#[test]
fn what_holds_memory_is_written_once_when_it_gets_short() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("report.json");
    let store = dir.path().join("a.sqlite");
    let report = file.to_str().expect("UTF-8");
    let variables = [("KADSCOPE_MEMORY_LIMIT", "1MiB"), ("KADSCOPE_MEMORY_REPORT", report)];
    let slow = SlowCrawl::start_with(dir.path(), store.to_str().expect("UTF-8"), &variables);
    let SlowCrawl { testnet, mut crawl } = slow;
    crawl.send(Signal::TERM);
    let ended = crawl.wait();
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{error}: {}", ended.stderr));
    let report: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(report["limit_bytes"], 1 << 20);
    let names: Vec<_> =
        report["holdings"].as_array().expect("a list").iter().map(|row| &row["name"]).collect();
    assert_eq!(names, ["rows_waiting", "peers_in_mind", "visits_under_way"]);
    assert_eq!(testnet.end(), Some(0));
}
