//! What systemd is told of a service that it has started: that it is ready, that it lives, that it ends.
//!
//! Source: `sd_notify(3)`, `systemd.service(5)` on `Type=notify` and `WatchdogSec=`.

use std::{
    env,
    ffi::OsStr,
    io,
    os::unix::net::{SocketAddr, UnixDatagram},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Where systemd listens.
const SOCKET: &str = "NOTIFY_SOCKET";

/// What says that the program lives.
const ALIVE: &str = "WATCHDOG=1";

/// After how long what could not be taken is said again to who does not want to hear that the program lives.
const AGAIN: Duration = Duration::from_secs(1);

/// Who tells systemd. Without systemd nobody is told anything.
#[derive(Debug, Default)]
pub(crate) struct Notifier {
    to: Option<(UnixDatagram, SocketAddr)>,
    /// How often it wants to hear that the program lives; `None` if it does not.
    alive_every: Option<Duration>,
    /// What it could not take, since it was behind with what others told it.
    unsaid: Mutex<Option<&'static str>>,
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
            Ok(to) => Self { to: Some(to), alive_every, unsaid: Mutex::default() },
            Err(error) => {
                tracing::warn!(%error, "systemd cannot be told anything");
                Self::default()
            }
        }
    }

    fn to(address: &OsStr) -> io::Result<(UnixDatagram, SocketAddr)> {
        let socket = UnixDatagram::unbound()?;
        // Nobody here waits for who does not listen.
        socket.set_nonblocking(true)?;
        Ok((socket, socket_address(address)?))
    }

    /// It does now what it is there for.
    pub(crate) fn ready(&self) {
        self.say("READY=1");
    }

    /// It is about to end.
    pub(crate) fn stopping(&self) {
        self.say("STOPPING=1");
    }

    /// Says again and again that it lives, if systemd wants to hear that, and what it could not take before. It is to be run where
    /// the program's own work is, so that nothing is said where that no longer goes on.
    pub(crate) async fn keep_alive(&self) {
        if self.to.is_none() {
            return;
        }
        let mut ticks = tokio::time::interval(self.alive_every.unwrap_or(AGAIN));
        loop {
            ticks.tick().await;
            let unsaid = self.unsaid().take();
            if let Some(what) = unsaid.or(self.alive_every.map(|_| ALIVE)) {
                self.say(what);
            }
        }
    }

    fn say(&self, what: &'static str) {
        let Some((socket, address)) = &self.to else { return };
        match socket.send_to_addr(what.as_bytes(), address) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                // That it lives is said again anyway.
                if what != ALIVE {
                    *self.unsaid() = Some(what);
                }
            }
            Err(error) => tracing::warn!(%error, what, "systemd could not be told"),
        }
    }

    fn unsaid(&self) -> MutexGuard<'_, Option<&'static str>> {
        self.unsaid.lock().unwrap_or_else(PoisonError::into_inner)
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
        let notifier = Notifier { to: Some(Notifier::to(address).unwrap()), ..Notifier::default() };
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

    #[tokio::test(start_paused = true)]
    async fn who_is_behind_is_not_waited_for_and_told_later() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let listener = UnixDatagram::bind(&path).unwrap();
        listener.set_nonblocking(true).unwrap();
        let to = Some(Notifier::to(path.as_os_str()).unwrap());
        let notifier = Notifier { to, alive_every: Some(Duration::from_secs(1)), ..Notifier::default() };
        // More than any system lets wait.
        for _ in 0..5000 {
            notifier.say(ALIVE);
        }
        notifier.ready();
        let mut said = [0; 64];
        while listener.recv(&mut said).is_ok() {}
        // Seconds of a paused clock pass at once.
        drop(tokio::time::timeout(Duration::from_secs(2), notifier.keep_alive()).await);
        let length = listener.recv(&mut said).unwrap();
        assert_eq!(&said[..length], b"READY=1");
    }
}
