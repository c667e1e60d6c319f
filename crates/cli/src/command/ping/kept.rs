//! What is kept of looking at a peer.

use dht::Probe;
use kad::network::AddressOutcome;
use schema::{AddressVisit, ConnectionInfo, Encounter, PeerNumber, Ping, Timestamp};

/// The row of a probe that began at `started_at`.
pub(super) fn row(peer: PeerNumber, started_at: Timestamp, probe: &Probe) -> Ping {
    let Probe { address, took, attempt, said, traffic, .. } = probe;
    let mut met = Encounter::begun(started_at);
    met.ended_at = started_at.after(*took);
    met.dial_duration = attempt.started_after.and(attempt.took);
    met.connect_duration = said.as_ref().and(attempt.took);
    met.connect_error = match &attempt.outcome {
        AddressOutcome::Failed(failure) if said.is_none() => Some(failure.clone()),
        _ => None,
    };
    met.addresses = vec![AddressVisit::of(address.clone(), attempt.clone())];
    (met.sent_bytes, met.received_bytes) = (traffic.sent_bytes, traffic.received_bytes);
    let heard = said.as_ref();
    if let Some(heard) = heard {
        met.connection = Some(ConnectionInfo::of(&heard.endpoint, heard.round_trip));
        met.identify_error.clone_from(&heard.introduced.fault);
        if let Some(identify) = &heard.introduced.said {
            met.agent_version = Some(identify.agent_version.clone().unwrap_or_default());
            met.protocols.clone_from(&identify.protocols);
            met.listen_addrs = identify.listen_addrs.iter().cloned().map(Into::into).collect();
        }
    }
    let observed = heard.and_then(|heard| heard.introduced.said.as_ref()?.observed_addr.clone());
    Ping {
        peer,
        met,
        observed_addr: observed.map(Into::into),
        ping: heard.and_then(|heard| heard.pong.as_ref().ok()).copied(),
        ping_error: heard.and_then(|heard| heard.pong.as_ref().err()).cloned(),
        named: heard.and_then(|heard| heard.named.as_ref().ok()).and_then(|&named| u32::try_from(named).ok()),
        request_error: heard.and_then(|heard| heard.named.as_ref().err()).cloned(),
    }
}
