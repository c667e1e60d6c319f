//! How worlds end, and that nobody is left in them.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::program::{KADSCOPE, Running, command, in_world, world};

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

/// A world without a command whose temporary files are there.
fn world_in(temporary: &Path) -> Command {
    let mut world = world(&["--json"]);
    world.env("TMPDIR", temporary);
    world
}

fn names(dir: &Path) -> usize {
    fs::read_dir(dir).expect("readable").count()
}

#[test]
fn no_signal_but_a_kill_leaves_temporary_files_and_the_next_start_sweeps_those() {
    let dir = tempfile::tempdir().expect("a directory");
    for signal in [Signal::HUP, Signal::TERM, Signal::INT] {
        let mut world = Running::start(&mut world_in(dir.path()));
        assert!(world.line().contains("\"roots\":"));
        assert_eq!(names(dir.path()), 1);
        world.send(signal);
        assert_eq!((world.code(), names(dir.path())), (Some(0), 0), "{signal:?}");
    }
    let mut killed = Running::start(&mut world_in(dir.path()));
    killed.line();
    killed.send(Signal::KILL);
    assert_eq!((killed.code(), names(dir.path())), (None, 1));
    let mut lives = Running::start(&mut world_in(dir.path()));
    lives.line();
    assert_eq!(names(dir.path()), 1, "that of the killed one is gone");
    // Those of the living stay.
    let mut next = Running::start(&mut world_in(dir.path()));
    next.line();
    assert_eq!(names(dir.path()), 2);
}

#[test]
fn a_closed_terminal_is_heard_while_a_large_world_is_made() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut large = command(KADSCOPE, ["testnet", "--world", "--peers", "300000"]);
    let mut large = large.env("TMPDIR", dir.path()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut said = BufReader::new(large.stderr.take().expect("piped"));
    let mut line = String::new();
    said.read_line(&mut line).expect("readable");
    assert!(line.starts_with("making 300,000 peers: "), "{line}");
    let pid = i32::try_from(large.id()).expect("a process id");
    kill_process(Pid::from_raw(pid).expect("a process id"), Signal::HUP).expect("it runs");
    assert_eq!((large.wait().expect("an end").code(), names(dir.path())), (Some(130), 0));
}
