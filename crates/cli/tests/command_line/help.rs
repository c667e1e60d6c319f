//! What the help says is part of the interface.

use crate::program::run;

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
    lookup: ["lookup", "--help"],
    ping: ["ping", "--help"],
    testnet: ["testnet", "--help"],
    crawls: ["crawls", "--help"],
    export: ["export", "--help"],
    networks: ["networks", "--help"],
    completions: ["completions", "--help"],
}

#[test]
fn the_version_is_the_packages() {
    let ended = run(["--version"]);
    assert_eq!(ended.stdout, concat!("kadscope ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn every_shell_gets_a_script_that_knows_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ended = run(["completions", shell]);
        assert_eq!(ended.code, 0);
        assert!(ended.stdout.contains("crawls") && ended.stdout.contains("bootstrap"), "{shell}");
        assert!(!ended.stdout.contains('\x1b'), "{shell}");
    }
}
