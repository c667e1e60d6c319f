//! Pointing programs in the namespace to the name server on loopback, whatever the system's own configuration is.
//!
//! Files of `/etc` are covered by others, in mounts that this process and its children alone see. Doors to resolvers
//! outside that a network namespace does not shut (they are sockets in the file system) are covered too.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use nix::mount::{MntFlags, MsFlags, mount, umount2};

use super::NamespaceError;

/// Where programs read who resolves names.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// What they read: answers may be longer than 512 bytes.
const BY_LOOPBACK: &str = "nameserver 127.0.0.1\noptions edns0 timeout:2 attempts:2\n";

/// Where glibc reads in which order it asks whom.
const NSSWITCH: &str = "/etc/nsswitch.conf";

/// Where a daemon outside answers glibc's questions from its memory.
const DAEMONS: &[&str] = &["/run/nscd", "/var/run/nscd"];

/// Where files are made that cover others: a place that is always there and that nobody needs at this moment.
const SCRATCH: &str = "/proc";

/// The most symbolic links that are followed to a file that is not there. Linux follows 40.
const MAX_LINKS: usize = 40;

/// From now on programs that this process starts ask 127.0.0.1, port 53, for names.
///
/// Needs mounts of its own ([`super::enter()`]), and must be called before the process has a second thread.
pub fn resolve_by_loopback() -> Result<(), NamespaceError> {
    let nothing = None::<&str>;
    mount(nothing, SCRATCH, Some("tmpfs"), MsFlags::empty(), nothing)
        .map_err(|error| NamespaceError::setup("mounting a tmpfs")(error.into()))?;
    let covered = cover_all(Path::new(SCRATCH));
    // What covers other files lives on without it.
    umount2(SCRATCH, MntFlags::MNT_DETACH)
        .map_err(|error| NamespaceError::setup("unmounting a tmpfs")(error.into()))?;
    covered
}

fn cover_all(scratch: &Path) -> Result<(), NamespaceError> {
    let resolv_conf = Path::new(RESOLV_CONF);
    match fs::canonicalize(resolv_conf) {
        Ok(path) => cover(&path, &scratch.join("resolv.conf"), BY_LOOPBACK),
        Err(error) if error.kind() == io::ErrorKind::NotFound => add(resolv_conf, scratch),
        Err(error) => Err(error),
    }
    .map_err(NamespaceError::setup(format!(
        "putting another file in the place of {RESOLV_CONF} (if it is missing, or a link to a missing file, make it)"
    )))?;
    if let Ok(text) = fs::read_to_string(NSSWITCH)
        && let Some(changed) = asking_dns(&text)
    {
        fs::canonicalize(NSSWITCH)
            .and_then(|path| cover(&path, &scratch.join("nsswitch.conf"), &changed))
            .map_err(NamespaceError::setup(format!("putting another file in the place of {NSSWITCH}")))?;
    }
    let empty = scratch.join("empty");
    fs::create_dir(&empty).map_err(NamespaceError::setup("making a directory"))?;
    for daemon in DAEMONS.iter().filter_map(|path| fs::canonicalize(path).ok()) {
        bind(&empty, &daemon).map_err(NamespaceError::setup(format!("covering {}", daemon.display())))?;
    }
    Ok(())
}

/// Puts a file with this text in the place of another one.
fn cover(path: &Path, with: &Path, text: &str) -> io::Result<()> {
    fs::write(with, text)?;
    bind(with, path)
}

fn bind(source: &Path, target: &Path) -> io::Result<()> {
    let nothing = None::<&str>;
    Ok(mount(Some(source), target, nothing, MsFlags::MS_BIND, nothing)?)
}

/// Adds the file where there is none: lays it over the deepest directory of its path that exists.
fn add(path: &Path, scratch: &Path) -> io::Result<()> {
    let missing = end_of_links(path)?;
    let (dir, rest) = deepest(&missing)?;
    let (upper, work) = (scratch.join("upper"), scratch.join("work"));
    let file = upper.join(rest);
    fs::create_dir(&work)?;
    fs::create_dir_all(file.parent().unwrap_or(&upper))?;
    fs::write(file, BY_LOOPBACK)?;
    let (lower, upper, work) = (dir.display(), upper.display(), work.display());
    let options = format!("lowerdir={lower},upperdir={upper},workdir={work}");
    Ok(mount(Some("overlay"), &dir, Some("overlay"), MsFlags::empty(), Some(options.as_str()))?)
}

/// Where a path leads to by its symbolic links, though nothing be there.
fn end_of_links(path: &Path) -> io::Result<PathBuf> {
    let mut end = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&end) {
            Ok(target) => end = end.parent().unwrap_or(Path::new("/")).join(target),
            Err(_) => return Ok(end),
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "its symbolic links have no end"))
}

/// The deepest directory of a path that exists, and the rest of the path.
fn deepest(path: &Path) -> io::Result<(PathBuf, PathBuf)> {
    for dir in path.ancestors().skip(1) {
        if let Ok(real) = fs::canonicalize(dir) {
            let rest = path.strip_prefix(dir).map_err(io::Error::other)?;
            return Ok((real, rest.to_owned()));
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

/// The same configuration, but that hosts are looked up by DNS from within the process; `None` if they are already.
/// systemd's `resolve` asks a daemon, which lives outside.
fn asking_dns(nsswitch: &str) -> Option<String> {
    let is_hosts = |line: &str| line.trim_start().starts_with("hosts:");
    let hosts = nsswitch.lines().find(|line| is_hosts(line))?;
    let mut services = hosts.split('#').next()?.split_whitespace().skip(1);
    let asks = |name| move |service: &str| service == name;
    if services.clone().any(asks("dns")) && !services.any(asks("resolve")) {
        return None;
    }
    let lines = nsswitch.lines().map(|line| if is_hosts(line) { "hosts: files dns" } else { line });
    Some(lines.flat_map(|line| [line, "\n"]).collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn hosts_are_asked_of_dns() {
        assert_eq!(asking_dns("passwd: files\nhosts: files dns\n"), None);
        assert_eq!(asking_dns("passwd: files\n"), None);
        let systemd =
            "passwd: files\nhosts: mymachines resolve [!UNAVAIL=return] files dns # all\nnetworks: files\n";
        assert_eq!(
            asking_dns(systemd).as_deref(),
            Some("passwd: files\nhosts: files dns\nnetworks: files\n")
        );
        assert_eq!(asking_dns("hosts:\tfiles # dns").as_deref(), Some("hosts: files dns\n"));
    }

    #[test]
    fn a_dangling_link_leads_to_where_a_file_is_missing() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().canonicalize().unwrap();
        fs::create_dir(real.join("run")).unwrap();
        symlink("../run/resolved/stub.conf", real.join("run/link")).unwrap();
        symlink("run/link", real.join("resolv.conf")).unwrap();
        let missing = end_of_links(&real.join("resolv.conf")).unwrap();
        let (deepest, rest) = deepest(&missing).unwrap();
        assert_eq!((deepest, rest), (real.join("run"), PathBuf::from("resolved/stub.conf")));
        symlink("round", real.join("round")).unwrap();
        assert!(end_of_links(&real.join("round")).is_err());
    }
}
