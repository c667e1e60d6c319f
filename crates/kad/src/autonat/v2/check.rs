//! One request: which address is dialled for it, what is demanded for that, and what its reply says.

use multiaddr::{Multiaddr, Protocol};
use thiserror::Error;

use super::{
    CheckReply, CheckRequest, CheckStatus, DATA_CHUNK_BYTES, DataDemand, DialStatus, MAX_ADDRESSES,
    MAX_DATA_BYTES, MIN_DATA_BYTES,
};
use crate::autonat::{Reachability, direct_ip};

/// What is dialled for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckPlan {
    /// Which of the request's addresses, from 0.
    pub index: u32,
    /// The address.
    pub address: Multiaddr,
    /// What the asker has to send first; `None` if it comes from the same IP address.
    pub demand: Option<DataDemand>,
}

/// Chooses the address to dial for a peer that was seen at `observed`: the first that may be dialled at all, as `admits`
/// says. `random` is any random number: how much is demanded hangs on it. `None` if none may be dialled, for which the
/// reply is [`CheckStatus::Refused`].
///
/// Whoever dials after a demand does so only after a random pause of up to 3 s, so that many who ask at once do not make
/// it dial one victim at once (go-libp2p, `amplificatonAttackPreventionDialWait`).
pub fn plan_check(
    request: &CheckRequest,
    observed: &Multiaddr,
    random: u64,
    admits: impl Fn(&Multiaddr) -> bool,
) -> Option<CheckPlan> {
    let parsed = |(index, addr): (u32, &Vec<u8>)| Some((index, Multiaddr::try_from(addr.clone()).ok()?));
    let (index, address) = (0..)
        .zip(request.addrs.iter().take(MAX_ADDRESSES))
        .filter_map(parsed)
        .find(|(_, addr)| admits(addr))?;
    let is_own = direct_ip(observed).is_some_and(|seen| Some(seen) == direct_ip(&address));
    let bytes = MIN_DATA_BYTES + random % (MAX_DATA_BYTES - MIN_DATA_BYTES);
    let demand = (!is_own).then_some(DataDemand { address: index, bytes });
    Some(CheckPlan { index, address, demand })
}

/// What a request has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// Whether this one of the request's addresses, counted from 0, can be reached.
    Address(usize, Reachability),
    /// The server dials none of these addresses.
    Refused,
    /// The server has no time now, or failed: nothing is known.
    Nothing,
}

/// Why a server's message is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadCheck {
    /// It speaks of an address that was not in the request.
    #[error("it speaks of an address that was not in the request")]
    Address,
    /// It demands more than [`MAX_DATA_BYTES`].
    #[error("it demands more than {MAX_DATA_BYTES} bytes")]
    Demand,
    /// It says that it dialled, and not what came of it.
    #[error("it does not say what came of the dial")]
    Dial,
    /// It says that it reached the address, and the number did not come back to an address of that form.
    #[error("the number did not come back over the address that is said to have been dialled")]
    Proof,
}

impl CheckRequest {
    /// How long the parts are that a server's demand is met with.
    pub fn parts(&self, demand: &DataDemand) -> Result<impl Iterator<Item = usize> + use<>, BadCheck> {
        if demand.address as usize >= self.addrs.len() {
            return Err(BadCheck::Address);
        }
        let bytes = usize::try_from(demand.bytes).ok().filter(|_| demand.bytes <= MAX_DATA_BYTES);
        let bytes = bytes.ok_or(BadCheck::Demand)?;
        Ok((0..bytes).step_by(DATA_CHUNK_BYTES).map(move |sent| DATA_CHUNK_BYTES.min(bytes - sent)))
    }

    /// What a reply shows. `came_to` is the address of ours to which the request's number came back; `None` if it did not
    /// come within 5 s (go-libp2p, `dialBackStreamTimeout`).
    pub fn check(&self, reply: CheckReply, came_to: Option<&Multiaddr>) -> Result<Checked, BadCheck> {
        match reply.status {
            CheckStatus::Dialled => {}
            CheckStatus::Refused => return Ok(Checked::Refused),
            CheckStatus::Rejected | CheckStatus::InternalError => return Ok(Checked::Nothing),
        }
        let index = reply.address as usize;
        let address = self.addrs.get(index).ok_or(BadCheck::Address)?;
        let address = Multiaddr::try_from(address.clone()).map_err(|_| BadCheck::Address)?;
        match reply.dialled {
            DialStatus::Unused => Err(BadCheck::Dial),
            DialStatus::DialError => Ok(Checked::Address(index, Reachability::Private)),
            // Where the number came, the address was reached, whatever the server says of the rest.
            DialStatus::Reached | DialStatus::DialBackError => {
                let is_proven = came_to.is_some_and(|local| is_consistent(local, &address));
                if is_proven {
                    Ok(Checked::Address(index, Reachability::Public))
                } else {
                    Err(BadCheck::Proof)
                }
            }
        }
    }
}

/// Whether a connection to this local address can be one over that address of ours: the same protocols, and an IP address
/// of the same version where a name was dialled. The hosts and ports themselves differ behind address translation.
fn is_consistent(local: &Multiaddr, dialled: &Multiaddr) -> bool {
    let (local, dialled) = (protocols(local), protocols(dialled));
    let (Some((local_host, local)), Some((host, dialled))) = (local.split_first(), dialled.split_first())
    else {
        return false;
    };
    let is_host = match *host {
        "dns" | "dnsaddr" => matches!(*local_host, "ip4" | "ip6"),
        "dns4" => *local_host == "ip4",
        "dns6" => *local_host == "ip6",
        host => *local_host == host,
    };
    is_host && local == dialled
}

/// The protocols of an address as far as a listener knows them: without peer id, hashes of certificates and the name that
/// was asked for, and with one way to write a secure WebSocket.
fn protocols(addr: &Multiaddr) -> Vec<&'static str> {
    let mut names = Vec::new();
    for part in addr {
        match part {
            Protocol::P2p(_) | Protocol::Certhash(_) | Protocol::Sni(_) => {}
            Protocol::Wss(_) => names.extend(["tls", "ws"]),
            part => names.push(part.tag()),
        }
    }
    names
}
