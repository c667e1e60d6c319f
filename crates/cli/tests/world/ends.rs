//! How worlds end, and that nobody is left in them.

use rustix::process::Signal;

use crate::program::{Running, in_world, world};

#[test]
fn signals_are_passed_on_and_the_command_decides() {
    let script =
        "trap 'echo told; exit 5' TERM; trap 'echo asked' INT; echo ready; while :; do sleep 0.05; done";
    let mut world = Running::start(&mut world(&["--", "bash", "-c", script]));
    assert_eq!(world.line(), "ready");
    // Nobody of these is in the foreground of a terminal, or the command had it from there.
    world.send(Signal::INT);
    world.send(Signal::TERM);
    let rest = world.rest();
    assert!(rest.ends_with("told\n"), "{rest}");
    assert_eq!(world.code(), Some(5));
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
