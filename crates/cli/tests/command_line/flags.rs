//! Flags from a file.

use std::fs;

use crate::program::run;

#[test]
fn flags_of_a_file_count_and_the_command_line_wins() {
    let dir = tempfile::tempdir().expect("a directory");
    let flags = dir.path().join("a.flags");
    fs::write(&flags, "# of the night\n--json --store nothing.db # both\n").expect("written");
    let at = format!("@{}", flags.display());
    let ended = run(["crawls", &at]);
    assert!(
        ended.code == 3 && ended.stderr.contains("nothing.db: there is no such file"),
        "{}",
        ended.stderr
    );
    let ended = run(["crawls", &at, "--store", "other.db"]);
    assert!(ended.code == 3 && ended.stderr.contains("other.db"), "{}", ended.stderr);
}

#[test]
fn what_is_wrong_in_a_file_is_named_with_its_line() {
    let dir = tempfile::tempdir().expect("a directory");
    let flags = dir.path().join("a.flags");
    let at = format!("@{}", flags.display());
    let mut said = Vec::new();
    for text in [
        "--json\n--stor x\n",
        "--json\n\n--limit many",
        "--limit=many",
        "--vantage 'my desk\n",
        "--json @other.flags",
        "--bootstrap /ip4/127.0.0.1/tcp/1",
    ] {
        fs::write(&flags, text).expect("written");
        let ended = run(["crawl", "--store", "none", "--addresses", "loopback", &at]);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{text}");
        said.push(ended.stderr.replace(dir.path().to_str().expect("UTF-8"), "DIR"));
    }
    insta::assert_snapshot!(said.join("\n"));
    let missing = run(["crawl", "--addresses", "loopback", "@/nonexistent/flags"]);
    assert!(
        missing.code == 2 && missing.stderr.contains("/nonexistent/flags: No such file"),
        "{}",
        missing.stderr
    );
}

#[test]
fn values_of_a_list_are_put_together() {
    let dir = tempfile::tempdir().expect("a directory");
    let (flags, list) = (dir.path().join("a.flags"), dir.path().join("list.txt"));
    fs::write(&flags, format!("--opt-out {}\n", list.display())).expect("written");
    fs::write(&list, "nobody\n").expect("written");
    let good = dir.path().join("good.txt");
    fs::write(&good, "192.0.2.1\n").expect("written");
    let at = format!("@{}", flags.display());
    let ended = run(["crawl", "--addresses", "loopback", &at, "--opt-out", good.to_str().expect("UTF-8")]);
    assert!(ended.code == 2 && ended.stderr.contains("list.txt: line 1: `nobody`"), "{}", ended.stderr);
}
