//! The namespace as such: it has no way out, and asks loopback for names.

use std::{fs, process::Command};

use kadscope_jail::{Namespace, NamespaceError, enter, only_loopback, resolve_by_loopback};

use crate::Check;

pub(crate) const CHECKS: &[Check] = &[
    ("names_are_asked_of_loopback", names_are_asked_of_loopback),
    ("another_interface_is_refused", another_interface_is_refused),
];

/// Makes the namespace in which all checks run.
pub(crate) fn go_in() {
    enter(Namespace::Own).unwrap_or_else(|error| panic!("{error}"));
    only_loopback().expect("a new namespace has nothing else");
    resolve_by_loopback().expect("mounts are our own");
}

fn names_are_asked_of_loopback() {
    let conf = fs::read_to_string("/etc/resolv.conf").expect("covered");
    assert!(conf.lines().any(|line| line == "nameserver 127.0.0.1"), "{conf}");
    assert!(!conf.replace("nameserver 127.0.0.1", "").contains("nameserver"), "{conf}");
    // What was covered to get there is there again.
    assert!(fs::exists("/proc/self/status").expect("readable"));
}

/// In a namespace of its own: the interface goes with it.
fn another_interface_is_refused() {
    let apart = std::thread::spawn(|| {
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).expect("root in the user namespace");
        only_loopback().expect("nothing else yet");
        let made = Command::new("ip").args(["link", "add", "out0", "type", "veth"]).status();
        assert!(made.expect("iproute2").success());
        only_loopback()
    });
    match apart.join().expect("no panic") {
        Err(NamespaceError::Interface { name, .. }) => {
            assert!(name == "out0" || name.starts_with("veth"), "{name}");
        }
        other => panic!("{other:?}"),
    }
    only_loopback().expect("that was another namespace");
}
