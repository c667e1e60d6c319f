//! What is wrong is named, with what to do about it, and the exit code says of which kind it is.

use std::{fs, net::TcpListener, process::Stdio};

use crate::program::{Ended, Running, Testnet, kadscope, run};

const PEER: &str = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

/// Asserts how a run ends, that it prints no result, and that the error holds all of these texts.
fn fails(args: &[&str], code: i32, texts: &[&str]) {
    let ended = run(args);
    assert_eq!(ended.code, code, "{args:?}: {}", ended.stderr);
    assert_eq!(ended.stdout, "", "{args:?}");
    for text in texts {
        assert!(ended.stderr.contains(text), "{args:?}: no `{text}` in {}", ended.stderr);
    }
}

/// An address where nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    format!("/ip4/127.0.0.1/tcp/{}/p2p/{PEER}", listener.local_addr().expect("an address").port())
}

#[test]
fn a_wrong_command_line_is_2() {
    fails(&[], 2, &["Usage: kadscope [OPTIONS] <COMMAND>"]);
    fails(&["crawls", "--nonsense"], 2, &["--nonsense"]);
    fails(&["demo", "--peers", "3"], 2, &["--peers", "20..=100000"]);
    fails(&["crawls", "--store", "none"], 2, &["`none` keeps nothing"]);
    fails(&["crawls", "--store", "mysql://x"], 2, &["--store", "supported: `sqlite:PATH`"]);
    fails(&["crawls", "--store", "postgres://me@x?sslmode=full"], 2, &["`postgres://...`", "verify-full"]);
    fails(&["testnet", "--scenario", "nowhere"], 2, &["`nowhere`", "built in are"]);
    fails(&["testnet", "--peers", "20", "--truth", "/nonexistent/truth"], 2, &["/nonexistent/truth"]);
    fails(&["testnet", "--peers", "20", "--events", "/nonexistent/log"], 2, &["/nonexistent/log"]);
    fails(&["demo", "--dir", "/proc/nothing"], 2, &["cannot make the directory /proc/nothing"]);
}

#[test]
fn a_bootstrap_address_that_cannot_be_dialled_is_2_and_says_what_to_write() {
    let crawl = |address: &str, texts: &[&str]| {
        let address = address.replace("PEER", PEER);
        fails(&["crawl", "--store", "none", "--bootstrap", &address], 2, texts);
    };
    crawl("nonsense", &["'nonsense' for '--bootstrap", "no multiaddress", "/ip4/IP/tcp/PORT/p2p/PEER_ID"]);
    crawl("/ip4/127.0.0.1/tcp/1", &["which peer", "/p2p/PEER_ID at its end"]);
    crawl("/ip4/127.0.0.1/tcp/1/p2p/PEER/p2p-circuit/p2p/PEER", &["relay"]);
    crawl(
        "/ip4/127.0.0.1/udp/1/quic-v1/webtransport/p2p/PEER",
        &["(webtransport) is not spoken", "/tcp/PORT"],
    );
    crawl("/ip4/127.0.0.1/tcp/1/p2p/PEER", &["--addresses public", "of this machine", "loopback"]);
}

/// Databases are the feature `postgres`: a program without it says so at once, and how one with it is built.
#[cfg(not(feature = "postgres"))]
#[test]
fn a_database_without_its_feature_is_2_and_says_how_to_build_with_it() {
    let url = "postgres://me@127.0.0.1:1/dht";
    let nobody = nobody();
    let reach = ["--bootstrap", &nobody, "--addresses", "loopback", "--store", url];
    for arguments in [
        &["crawls", "--store", url][..],
        &["store", "check", "--store", url],
        &["store", "copy", url, "/nonexistent/a.db"],
        &[&["crawl"], &reach[..]].concat(),
        &[&["ping", PEER], &reach[..]].concat(),
    ] {
        fails(arguments, 2, &[url, "without PostgreSQL", "cargo build --release --features full"]);
    }
}

/// However a database is named, and however wrongly, no error shows a password.
#[test]
fn no_error_shows_a_password() {
    for url in [
        "postgres://me:hunter2@127.0.0.1:1/dht",
        "postgres://me:hunt/er2@127.0.0.1:1/dht",
        "postgre://me:hunter2@127.0.0.1:1/dht",
        "postgres://me:hunter2@127.0.0.1:1/dht?sslmode=hunter2",
    ] {
        let by_option = kadscope(&["crawls", "--store", url]).env("PGPASSWORD", "hunter2").output();
        let by_variable = kadscope(&["crawls"]).env("KADSCOPE_STORE", url).output();
        for ended in [by_option, by_variable] {
            let ended: Ended = ended.expect("an end").into();
            assert!(ended.code == 2 || ended.code == 3, "{url}: {}", ended.stderr);
            assert!(!ended.stderr.contains("hunt") && !ended.stderr.contains("er2"), "{}", ended.stderr);
        }
    }
}

#[test]
fn a_store_that_cannot_be_used_is_3_and_stays_as_it_was() {
    let dir = tempfile::tempdir().expect("a directory");
    let text = dir.path().join("letter.db");
    fs::write(&text, "Dear reader, this is no database at all.").expect("written");
    let text = text.to_str().expect("UTF-8");
    fails(&["crawls", "--store", "/nonexistent/a.db"], 3, &["/nonexistent/a.db"]);
    fails(&["crawls", "--store", text], 3, &[text, "no SQLite database"]);
    let crawl = ["crawl", "--addresses", "loopback", "--bootstrap", &nobody(), "--store", text];
    fails(&crawl, 3, &[text, "no SQLite database"]);
    assert_eq!(fs::read_to_string(text).expect("readable"), "Dear reader, this is no database at all.");
}

#[test]
fn a_network_where_nobody_answers_is_4_and_every_address_has_its_outcome() {
    let (first, second) = (nobody(), nobody());
    let args = ["crawl", "--addresses", "loopback", "--store", "none", "--bootstrap", &first, &second];
    let address =
        |full: &str| full.split("/p2p/").next().expect("an address").to_owned() + ": connection_refused";
    fails(&args, 4, &["no bootstrap peer answered", PEER, &address(&first), &address(&second)]);
    // The peer was given twice, and is one.
    assert_eq!(run(args).stderr.matches(PEER).count(), 1);

    let ended = run(args.into_iter().chain(["--json"]));
    assert_eq!(ended.code, 4);
    let summary = ended.json();
    assert_eq!(summary["state"], "failed");
    assert_eq!(summary["errors"]["connection_refused"], 1);
}

#[test]
fn a_network_where_nobody_can_be_asked_is_4_and_every_peer_says_why() {
    let testnet = Testnet::healthy(20);
    let bootstrap = testnet.bootstrap();
    let crawl = ["crawl", "--addresses", "loopback", "--store", "none", "--bootstrap"].to_vec();
    let mistyped = [crawl, bootstrap.clone(), vec!["--protocol", "/ipfs/kda/1.0.0"]].concat();
    let mut texts =
        vec!["no bootstrap peer answered", "protocol_not_supported", "/ipfs/kda/1.0.0", "--protocol"];
    texts.extend(bootstrap.iter().filter_map(|address| address.rsplit('/').next()));
    fails(&mistyped, 4, &texts);
    let ended = run(mistyped.iter().chain(&["--json"]));
    assert_eq!((ended.code, &ended.json()["state"]), (4, &"failed".into()));
    assert_eq!(ended.json()["peers"]["reachable"], bootstrap.len());
    assert_eq!(testnet.end(), Some(0));
}

#[test]
fn a_name_that_does_not_resolve_is_4_and_the_outcome_says_so() {
    // RFC 6761: a name in `invalid` never exists, and resolvers know that without asking anybody.
    let name = format!("/dns4/nobody.invalid/tcp/4001/p2p/{PEER}");
    let args = ["crawl", "--addresses", "public", "--store", "none", "--bootstrap", &name];
    let outcome = "/dns4/nobody.invalid/tcp/4001: name_not_found while in phase dns";
    fails(&args, 4, &["no bootstrap peer answered", PEER, outcome, "--bootstrap"]);
    let args = ["crawl", "--addresses", "loopback", "--store", "none", "--bootstrap", &name];
    fails(&args, 2, &["names are not resolved under this policy"]);
}

/// Asserts how a crawl ends that may open so many files.
fn with_files(limit: u32, options: &str, code: i32, text: &str) {
    let program = env!("CARGO_BIN_EXE_kadscope");
    let crawl =
        format!("{program} crawl --addresses loopback --store none --bootstrap {} {options}", nobody());
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &format!("ulimit -n {limit} && exec {crawl}")]).env_clear().stdin(Stdio::null());
    let ended = Ended::from(command.output().expect("it starts"));
    assert!(ended.code == code && ended.stderr.contains(text), "{limit} {options}: {ended:?}");
    assert_eq!(ended.stdout, "");
}

#[test]
fn too_few_descriptors_are_said_before_anything_begins() {
    with_files(40, "", 2, "only 40 files may be open at once, too few for 8192 dials and 500 conversations");
    with_files(300, "--parallelism 400", 2, "only 300 files may be open at once, too few for");
    with_files(300, "--max-dials 400", 2, "or ask for fewer (--max-dials, --parallelism)");
    // What nobody asked for is lowered, and the crawl is made.
    with_files(300, "", 4, "only 300 files may be open at once: 16 dials and");
    with_files(300, "--parallelism 50 --max-dials 50", 4, "no bootstrap peer answered");
}

#[test]
fn who_stops_reading_gets_no_error() {
    let mut command = kadscope(["completions", "bash"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("an end");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), b"".as_slice()));
}

#[test]
fn a_switch_can_be_set_by_its_variable() {
    let mut command = kadscope(["testnet", "--peers", "20", "--until-eof"]);
    let ended = Running::start(command.env("KADSCOPE_JSON", "1")).wait();
    assert_eq!(ended.code, 0);
    assert_eq!(ended.json()["peers"], 20);
    let mut command = kadscope(["crawls"]);
    let ended = Running::start(command.env("KADSCOPE_JSON", "perhaps")).wait();
    assert!(ended.code == 2 && ended.stderr.contains("--json"), "{ended:?}");
}

#[test]
fn what_only_a_world_can_have_is_2_and_the_option_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let scenario = dir.path().join("gone.toml");
    let class = "[[life.classes]]\nname = 'a'\nshare = 1.0\nabsence = 'dropped'\n\
                 up = { law = 'exponential', median_s = 9 }\ndown = { law = 'exponential', median_s = 9 }\n";
    fs::write(&scenario, format!("peers = 30\n{class}")).expect("written");
    for scenario in ["world", scenario.to_str().expect("UTF-8")] {
        for command in ["testnet", "demo"] {
            let ended = kadscope([command, "--scenario", scenario]).current_dir(dir.path()).output();
            let ended = Ended::from(ended.expect("an end"));
            assert_eq!(ended.code, 2, "{}", ended.stderr);
            assert!(ended.stderr.contains("--world"), "{}", ended.stderr);
        }
    }
}
