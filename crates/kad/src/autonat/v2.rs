//! Version 2: "dial one of these addresses", proven by a number.
//!
//! The asker sends a random number; whoever dials it back gives that number on the new connection, which shows that the
//! address was dialled and who did it. An address may have another IP than the asker comes from: then the asker first has
//! to send more than a handshake takes, so that nobody can be made to dial a third party for less than that costs.

mod check;
mod data;
mod message;
mod record;

pub use self::{
    check::{BadCheck, CheckPlan, Checked, plan_check},
    data::{DATA_CHUNK_BYTES, DataMeter, MAX_DATA_BYTES, MIN_DATA_BYTES, TooLittleData},
    message::{CheckMessage, CheckReply, CheckRequest, CheckStatus, DataDemand, DialBack, DialStatus},
    record::{AddressRecord, CHECK_INTERVAL, MAX_OUTCOMES, TARGET_CONFIDENCE},
};

/// The protocol of requests.
pub const DIAL_REQUEST_PROTOCOL: &str = "/libp2p/autonat/2/dial-request";

/// The protocol on which the number comes back.
pub const DIAL_BACK_PROTOCOL: &str = "/libp2p/autonat/2/dial-back";

/// The longest message of a request, in bytes (go-libp2p, `autonatv2.maxMsgSize`, as all here).
pub const MAX_MESSAGE_BYTES: usize = 8192;

/// The longest message with a number, in bytes (`dialBackMaxMsgSize`).
pub const MAX_DIAL_BACK_BYTES: usize = 1024;

/// The most addresses of a request that are looked at (`maxPeerAddresses`).
pub const MAX_ADDRESSES: usize = 50;

#[cfg(test)]
mod tests;
