//! How worlds end, and that nobody is left in them.

use std::os::unix::process::CommandExt as _;

use rustix::process::Signal;

use crate::program::{KADSCOPE, Running, in_world, world};

#[test]
fn signals_are_passed_on_and_the_command_decides() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        // A network on loopback inside: it ends by 0 where others would end by the signal.
        let inside = ["--", KADSCOPE, "testnet", "--scenario", "healthy", "--peers", "20", "--json"];
        // Not in the foreground of a terminal, or the command had Ctrl-C from there.
        let mut world = Running::start(world(&inside).process_group(0));
        assert!(world.line().contains("\"peers\":20"));
        world.send(signal);
        assert_eq!((world.rest().as_str(), world.code()), ("", Some(0)));
    }
}

#[test]
fn a_world_whose_terminal_is_closed_leaves_no_directory() {
    let directory = tempfile::tempdir().expect("a directory");
    let command = ["--", "sh", "-c", "echo ready; exec sleep 1000"];
    let mut world = Running::start(world(&command).env("TMPDIR", directory.path()));
    assert_eq!(world.line(), "ready");
    assert_eq!(directory.path().read_dir().expect("readable").count(), 1, "the truth is there");
    world.send(Signal::HUP);
    assert_eq!(world.code(), Some(128 + 1));
    assert_eq!(directory.path().read_dir().expect("readable").count(), 0);
}

#[test]
fn what_a_command_leaves_behind_ends_with_it() {
    // They hold stdout, so that it has no end while one of them lives.
    let ended =
        in_world("(sleep 1000 & sleep 1000 &) & setsid --fork sh -c 'sleep 1000; :'; echo done; exit 3");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(3), "done\n"), "{}", ended.stderr);
}

#[test]
fn a_world_that_is_killed_leaves_no_command_behind() {
    let mut world = Running::start(&mut world(&["--", "sh", "-c", "echo ready; exec sleep 1000"]));
    assert_eq!(world.line(), "ready");
    world.send(Signal::KILL);
    assert_eq!(world.rest(), "");
}
