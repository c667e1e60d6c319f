//! What systemd is told of a service that it has started: that it is ready, that it lives, that it ends.
//!
//! Source: `sd_notify(3)`, `systemd.service(5)` on `Type=notify` and `WatchdogSec=`.

use std::{
    env,
    ffi::OsStr,
    io,
    os::unix::net::{SocketAddr, UnixDatagram},
    path::Path,
    time::Duration,
};

/// Where systemd listens.
const SOCKET: &str = "NOTIFY_SOCKET";

/// Who tells systemd. Without systemd nobody is told anything.
#[derive(Debug, Default)]
pub(crate) struct Notifier {
    to: Option<(UnixDatagram, SocketAddr)>,
    /// How often it wants to hear that the program lives; `None` if it does not.
    alive_every: Option<Duration>,
}

impl Notifier {
    /// What the environment says. A socket that cannot be made is logged: the program is as good without.
    pub(crate) fn of_environment() -> Self {
        let Some(address) = env::var_os(SOCKET).filter(|address| !address.is_empty()) else {
            return Self::default();
        };
        let variable = |name| env::var(name).ok();
        let alive_every =
            alive_every((variable("WATCHDOG_USEC"), variable("WATCHDOG_PID")), std::process::id());
        match Self::to(&address) {
            Ok(to) => Self { to: Some(to), alive_every },
            Err(error) => {
                tracing::warn!(%error, "systemd cannot be told anything");
                Self::default()
            }
        }
    }

    fn to(address: &OsStr) -> io::Result<(UnixDatagram, SocketAddr)> {
        Ok((UnixDatagram::unbound()?, socket_address(address)?))
    }

    /// It does now what it is there for.
    pub(crate) fn ready(&self) {
        self.say("READY=1");
    }

    /// It is about to end.
    pub(crate) fn stopping(&self) {
        self.say("STOPPING=1");
    }

    /// Says again and again that it lives, if systemd wants to hear that. It is to be run where the program's own work is, so
    /// that nothing is said where that no longer goes on.
    pub(crate) async fn keep_alive(&self) {
        let Some(every) = self.alive_every else { return };
        let mut ticks = tokio::time::interval(every);
        loop {
            ticks.tick().await;
            self.say("WATCHDOG=1");
        }
    }

    fn say(&self, what: &str) {
        let Some((socket, address)) = &self.to else { return };
        if let Err(error) = socket.send_to_addr(what.as_bytes(), address) {
            tracing::warn!(%error, what, "systemd could not be told");
        }
    }
}

/// A path, or behind an `@` a name that is in no filesystem.
#[cfg(target_os = "linux")]
fn socket_address(address: &OsStr) -> io::Result<SocketAddr> {
    use std::os::{linux::net::SocketAddrExt as _, unix::ffi::OsStrExt as _};
    match address.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(Path::new(address)),
    }
}

#[cfg(not(target_os = "linux"))]
fn socket_address(address: &OsStr) -> io::Result<SocketAddr> {
    SocketAddr::from_pathname(Path::new(address))
}

/// Half of what systemd waits for, as its manual says; `None` where it waits for nothing of this process.
fn alive_every((waits_us, pid): (Option<String>, Option<String>), own: u32) -> Option<Duration> {
    let is_meant = pid.is_none_or(|pid| pid.parse() == Ok(own));
    let waits_us: u64 = waits_us?.parse().ok()?;
    (is_meant && waits_us > 0).then(|| Duration::from_micros(waits_us) / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_twice_as_often_as_it_waits() {
        let every = |waits_us: &str, pid: Option<&str>| {
            alive_every((Some(waits_us.to_owned()), pid.map(str::to_owned)), 7)
        };
        assert_eq!(every("30000000", None), Some(Duration::from_secs(15)));
        assert_eq!(every("30000000", Some("7")), Some(Duration::from_secs(15)));
        for (waits_us, pid) in [("30000000", Some("8")), ("0", None), ("soon", None)] {
            assert_eq!(every(waits_us, pid), None, "{waits_us}");
        }
        assert_eq!(alive_every((None, None), 7), None);
    }

    /// What a program says to a socket of that name.
    fn heard(listener: &UnixDatagram, address: &OsStr) -> String {
        let notifier = Notifier { to: Some(Notifier::to(address).unwrap()), alive_every: None };
        notifier.ready();
        let mut said = [0; 64];
        let length = listener.recv(&mut said).unwrap();
        String::from_utf8_lossy(&said[..length]).into_owned()
    }

    #[test]
    fn paths_and_names_without_a_file_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        assert_eq!(heard(&UnixDatagram::bind(&path).unwrap(), path.as_os_str()), "READY=1");
        #[cfg(target_os = "linux")]
        {
            let name = format!("@kadscope-test-{}", std::process::id());
            let address = socket_address(OsStr::new(&name)).unwrap();
            assert_eq!(heard(&UnixDatagram::bind_addr(&address).unwrap(), OsStr::new(&name)), "READY=1");
        }
    }
}
