//! What the help says is part of the interface.

use crate::program::{Ended, Testnet, kadscope, run};

macro_rules! help {
    ($($name:ident: $args:expr,)+) => { $(
        #[test]
        fn $name() {
            let ended = run($args);
            assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
            assert!(ended.stdout.lines().all(|line| line.chars().count() <= 100), "a line is too long");
            insta::assert_snapshot!(ended.stdout);
        }
    )+ };
}

help! {
    program: ["--help"],
    demo: ["demo", "--help"],
    crawl: ["crawl", "--help"],
    monitor: ["monitor", "--help"],
    lookup: ["lookup", "--help"],
    provide: ["provide", "--help"],
    hydra: ["hydra", "--help"],
    perf: ["perf", "--help"],
    perf_fleet: ["perf", "fleet", "--help"],
    perf_server: ["perf", "server", "--help"],
    perf_explain: ["perf", "explain", "--help"],
    perf_health: ["perf", "health", "--help"],
    perf_demo: ["perf", "demo", "--help"],
    perf_report: ["perf", "report", "--help"],
    perf_scheduler: ["perf", "scheduler", "--help"],
    hoard: ["hoard", "--help"],
    hoard_run: ["hoard", "run", "--help"],
    hoard_content: ["hoard", "content", "--help"],
    hoard_report: ["hoard", "report", "--help"],
    hoard_savings: ["hoard", "savings", "--help"],
    hoard_demo: ["hoard", "demo", "--help"],
    ping: ["ping", "--help"],
    report: ["report", "--help"],
    watch: ["watch", "--help"],
    testnet: ["testnet", "--help"],
    crawls: ["crawls", "--help"],
    enrich: ["enrich", "--help"],
    export: ["export", "--help"],
    runs: ["runs", "--help"],
    sessions: ["sessions", "--help"],
    store: ["store", "--help"],
    store_copy: ["store", "copy", "--help"],
    store_prune: ["store", "prune", "--help"],
    networks: ["networks", "--help"],
    health: ["health", "--help"],
    completions: ["completions", "--help"],
}

#[test]
fn the_version_is_the_packages() {
    let ended = run(["--version"]);
    assert_eq!(ended.stdout, concat!("kadscope ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn every_shell_gets_a_script_that_asks_the_program() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ended = run(["completions", shell]);
        assert_eq!(ended.code, 0);
        assert!(ended.stdout.contains("KADSCOPE_COMPLETE"), "{shell}: {}", ended.stdout);
        assert!(!ended.stdout.contains('\x1b'), "{shell}");
    }
}

/// What a shell offers behind these words: the first word of each line.
fn offered(words: &[&str]) -> Vec<String> {
    let mut command = kadscope(["--", "kadscope"].iter().chain(words));
    let ended: Ended = command.env("KADSCOPE_COMPLETE", "fish").output().expect("an end").into();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    ended.stdout.lines().filter_map(|line| Some(line.split('\t').next()?.to_owned())).collect()
}

#[test]
fn names_are_completed_and_so_are_the_runs_of_a_store() {
    assert_eq!(offered(&["craw"]), ["crawl", "crawls"]);
    assert_eq!(offered(&["crawl", "--network", "avail-mainnet"]), ["avail-mainnet-fn", "avail-mainnet-lc"]);
    assert_eq!(offered(&["networks", "polk"]), ["polkadot"]);
    assert_eq!(offered(&["testnet", "--scenario", "h"]), ["healthy", "half-dead"]);
    assert_eq!(offered(&["demo", "--scenario", "fau"]), ["faults"]);

    let dir = tempfile::tempdir().expect("a directory");
    let store = dir.path().join("a.sqlite");
    let store = store.to_str().expect("UTF-8");
    let testnet = Testnet::healthy(20);
    let args = [
        "crawl",
        "--json",
        "--addresses",
        "loopback",
        "--store",
        store,
        "--bootstrap",
        testnet.bootstrap()[0],
    ];
    let id = run(args).json()["crawl_id"].as_str().expect("an id").to_owned();
    assert_eq!(offered(&["export", "--store", store, "--run", ""]), ["latest", &id]);
    assert_eq!(offered(&["crawls", &format!("--store={store}"), &id[..6]]), [id]);
    let none = dir.path().join("none.sqlite");
    assert_eq!(offered(&["export", "--store", none.to_str().expect("UTF-8"), "--run", ""]), [""; 0]);
}
