//! The same functions where there are no network namespaces: each says so.

use std::net::IpAddr;

use super::{Entered, LocalRanges, Namespace, NamespaceError};

/// See Linux's.
pub fn enter(_which: Namespace) -> Result<Entered, NamespaceError> {
    Err(NamespaceError::NotLinux)
}

/// See Linux's.
pub fn only_loopback() -> Result<(), NamespaceError> {
    Err(NamespaceError::NotLinux)
}

/// See Linux's.
pub fn resolve_by_loopback() -> Result<(), NamespaceError> {
    Err(NamespaceError::NotLinux)
}

/// There are none.
#[derive(Debug)]
pub struct Routes(std::convert::Infallible);

impl Routes {
    /// See Linux's.
    pub fn make_local(_ranges: LocalRanges) -> Result<Self, NamespaceError> {
        Err(NamespaceError::NotLinux)
    }

    /// See Linux's.
    pub fn drop_attempts(&self, _ip: IpAddr) -> Result<(), NamespaceError> {
        match self.0 {}
    }

    /// See Linux's.
    pub fn unreachable(&self, _ip: IpAddr) -> Result<(), NamespaceError> {
        match self.0 {}
    }

    /// See Linux's.
    pub fn restore(&self, _ip: IpAddr) -> Result<(), NamespaceError> {
        match self.0 {}
    }
}
