//! Public addresses that are local (the kernel calls it `AnyIP`), and single ones that are taken away and given back.
//!
//! Taking an address away is a route for it alone, which goes before the one for its range:
//!
//! * *dropping*: out by one end of a virtual cable whose other end is switched off. Attempts to connect time out,
//!   datagrams are lost, open connections stall. A route that leads into loopback instead does not do: over IPv4 the
//!   packets arrive nevertheless (only what is answered is lost), over IPv6 an attempt fails after a second.
//! * *unreachable*: whoever connects is told at once that there is no route to the host; open connections stall.
//!
//! The cable is an interface, and it is made when the first address is to drop: until then there is nothing but
//! loopback. Both of its ends are in the namespace, so that nothing can leave by it either.

use std::{
    fs, io,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{
    LocalRanges, MAX_RANGES, NamespaceError,
    netlink::{Kind, LOOPBACK, Netlink},
};

/// The two ends of the cable: with loopback alone in the namespace these numbers are free.
const GONE: (u32, &str) = (2, "gone");
const NOWHERE: (u32, &str) = (3, "nowhere");

/// Settings of the namespace. That addresses can be sent from that no interface has, IPv4 allows for local ranges by
/// itself; IPv6 does not, and a listening UDP socket answers from the address that was asked.
const SETTINGS_OF_IPV6: &[(&str, &str)] = &[
    ("net/ipv6/conf/all/disable_ipv6", "0"),
    ("net/ipv6/conf/lo/disable_ipv6", "0"),
    ("net/ipv6/ip_nonlocal_bind", "1"),
];

/// The local ranges of the network namespace in which they were made, from any thread.
///
/// Each call asks the kernel and has its answer within microseconds; what it says holds for the next packet. When this is
/// dropped, what dropped packets is local again; all else stays until the namespace ends.
#[derive(Debug)]
pub struct Routes {
    ranges: LocalRanges,
    kernel: Mutex<Kernel>,
}

#[derive(Debug)]
struct Kernel {
    netlink: Netlink,
    cable: Cable,
}

/// Whether packets can be led into nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cable {
    /// Not yet.
    Missing,
    /// By a cable that somebody else made, for the same purpose.
    Found,
    /// By ours.
    Made,
}

impl Routes {
    /// Switches loopback on, gives it the sources, and makes the prefixes local. May be repeated.
    ///
    /// Does not look whether there are other interfaces: that is [`super::only_loopback`]'s.
    pub fn make_local(ranges: LocalRanges) -> Result<Self, NamespaceError> {
        check(&ranges)?;
        if ranges.prefixes.iter().any(|(net, _)| net.is_ipv6()) {
            SETTINGS_OF_IPV6.iter().try_for_each(|&(name, value)| set(name, value))?;
        }
        let mut netlink = Netlink::open().map_err(NamespaceError::setup("opening a netlink socket"))?;
        netlink.switch_on(LOOPBACK).map_err(NamespaceError::setup("switching on lo"))?;
        for &ip in &ranges.sources {
            netlink.add_address(ip).map_err(NamespaceError::setup(format!("giving {ip} to lo")))?;
        }
        for &(net, bits) in &ranges.prefixes {
            let source = ranges.sources.iter().copied().find(|ip| ip.is_ipv4() == net.is_ipv4());
            netlink
                .set_route(net, bits, Kind::Local(source))
                .map_err(NamespaceError::setup(format!("making {net}/{bits} local")))?;
        }
        Ok(Self { ranges, kernel: Mutex::new(Kernel { netlink, cable: Cable::Missing }) })
    }

    /// What was made local.
    pub const fn ranges(&self) -> &LocalRanges {
        &self.ranges
    }

    /// From now on packets to this address are lost without a word.
    pub fn drop_attempts(&self, ip: IpAddr) -> Result<(), NamespaceError> {
        let mut kernel = self.kernel_for(ip)?;
        kernel.ensure_cable()?;
        kernel.say(ip, Kind::Through(GONE.0))
    }

    /// From now on there is no route to this address.
    pub fn unreachable(&self, ip: IpAddr) -> Result<(), NamespaceError> {
        self.kernel_for(ip)?.say(ip, Kind::Unreachable)
    }

    /// From now on the address is as local as its range. Nothing happens to one that was not taken away.
    pub fn restore(&self, ip: IpAddr) -> Result<(), NamespaceError> {
        let mut kernel = self.kernel_for(ip)?;
        kernel.netlink.delete_route(ip, bits(ip)).map_err(NamespaceError::setup(format!("giving {ip} back")))
    }

    fn kernel_for(&self, ip: IpAddr) -> Result<MutexGuard<'_, Kernel>, NamespaceError> {
        if !self.ranges.holds(ip) {
            return Err(NamespaceError::NotInRange { ip });
        }
        Ok(self.kernel.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Kernel {
    fn ensure_cable(&mut self) -> Result<(), NamespaceError> {
        if self.cable == Cable::Missing {
            self.cable = match self.netlink.make_cable(GONE, NOWHERE) {
                Ok(()) => Cable::Made,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Cable::Found,
                Err(error) => {
                    let what =
                        "making a pair of interfaces for lost packets (it needs the kernel's module veth)";
                    return Err(NamespaceError::setup(what)(error));
                }
            };
        }
        Ok(())
    }

    fn say(&mut self, ip: IpAddr, kind: Kind) -> Result<(), NamespaceError> {
        self.netlink.set_route(ip, bits(ip), kind).map_err(NamespaceError::setup(format!("taking {ip} away")))
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        if self.cable == Cable::Made
            && let Err(error) = self.netlink.delete_interface(GONE.0)
        {
            tracing::warn!(%error, "the interface {} stays in the namespace", GONE.1);
        }
    }
}

const fn bits(ip: IpAddr) -> u8 {
    match ip {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn check(ranges: &LocalRanges) -> Result<(), NamespaceError> {
    if ranges.prefixes.len() > MAX_RANGES || ranges.sources.len() > MAX_RANGES {
        return Err(NamespaceError::Ranges("there are too many"));
    }
    // A route for one address would be taken for one that takes it away.
    if ranges.prefixes.iter().any(|&(net, length)| length >= bits(net)) {
        return Err(NamespaceError::Ranges("a prefix is as long as an address, or longer"));
    }
    Ok(())
}

/// Changes a setting, unless it is so already: in some containers they can only be read.
fn set(name: &str, value: &str) -> Result<(), NamespaceError> {
    let path = format!("/proc/sys/{name}");
    if fs::read_to_string(&path).is_ok_and(|text| text.trim() == value) {
        return Ok(());
    }
    fs::write(&path, value).map_err(NamespaceError::setup(format!(
        "setting {}={value} (has this system IPv6?)",
        name.replace('/', ".")
    )))
}
