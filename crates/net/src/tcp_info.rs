//! What the system knows of a TCP connection: its shortest round trip. Linux measures it from each segment to its
//! acknowledgement, so that neither our queue nor the peer's program is in it; other systems do not say it.

use std::time::Duration;

use tokio::net::TcpStream;

/// The shortest round trip of a connection, in whole microseconds; `None` if the system does not say it, or has none.
#[cfg(target_os = "linux")]
pub(crate) fn min_rtt(tcp: &TcpStream) -> Option<Duration> {
    linux::min_rtt_us(tcp).map(|micros| Duration::from_micros(micros.into()))
}

/// `None`: the system does not say it.
#[cfg(not(target_os = "linux"))]
pub(crate) const fn min_rtt(_: &TcpStream) -> Option<Duration> {
    None
}

#[cfg(target_os = "linux")]
mod linux {
    //! The one option of a socket, read by the means that `nix` has for options that it does not know itself.

    use std::sync::LazyLock;

    use nix::{getsockopt_impl, libc, sockopt_impl, sys::socket::getsockopt};
    use tokio::net::TcpStream;

    /// The beginning of `struct tcp_info` (`linux/tcp.h`), up to and with `tcpi_min_rtt`, as 32-bit words. It has only
    /// ever grown at its end, and the system fills as much as there is room for.
    type Words = [u32; MIN_RTT + 1];

    /// The place of `tcpi_min_rtt`: behind 8 bytes, 24 words, 4 double words and 3 words.
    const MIN_RTT: usize = 2 + 24 + 8 + 3;

    /// The first version of Linux whose answer is as long as that.
    const SINCE: (u32, u32) = (4, 6);

    sockopt_impl!(
        /// `TCP_INFO`.
        TcpInfo,
        GetOnly,
        libc::IPPROTO_TCP,
        libc::TCP_INFO,
        Words
    );

    /// Whether the answer is long enough: `nix` insists on its length.
    static IS_KNOWN: LazyLock<bool> = LazyLock::new(|| {
        let system = rustix::system::uname();
        system.release().to_str().ok().and_then(version).is_some_and(|version| version >= SINCE)
    });

    /// In microseconds.
    pub(super) fn min_rtt_us(tcp: &TcpStream) -> Option<u32> {
        let words = IS_KNOWN.then(|| getsockopt(tcp, TcpInfo).ok()).flatten()?;
        // All ones stand for none.
        words.last().copied().filter(|&micros| micros != u32::MAX)
    }

    /// Major and minor version of a release such as `6.1.0-17-amd64`.
    fn version(release: &str) -> Option<(u32, u32)> {
        let mut numbers = release.split(|c: char| !c.is_ascii_digit());
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn versions_are_compared_as_numbers() {
            assert_eq!(version("6.1.0-17-amd64"), Some((6, 1)));
            assert!(version("4.10.0") >= Some(SINCE) && version("4.4.0") < Some(SINCE));
            assert!(version("3.10.0-1160.el7") < Some(SINCE) && version("unknown").is_none());
        }

        #[test]
        fn the_place_is_that_of_the_systems_own_structure() {
            assert_eq!(std::mem::offset_of!(libc::tcp_info, tcpi_min_rtt), MIN_RTT * 4);
        }
    }
}
