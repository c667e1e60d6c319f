//! Where there is no world, and why.

use crate::program::{Ended, KADSCOPE, command, run, world};

/// Runs a script as root of a network namespace, with `$WORLD` to run a world in that one.
fn in_namespace(script: &str) -> Ended {
    let unshare = ["--map-root-user", "--net", "bash", "-c", script];
    run(command("unshare", unshare).env("WORLD", format!("{KADSCOPE} testnet --world=here --peers 20")))
}

#[test]
fn another_interface_is_refused_before_anything_else_happens() {
    let ended =
        in_namespace("ip link add out type veth peer name far && $WORLD --scenario nowhere -- echo in");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
    assert!(ended.stderr.contains("has the interface "), "{}", ended.stderr);
    assert!(ended.stderr.contains("packets could leave"), "{}", ended.stderr);
    // Without it the scenario is what is wrong.
    let ended = in_namespace("$WORLD --scenario nowhere -- echo in");
    assert!(ended.stderr.contains("`nowhere`"), "{}", ended.stderr);
}

#[test]
fn a_namespace_that_was_prepared_is_used_and_can_be_used_again() {
    let ended = in_namespace(
        "for i in 1 2; do $WORLD -- bash -c 'readlink /proc/self/ns/net'; done; readlink /proc/self/ns/net; tail -n 1 /etc/resolv.conf",
    );
    let lines: Vec<&str> = ended.stdout.lines().collect();
    let [first, second, outside, resolv_conf] = lines[..] else { panic!("{ended:?}") };
    assert_eq!([first, second], [outside; 2]);
    // Mounts are the world's own.
    assert_ne!(resolv_conf, "options edns0 timeout:2 attempts:2");
}

#[test]
fn a_wrong_command_line_is_2() {
    for (args, text) in [
        (&["testnet", "--", "true"][..], "--world"),
        (&["testnet", "true"], "true"),
        (&["testnet", "--world=there"], "[possible values: own, here]"),
        (&["testnet", "--world", "--until-eof", "--", "true"], "--until-eof"),
    ] {
        let ended = run(&mut command(KADSCOPE, args));
        assert_eq!(ended.code, Some(2), "{args:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(text), "{args:?}: {}", ended.stderr);
    }
    let truth = run(&mut world(&["--truth", "/nonexistent/truth", "--", "true"]));
    assert_eq!(truth.code, Some(2));
    assert!(truth.stderr.contains("/nonexistent/truth"), "{}", truth.stderr);
}
