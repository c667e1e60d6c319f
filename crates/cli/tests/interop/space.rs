//! A network namespace that has nothing but loopback: no packet can leave it.

use std::{
    ffi::OsStr,
    io::Read as _,
    process::{Child, Command, Stdio},
};

/// What a namespace takes, and how to get it.
const NEEDS: &str = "cannot make a network namespace by `unshare -rn sh -c 'ip link set lo up'`: it needs util-linux and \
    iproute2 (Debian, Ubuntu: apt-get install util-linux iproute2), and the right to make user namespaces (as root, or \
    by sysctl kernel.unprivileged_userns_clone=1 and kernel.apparmor_restrict_unprivileged_userns=0)";

/// A namespace, held by a process in it.
#[derive(Debug)]
pub(crate) struct Space {
    holder: Child,
}

impl Space {
    /// Makes one.
    pub(crate) fn new() -> Self {
        // `cat` ends when its stdin does: with this process at the latest.
        let mut holder = Command::new("unshare")
            .args(["-rn", "sh", "-c", "ip link set lo up && echo up && exec cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{NEEDS}: {error}"));
        let mut up = [0; 3];
        let read = holder.stdout.as_mut().expect("piped").read_exact(&mut up);
        assert!(read.is_ok() && up == *b"up\n", "{NEEDS}");
        Self { holder }
    }

    /// A program in it.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--preserve-credentials", "--user", "--net", "--target"]);
        command.arg(self.holder.id().to_string()).arg("--").arg(program);
        command
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        drop(self.holder.wait());
    }
}
