//! Version 1: "dial me", and whether that worked.
//!
//! The asker is dialled at the IP address that it was seen at and at no other: whoever asks cannot have a third party
//! dialled. What many such answers mean is a [`Belief`].

mod belief;
mod message;

use libp2p_identity::PeerId;
use multiaddr::Multiaddr;

pub use self::{
    belief::{BOOT_DELAY, Belief, MAX_CONFIDENCE, REFRESH_INTERVAL, RETRY_INTERVAL, SinceAsked},
    message::{AutonatMessage, DialBackReply, DialBackRequest, DialBackStatus},
};
use super::direct_ip;
use crate::answer::own_address;

/// The protocol.
pub const AUTONAT_PROTOCOL: &str = "/libp2p/autonat/1.0.0";

/// The longest message, in bytes (go-libp2p, `autonat.maxMsgSize`).
pub const MAX_MESSAGE_BYTES: usize = 4096;

/// The most addresses that are dialled for one request (go-libp2p, `autonat.defaults`, `maxPeerAddresses`).
pub const MAX_DIALLED: usize = 16;

/// Where to dial a peer back that asks for it and was seen at the address `observed`: there, and at the transports and
/// ports that it names, all at the same IP address; at most [`MAX_DIALLED`] addresses, none twice.
///
/// `admits` says whether an address may be dialled: that it is public, of a transport that we dial, and not of ourselves.
/// An error is the answer to a peer that is not dialled: it speaks for another, names nothing, or was seen at no
/// address that may be dialled.
pub fn addresses_to_dial(
    request: &DialBackRequest,
    asker: &PeerId,
    observed: &Multiaddr,
    admits: impl Fn(&Multiaddr) -> bool,
) -> Result<Vec<Multiaddr>, DialBackReply> {
    let refuse = |status, text| Err(DialBackReply::failed(status, text));
    match request.id.as_deref().map(PeerId::from_bytes) {
        Some(Err(_)) => return refuse(DialBackStatus::BadRequest, "bad peer id"),
        Some(Ok(id)) if id != *asker => return refuse(DialBackStatus::BadRequest, "peer id mismatch"),
        Some(Ok(_)) | None => {}
    }
    let observed = own_address(observed.clone(), asker).filter(|observed| admits(observed));
    let host = observed.as_ref().and_then(direct_ip);
    let (Some(observed), Some(host)) = (&observed, host) else {
        return refuse(DialBackStatus::Refused, "refusing to dial peer with blocked observed address");
    };
    let mut dialled = vec![observed.clone()];
    for addr in request.addrs.iter().filter_map(|addr| Multiaddr::try_from(addr.clone()).ok()) {
        let Some(addr) = own_address(addr, asker).filter(|addr| direct_ip(addr).is_some()) else { continue };
        let moved: Multiaddr = std::iter::once(host.clone()).chain(addr.iter().skip(1)).collect();
        if admits(&moved) && !dialled.contains(&moved) {
            dialled.push(moved);
        }
        if dialled.len() == MAX_DIALLED {
            break;
        }
    }
    Ok(dialled)
}

#[cfg(test)]
mod tests;
