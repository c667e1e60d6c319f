//! From errors of the operating system to the closed classes: by kind and number, never by text.

use std::io;

use kad::failure::{Failure, FailureClass, Phase};
use rustix::io::Errno;

use crate::{tls, ws};

/// What an error of a socket says, in the phase in which it came.
pub(crate) fn from_io(phase: Phase, error: &io::Error) -> Failure {
    match class_of(error) {
        FailureClass::Other => Failure::with_detail(phase, FailureClass::Other, &error.to_string()),
        class => Failure::new(phase, class),
    }
}

fn class_of(error: &io::Error) -> FailureClass {
    match Errno::from_io_error(error) {
        Some(errno) => class_of_errno(errno),
        None => class_within(error).unwrap_or_else(|| class_of_kind(error.kind())),
    }
}

/// What an error means that another library put into one of the system.
fn class_within(error: &io::Error) -> Option<FailureClass> {
    let within = error.get_ref()?;
    match (within.downcast_ref(), within.downcast_ref::<rustls::Error>()) {
        (Some(error), _) => Some(ws::class_of(error)),
        (_, Some(error)) => Some(tls::class_of(&error.clone().into(), true).0),
        (None, None) => None,
    }
}

fn class_of_errno(errno: Errno) -> FailureClass {
    match errno {
        Errno::TIMEDOUT => FailureClass::Timeout,
        Errno::CONNREFUSED => FailureClass::ConnectionRefused,
        Errno::CONNRESET | Errno::CONNABORTED => FailureClass::ConnectionReset,
        Errno::PIPE | Errno::NOTCONN => FailureClass::ConnectionClosed,
        Errno::NETUNREACH | Errno::NETDOWN | Errno::AFNOSUPPORT => FailureClass::NetworkUnreachable,
        Errno::HOSTUNREACH => FailureClass::HostUnreachable,
        Errno::HOSTDOWN => FailureClass::HostDown,
        Errno::ADDRNOTAVAIL => FailureClass::AddressNotAvailable,
        Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM | Errno::ADDRINUSE | Errno::AGAIN => {
            FailureClass::LocalResources
        }
        Errno::ACCESS | Errno::PERM => FailureClass::PermissionDenied,
        _ => FailureClass::Other,
    }
}

fn class_of_kind(kind: io::ErrorKind) -> FailureClass {
    match kind {
        io::ErrorKind::TimedOut => FailureClass::Timeout,
        io::ErrorKind::ConnectionRefused => FailureClass::ConnectionRefused,
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => FailureClass::ConnectionReset,
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::NotConnected => {
            FailureClass::ConnectionClosed
        }
        io::ErrorKind::InvalidData => FailureClass::Malformed,
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => FailureClass::NetworkUnreachable,
        io::ErrorKind::HostUnreachable => FailureClass::HostUnreachable,
        io::ErrorKind::AddrNotAvailable => FailureClass::AddressNotAvailable,
        io::ErrorKind::OutOfMemory | io::ErrorKind::AddrInUse => FailureClass::LocalResources,
        io::ErrorKind::PermissionDenied => FailureClass::PermissionDenied,
        _ => FailureClass::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_the_system_have_their_classes() {
        for (errno, class) in [
            (Errno::CONNREFUSED, FailureClass::ConnectionRefused),
            (Errno::NETUNREACH, FailureClass::NetworkUnreachable),
            (Errno::HOSTUNREACH, FailureClass::HostUnreachable),
            (Errno::HOSTDOWN, FailureClass::HostDown),
            (Errno::TIMEDOUT, FailureClass::Timeout),
            (Errno::MFILE, FailureClass::LocalResources),
            (Errno::ADDRNOTAVAIL, FailureClass::AddressNotAvailable),
            (Errno::PERM, FailureClass::PermissionDenied),
        ] {
            let error = io::Error::from_raw_os_error(errno.raw_os_error());
            assert_eq!(from_io(Phase::Connect, &error), Failure::new(Phase::Connect, class));
        }
    }

    #[test]
    fn what_has_no_class_keeps_its_text() {
        let failure = from_io(Phase::Connect, &io::Error::other("a new thing"));
        assert_eq!(failure.class, FailureClass::Other);
        assert_eq!(failure.detail.as_deref(), Some("a new thing"));
    }
}
