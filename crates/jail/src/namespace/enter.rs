//! Making the namespaces of a world, and going into them.

use std::{fs, io};

use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
    unistd::{Gid, Uid, getgid, getuid},
};

use super::{Entered, Namespace, NamespaceError, advice};

/// Goes into a network namespace of its own that has nothing but loopback, with mounts of its own; all threads and
/// processes that this one starts afterwards are in it.
///
/// Root goes without a user namespace where it may; everybody else is root in a user namespace, and as powerful as
/// before on everything outside. With [`Namespace::Here`] only the mounts become its own.
///
/// Must be called before the process has a second thread: a thread cannot leave the user namespace of the others.
pub fn enter(which: Namespace) -> Result<Entered, NamespaceError> {
    let entered = match which {
        Namespace::Here => here()?,
        Namespace::Own => own()?,
    };
    // What is mounted from now on stays in here.
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>)
        .map_err(|e| forbidden("making mounts private", e))?;
    Ok(entered)
}

fn own() -> Result<Entered, NamespaceError> {
    let net = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS;
    let (uid, gid) = (getuid(), getgid());
    if uid.is_root() && unshare(net).is_ok() {
        return Ok(Entered { is_user: false, is_net: true });
    }
    unshare(net | CloneFlags::CLONE_NEWUSER).map_err(|e| forbidden("unshare", e))?;
    become_root(uid, gid)?;
    Ok(Entered { is_user: true, is_net: true })
}

fn here() -> Result<Entered, NamespaceError> {
    unshare(CloneFlags::CLONE_NEWNS).map_err(|error| NamespaceError::Forbidden {
        step: "mounts of its own",
        source: error.into(),
        advice: "be root in the namespace, as `unshare --map-root-user --net` makes you".to_owned(),
    })?;
    Ok(Entered { is_user: false, is_net: false })
}

/// Who we were outside is root inside. `user_namespaces(7)`: groups have to be given up for that.
fn become_root(uid: Uid, gid: Gid) -> Result<(), NamespaceError> {
    for (file, text) in [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("0 {uid} 1")),
        ("gid_map", format!("0 {gid} 1")),
    ] {
        fs::write(format!("/proc/self/{file}"), text)
            .map_err(|source| refused("becoming root in it", source))?;
    }
    Ok(())
}

fn forbidden(step: &'static str, error: nix::Error) -> NamespaceError {
    refused(step, error.into())
}

fn refused(step: &'static str, source: io::Error) -> NamespaceError {
    let advice = advice::advice(&source, advice::setting);
    NamespaceError::Forbidden { step, source, advice }
}
