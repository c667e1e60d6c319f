//! How peers are shared out over what they can be: transports, securities, types of keys, addresses.

use serde::Deserialize;

use crate::{carrier::TransportSet, ground::SLOTS};

/// A share of a whole, 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd, Deserialize)]
#[serde(try_from = "f64")]
pub struct Share(f64);

impl Share {
    /// Nothing of it.
    pub const NONE: Self = Self(0.0);

    /// All of it.
    pub const WHOLE: Self = Self(1.0);

    /// As a number from 0 to 1.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Share {
    type Error = String;

    fn try_from(value: f64) -> Result<Self, String> {
        if (0.0..=1.0).contains(&value) {
            Ok(Self(value))
        } else {
            Err(format!("a share is a number from 0 to 1, not {value}"))
        }
    }
}

/// Shares of peers by what they listen on. They add up to 1.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transports {
    /// TCP alone.
    #[serde(default)]
    pub tcp: Share,
    /// QUIC alone.
    #[serde(default)]
    pub quic: Share,
    /// TCP and QUIC.
    #[serde(default)]
    pub both: Share,
    /// WebSocket alone.
    #[serde(default)]
    pub ws: Share,
    /// WebSocket over TLS alone.
    #[serde(default)]
    pub wss: Share,
    /// All four.
    #[serde(default)]
    pub all: Share,
}

impl Default for Transports {
    fn default() -> Self {
        let none = Share::NONE;
        Self { tcp: Share::WHOLE, quic: none, both: none, ws: none, wss: none, all: none }
    }
}

impl Transports {
    /// In the order of [`TransportSet::SHARES`].
    pub(crate) const fn shares(&self) -> [Share; TransportSet::SHARES.len()] {
        [self.tcp, self.quic, self.both, self.ws, self.wss, self.all]
    }
}

/// Shares of peers by what secures their connections over TCP and WebSocket. They add up to 1.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecurityShares {
    /// Noise or TLS, as the dialler likes.
    #[serde(default)]
    pub any: Share,
    /// Noise alone.
    #[serde(default)]
    pub noise: Share,
    /// TLS alone.
    #[serde(default)]
    pub tls: Share,
}

impl Default for SecurityShares {
    fn default() -> Self {
        Self { any: Share::WHOLE, noise: Share::NONE, tls: Share::NONE }
    }
}

impl SecurityShares {
    pub(crate) const fn shares(&self) -> [Share; 3] {
        [self.any, self.noise, self.tls]
    }
}

/// Shares of peers by the types of their keys. They add up to 1.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// Ed25519.
    #[serde(default)]
    pub ed25519: Share,
    /// RSA; no more than 64 peers of a world.
    #[serde(default)]
    pub rsa: Share,
    /// secp256k1.
    #[serde(default)]
    pub secp256k1: Share,
    /// ECDSA on P-256.
    #[serde(default)]
    pub ecdsa: Share,
}

impl Default for Keys {
    fn default() -> Self {
        let none = Share::NONE;
        Self { ed25519: Share::WHOLE, rsa: none, secp256k1: none, ecdsa: none }
    }
}

impl Keys {
    /// In the order of [`KeyType::ALL`](crate::KeyType::ALL).
    pub(crate) const fn shares(&self) -> [Share; 4] {
        [self.ed25519, self.rsa, self.secp256k1, self.ecdsa]
    }
}

/// Where peers are, in a world of public addresses.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AddressShares {
    /// The share of peers with an IPv4 address alone.
    pub ip4: Share,
    /// The share of those with an IPv6 address alone.
    pub ip6: Share,
    /// The share of those with one of each. The three add up to 1.
    pub dual: Share,
    /// The share of peers that share their addresses with others.
    pub shared: Share,
    /// How many share an address, 1 to 4.
    pub per_ip: u8,
    /// The share of peers that are announced by a name (`/dns4`, `/dns6`).
    pub named: Share,
}

impl Default for AddressShares {
    fn default() -> Self {
        let none = Share::NONE;
        Self { ip4: Share::WHOLE, ip6: none, dual: none, shared: none, per_ip: SLOTS, named: none }
    }
}
