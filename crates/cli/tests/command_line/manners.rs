//! Who asked not to be measured is left alone by every command, and peers are told whom to ask.

use std::fs;

use crate::program::{Ended, Testnet, kadscope, run};

#[test]
fn a_broken_line_of_an_opt_out_list_is_2_for_every_command() {
    let dir = tempfile::tempdir().expect("a directory");
    let list = dir.path().join("opt-out.txt");
    fs::write(&list, "192.0.2.0/24 # mail of May\n192.0.2.0/33\n").expect("written");
    let list = list.to_str().expect("UTF-8");
    let demo = dir.path().join("demo");
    let mut said = Vec::new();
    for args in [
        &["crawl", "--addresses", "loopback", "--store", "none"][..],
        &["demo", "--dir", demo.to_str().expect("UTF-8")],
        &["export", "--out", "-", "--privacy", "as-is"],
    ] {
        let ended = run(args.iter().copied().chain(["--opt-out", list]));
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{args:?}");
        said.push(ended.stderr.replace(dir.path().to_str().expect("UTF-8"), "DIR"));
    }
    assert!(said.iter().all(|text| *text == said[0]), "{said:?}");
    insta::assert_snapshot!(said[0]);
    assert!(!demo.exists());
}

#[test]
fn who_opted_out_is_not_crawled_and_the_summary_says_how_many_these_are() {
    let dir = tempfile::tempdir().expect("a directory");
    let testnet = Testnet::healthy(40);
    let bootstrap = testnet.bootstrap();
    let (first, others) = bootstrap.split_first().expect("bootstrap peers");
    let (address, peer) = first.split_once("/p2p/").expect("a peer id");
    let others = others.join(",");
    let args = ["crawl", "--addresses", "loopback", "--store", "none", "--bootstrap", &others];

    let ids = dir.path().join("ids.txt");
    fs::write(&ids, peer).expect("written");
    let mut command = kadscope(args.into_iter().chain(["--json"]));
    let output = command.env("KADSCOPE_OPT_OUT", &ids).output().expect("an end");
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&summary["peers"]["discovered"], &summary["peers"]["reachable"]), (&39.into(), &39.into()));
    assert_eq!(
        (&summary["left_out"]["opted_out_peers"], &summary["opt_out_entries"]),
        (&1.into(), &1.into())
    );
    let people = run(args.into_iter().chain(["--opt-out", ids.to_str().expect("UTF-8")]));
    assert!(people.stdout.contains("1 peer that opted out"), "{}", people.stdout);

    let ranges = dir.path().join("ranges.txt");
    let ip = address.split('/').nth(2).expect("an IP address");
    fs::write(&ranges, format!("{ip}/32\n")).expect("written");
    // The standing list counts beside the one of the command line, and one from a flags file beside both.
    let flags = dir.path().join("a.flags");
    let third = dir.path().join("third.txt");
    fs::write(&third, "192.0.2.0/24\n192.0.2.0/24\n").expect("written");
    fs::write(&flags, format!("--opt-out {}\n", third.display())).expect("written");
    let at = format!("@{}", flags.display());
    let mut command =
        kadscope(args.into_iter().chain(["--json", &at, "--opt-out", ranges.to_str().expect("UTF-8")]));
    let output = command.env("KADSCOPE_OPT_OUT", &ids).output().expect("an end");
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&summary["peers"]["discovered"], &summary["opt_out_entries"]), (&39.into(), &3.into()));
    let mut command = kadscope(args.into_iter().chain(["--opt-out", ranges.to_str().expect("UTF-8")]));
    let people: Ended = command.env("KADSCOPE_OPT_OUT", &ids).output().expect("an end").into();
    assert!(people.stdout.contains("Opt-out lists   2 entries in force"), "{}", people.stdout);

    let lists = format!("{},{}", ids.display(), ranges.display());
    let summary = run(args.into_iter().chain(["--json", "--opt-out", &lists])).json();
    assert_eq!(summary["peers"]["discovered"], 39);
    let summary =
        run(args.into_iter().chain(["--json", "--opt-out", ranges.to_str().expect("UTF-8")])).json();
    assert_eq!(
        (&summary["peers"]["discovered"], &summary["errors"]["only_opted_out"]),
        (&40.into(), &1.into())
    );
}

#[test]
fn a_contact_that_is_none_is_2() {
    let ended = run(["crawl", "--addresses", "loopback", "--contact", "call me"]);
    assert!(ended.code == 2 && ended.stderr.contains("an email address, or a URL"), "{}", ended.stderr);
}
