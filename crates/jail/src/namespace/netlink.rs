//! The few requests of rtnetlink(7) that a world makes, as bytes, and the kernel's answer to each: done, or an error.
//!
//! Seven fixed messages do not make up for a crate of all of them. Numbers are those of `linux/netlink.h`,
//! `linux/rtnetlink.h`, `linux/if_link.h`, `linux/if_addr.h` and `linux/veth.h`; all fields are in the machine's order.

use std::{
    io::{self, Read as _, Write as _},
    net::IpAddr,
};

use socket2::{Domain, Protocol, Socket, Type};

/// The index of the loopback interface in every namespace.
pub(super) const LOOPBACK: u32 = 1;

/// The table of local addresses, which is looked through before all others.
const TABLE_LOCAL: u8 = 255;

/// `RTPROT_STATIC`: a route that an administrator made.
const BY_HAND: u8 = 4;

const NEWLINK: u16 = 16;
const DELLINK: u16 = 17;
const NEWADDR: u16 = 20;
const NEWROUTE: u16 = 24;
const DELROUTE: u16 = 25;

const REQUEST_WITH_ANSWER: u16 = 0x1 | 0x4;
const CREATE: u16 = 0x400;
const CREATE_OR_REPLACE: u16 = 0x100 | CREATE;
const CREATE_NEW: u16 = 0x200 | CREATE;

/// `NLMSG_ERROR`, which is also how success is told: by error 0.
const ERROR: u16 = 2;

const IFF_UP: u32 = 1;
const IFF_NOARP: u32 = 0x80;

/// What becomes of packets to the addresses of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// They are delivered here. Who has bound to no address sends from this one.
    Local(Option<IpAddr>),
    /// They go out by the interface with this index.
    Through(u32),
    /// Whoever sends them is told that there is no route to the host.
    Unreachable,
}

/// An open question to the kernel about the network namespace in which it was opened.
#[derive(Debug)]
pub(super) struct Netlink {
    socket: Socket,
}

impl Netlink {
    pub(super) fn open() -> io::Result<Self> {
        let (netlink, route) =
            (Domain::from(nix::libc::AF_NETLINK), Protocol::from(nix::libc::NETLINK_ROUTE));
        Ok(Self { socket: Socket::new(netlink, Type::RAW, Some(route))? })
    }

    /// Switches an interface on.
    pub(super) fn switch_on(&mut self, interface: u32) -> io::Result<()> {
        self.ask(NEWLINK, 0, link(interface, IFF_UP))
    }

    /// Makes the two ends of a virtual cable, and switches the first one on, which does not ask for neighbours. An error
    /// of kind `AlreadyExists` if there is such an interface.
    pub(super) fn make_cable(&mut self, near: (u32, &str), far: (u32, &str)) -> io::Result<()> {
        let name = |text: &str| attribute(3, format!("{text}\0").as_bytes());
        let peer = [link(far.0, 0), name(far.1)].concat();
        let kind = [attribute(1, b"veth"), attribute(2, &attribute(1, &peer))].concat();
        self.ask(
            NEWLINK,
            CREATE_NEW,
            [link(near.0, IFF_UP | IFF_NOARP), name(near.1), attribute(18, &kind)].concat(),
        )
    }

    /// Takes away an interface, and with it the other end of its cable and the routes through it.
    pub(super) fn delete_interface(&mut self, interface: u32) -> io::Result<()> {
        self.ask(DELLINK, 0, link(interface, 0))
    }

    /// Gives loopback an address.
    pub(super) fn add_address(&mut self, ip: IpAddr) -> io::Result<()> {
        /// `IFA_F_NODAD`: usable at once, without asking who else has it.
        const AT_ONCE: u8 = 2;
        let (ip, family, bits) = parts(ip);
        let header = [&[family, bits, AT_ONCE, 0][..], &LOOPBACK.to_ne_bytes()].concat();
        // The address of the interface and, where the link has two ends, that of the other end.
        self.ask(NEWADDR, CREATE_OR_REPLACE, [header, attribute(2, &ip), attribute(1, &ip)].concat())
    }

    /// Says what becomes of packets to a network, instead of what was said of the same network before.
    pub(super) fn set_route(&mut self, net: IpAddr, bits: u8, kind: Kind) -> io::Result<()> {
        self.ask(NEWROUTE, CREATE_OR_REPLACE, route(net, bits, Some(kind)))
    }

    /// Takes back what was said; nothing happens if nothing was.
    pub(super) fn delete_route(&mut self, net: IpAddr, bits: u8) -> io::Result<()> {
        match self.ask(DELROUTE, 0, route(net, bits, None)) {
            Err(error) if error.raw_os_error() == Some(nix::libc::ESRCH) => Ok(()),
            done => done,
        }
    }

    /// Sends a request and reads its answer. The kernel has done it before it lets us go on.
    fn ask(&mut self, kind: u16, flags: u16, body: Vec<u8>) -> io::Result<()> {
        const HEADER: usize = 16;
        let too_long = |_| io::Error::from(io::ErrorKind::InvalidInput);
        let mut message = Vec::with_capacity(HEADER + body.len());
        message.extend(u32::try_from(HEADER + body.len()).map_err(too_long)?.to_ne_bytes());
        message.extend(kind.to_ne_bytes());
        message.extend((REQUEST_WITH_ANSWER | flags).to_ne_bytes());
        // The number of the request and the sender's port: with one request at a time neither is needed.
        message.extend([0; 8]);
        message.extend(body);
        (&self.socket).write_all(&message)?;
        let mut answer = [0; 4096];
        let len = (&self.socket).read(&mut answer)?;
        outcome(&answer[..len])
    }
}

/// Reads the answer to a request.
fn outcome(answer: &[u8]) -> io::Result<()> {
    let strange = || io::Error::new(io::ErrorKind::InvalidData, "the kernel answers in an unknown way");
    let kind = answer.get(4..6).and_then(|bytes| bytes.try_into().ok()).map(u16::from_ne_bytes);
    let error = answer.get(16..20).and_then(|bytes| bytes.try_into().ok()).map(i32::from_ne_bytes);
    match (kind, error) {
        (Some(ERROR), Some(0)) => Ok(()),
        (Some(ERROR), Some(error)) => Err(io::Error::from_raw_os_error(error.saturating_neg())),
        _ => Err(strange()),
    }
}

/// `struct ifinfomsg`: an interface, and flags to set.
fn link(interface: u32, flags: u32) -> Vec<u8> {
    let [index, flags] = [interface.to_ne_bytes(), flags.to_ne_bytes()];
    // Which flags are meant: the same.
    [[0; 4], index, flags, flags].concat()
}

/// `struct rtmsg` and its attributes. Without a kind it stands for a route of any kind.
fn route(net: IpAddr, bits: u8, kind: Option<Kind>) -> Vec<u8> {
    /// `RT_SCOPE_...`: how far away the destination is.
    const HOST: u8 = 254;
    const LINK: u8 = 253;
    const ANY: u8 = 255;
    let (scope, number) = match kind {
        None => (ANY, 0),
        Some(Kind::Local(_)) => (HOST, 2),
        Some(Kind::Through(_)) => (LINK, 1),
        Some(Kind::Unreachable) => (0, 7),
    };
    let (ip, family, _) = parts(net);
    let mut message = vec![family, bits, 0, 0, TABLE_LOCAL, BY_HAND, scope, number, 0, 0, 0, 0];
    message.extend(attribute(1, &ip));
    let interface = match kind {
        Some(Kind::Local(_)) => Some(LOOPBACK),
        Some(Kind::Through(interface)) => Some(interface),
        Some(Kind::Unreachable) | None => None,
    };
    message.extend(interface.into_iter().flat_map(|index| attribute(4, &index.to_ne_bytes())));
    if let Some(Kind::Local(Some(source))) = kind {
        message.extend(attribute(7, &parts(source).0));
    }
    message
}

/// An address as bytes, its family, and its length in bits.
fn parts(ip: IpAddr) -> (Vec<u8>, u8, u8) {
    /// `AF_INET` and `AF_INET6` as they stand in one byte.
    const INET: u8 = 2;
    const INET6: u8 = 10;
    match ip {
        IpAddr::V4(ip) => (ip.octets().to_vec(), INET, 32),
        IpAddr::V6(ip) => (ip.octets().to_vec(), INET6, 128),
    }
}

/// `struct rtattr`: length, kind and value, filled up to a multiple of four bytes. Ours are below 64 KiB by far.
fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let len = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
    let mut bytes = [&len.to_ne_bytes()[..], &kind.to_ne_bytes(), value].concat();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_aligned_and_say_their_length_without_the_filling() {
        let bytes = attribute(3, b"lo\0");
        assert_eq!(bytes, [&7_u16.to_ne_bytes()[..], &3_u16.to_ne_bytes(), b"lo\0\0"].concat());
    }

    #[test]
    fn answers_are_errors_or_none() {
        let answer = |kind: u16, error: i32| {
            [&36_u32.to_ne_bytes()[..], &kind.to_ne_bytes(), &[0; 10], &error.to_ne_bytes()].concat()
        };
        assert!(outcome(&answer(ERROR, 0)).is_ok());
        let refused = outcome(&answer(ERROR, -nix::libc::EPERM)).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
        for strange in [answer(3, 0), answer(ERROR, 0)[..18].to_vec(), Vec::new()] {
            assert_eq!(outcome(&strange).unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }
}
