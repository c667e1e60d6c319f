//! A network namespace from which no packet can leave: the ground on which public addresses may be served and dialled.
//!
//! [`enter()`] makes one of its own for this process, without root where the system allows that, and [`only_loopback`]
//! refuses one that has any way out. [`Routes`] makes ranges of public addresses local in it and takes single ones away
//! again. [`resolve_by_loopback`] points programs in it to a name server on loopback ([`crate::names`]). Who lives at
//! the addresses is left to others.
//!
//! All of this is Linux's own; elsewhere every function returns [`NamespaceError::NotLinux`].

#[cfg(target_os = "linux")]
mod advice;
#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod enter;
#[cfg(target_os = "linux")]
mod interfaces;
#[cfg(target_os = "linux")]
mod netlink;
#[cfg(target_os = "linux")]
mod resolving;
#[cfg(target_os = "linux")]
mod routes;

use std::{io, net::IpAddr};

use thiserror::Error;

#[cfg(not(target_os = "linux"))]
pub use self::elsewhere::{Routes, enter, only_loopback, resolve_by_loopback};
#[cfg(target_os = "linux")]
pub use self::{enter::enter, interfaces::only_loopback, resolving::resolve_by_loopback, routes::Routes};

/// The most prefixes and sources of [`LocalRanges`]; the kernel looks through those of one length at once.
pub const MAX_RANGES: usize = 1024;

/// Which namespace to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Namespace {
    /// A new one, for this process and those that it starts.
    Own,
    /// The network namespace that this process is in. Mounts are its own nevertheless.
    Here,
}

/// What [`enter()`] has made, as far as others need to know it to get in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entered {
    /// There is a user namespace as well, in which this process is root.
    pub is_user: bool,
    /// There is a network namespace of its own.
    pub is_net: bool,
}

/// The addresses that are to be local, at most [`MAX_RANGES`] of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocalRanges {
    /// Networks and the length of their prefixes. Every address in them can be dialled, and bound to.
    pub prefixes: Vec<(IpAddr, u8)>,
    /// Addresses for who dials and has bound to none: the first one of a family is the one that is used. Without any,
    /// who dials an address appears to come from that same address.
    pub sources: Vec<IpAddr>,
}

/// Why there is no closed ground.
#[derive(Debug, Error)]
pub enum NamespaceError {
    /// This system has none.
    #[error("network namespaces are Linux's own: a world needs Linux, in a virtual machine for instance")]
    NotLinux,
    /// The system does not let this process make a namespace, or set one up.
    #[error("cannot make a namespace ({step}: {source}): {advice}")]
    Forbidden {
        /// What was refused.
        step: &'static str,
        /// What the system says.
        source: io::Error,
        /// What to do about it.
        advice: String,
    },
    /// There is another interface than loopback.
    #[error("the network namespace has the interface {name}: packets could leave by it. {advice}")]
    Interface {
        /// Its name.
        name: String,
        /// What to do about it.
        advice: &'static str,
    },
    /// A setting could not be made.
    #[error("cannot set up the namespace: {what}: {source}")]
    Setup {
        /// What was to be done.
        what: String,
        /// What the system says.
        source: io::Error,
    },
    /// An address is not one that can be taken away: it is outside the ranges, or one of the sources.
    #[error("{ip} is none of the addresses that can be taken away")]
    NotInRange {
        /// The address.
        ip: IpAddr,
    },
    /// There are more than [`MAX_RANGES`] of them, or a prefix is longer than an address.
    #[error("the ranges of local addresses are wrong: {0}")]
    Ranges(&'static str),
}

impl NamespaceError {
    /// For `map_err`: what was to be done when the system refused.
    #[cfg(target_os = "linux")]
    fn setup(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Setup { what, source }
    }
}

impl LocalRanges {
    /// Whether an address can be taken away and given back.
    pub fn holds(&self, ip: IpAddr) -> bool {
        !self.sources.contains(&ip) && self.prefixes.iter().any(|&(net, bits)| is_within(ip, net, bits))
    }
}

/// Whether an address is in a network.
fn is_within(ip: IpAddr, net: IpAddr, bits: u8) -> bool {
    match (ip, net) {
        (IpAddr::V4(ip), IpAddr::V4(net)) => {
            let differ = ip.to_bits() ^ net.to_bits();
            differ.leading_zeros() >= bits.into()
        }
        (IpAddr::V6(ip), IpAddr::V6(net)) => {
            let differ = ip.to_bits() ^ net.to_bits();
            differ.leading_zeros() >= bits.into()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_ranges_can_be_taken_away() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let ranges = LocalRanges {
            prefixes: vec![(ip("5.0.0.0"), 8), (ip("2a05::"), 16)],
            sources: vec![ip("5.255.255.1"), ip("2a00::1")],
        };
        for (text, is_held) in [
            ("5.0.0.0", true),
            ("5.255.255.254", true),
            ("5.255.255.1", false),
            ("6.0.0.0", false),
            ("2a05:ffff::1", true),
            ("2a06::1", false),
            ("2a00::1", false),
            ("127.0.0.1", false),
        ] {
            assert_eq!(ranges.holds(ip(text)), is_held, "{text}");
        }
        let all = LocalRanges { prefixes: vec![(ip("0.0.0.0"), 0)], sources: Vec::new() };
        assert!(all.holds(ip("255.255.255.255")) && !all.holds(ip("::")));
    }
}
