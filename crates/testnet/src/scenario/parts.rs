//! The tables of a scenario file.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Share;
use crate::state::{Calls, Stage, State};

/// How routing tables look.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TableShape {
    /// The most peers in a bucket, 1 to 20.
    pub k: u8,
    /// The share of entries that are missing.
    pub holes: Share,
    /// The share of entries that name peers which have left, below 1.
    pub stale: Share,
    /// The share of buckets that hold the very peers that other tables hold for the same prefix, as if copied: who is
    /// in one of them is in many.
    pub copied: Share,
    /// Places of the key space whose peers have poorer tables than others.
    pub poor: Poor,
    /// Peers that tables name less than others.
    pub shy: Shy,
}

impl Default for TableShape {
    fn default() -> Self {
        let none = Share::NONE;
        Self { k: 20, holes: none, stale: none, copied: none, poor: Poor::default(), shy: Shy::default() }
    }
}

/// Poor tables that lie together: all those of the peers whose keys begin with the same bits.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Poor {
    /// The share of the prefixes of `bits` bits whose peers have poor tables.
    pub share: Share,
    /// How long these prefixes are, 1 to 16 bits.
    pub bits: u8,
    /// The share of entries that are missing there, instead of the tables' own `holes`.
    pub holes: Share,
}

impl Default for Poor {
    fn default() -> Self {
        Self { share: Share::NONE, bits: 4, holes: Share::NONE }
    }
}

/// Peers that others do not keep, because they came late or hardly answer.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Shy {
    /// The share of peers that are shy.
    pub share: Share,
    /// The share of the entries naming them that are missing, beside the tables' `holes`; 1: nobody names them.
    pub holes: Share,
}

/// A place that peers are in.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Its name.
    pub name: String,
    /// The share of peers in it.
    pub share: Share,
    /// The continents that its peers' addresses are of, where these are public: `AF`, `AS`, `EU`, `NA`, `OC`, `SA`.
    /// None: any.
    #[serde(default)]
    pub continents: Vec<String>,
    /// Milliseconds for the way to a region **and back**, by the other region's name. Each pair is given once, in
    /// either of its regions; a region's delay to itself, too. Who asks is in the region of the address that it comes from
    /// ([`World::region_at`](crate::World::region_at)). On the wire a peer holds back what it says for so long; that
    /// the system answers for it when a TCP connection is opened, and acknowledges what comes, takes no time.
    #[serde(default)]
    pub rtt_ms: BTreeMap<String, u32>,
}

/// A program that peers run.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// The agent version that it sends in identify.
    pub name: String,
    /// The share of peers that run it.
    pub share: Share,
    /// What it speaks beside identify, its push, ping and the network's Kademlia protocol.
    #[serde(default)]
    pub protocols: Vec<String>,
}

/// What befalls attempts to connect, whoever is dialled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Attempts {
    /// The share of attempts that are delayed. On real sockets the delay strikes after the TCP handshake, which the
    /// kernel answers.
    pub late_share: Share,
    /// By how many milliseconds.
    pub late_ms: u32,
    /// The share of round trips that need a retransmission. In virtual time only.
    pub loss: Share,
}

/// A share of peers in one state.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "Entry")]
pub struct StateShare {
    /// What they do.
    pub state: State,
    /// How many of all peers.
    pub share: Share,
}

/// One `[[states]]` table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    state: String,
    share: Share,
    at: Option<Stage>,
    delay_ms: Option<u16>,
    calls_every_s: Option<u32>,
    stays_s: Option<u32>,
    peers_per_answer: Option<u16>,
    addresses: Option<u16>,
}

/// The longest delay of a slow peer: it answers late, but no patient client gives it up.
const MAX_SLOW_MS: u16 = 3_000;

/// The longest time between two calls of a peer that nobody can dial, in seconds: a day.
const MAX_CALLS_EVERY_S: u32 = 86_400;

/// The most peers in one answer of an inventing peer: about as many as 4 MiB hold.
const MAX_INVENTED: u16 = 50_000;

/// The most addresses of a crowded peer.
const MAX_CROWD: u16 = 5_000;

impl TryFrom<Entry> for StateShare {
    type Error = String;

    fn try_from(entry: Entry) -> Result<Self, String> {
        let share = entry.share;
        let state = entry.state()?;
        Ok(Self { state, share })
    }
}

impl Entry {
    fn state(&self) -> Result<State, String> {
        let name = self.state.as_str();
        let state = match name {
            "online" => State::Online,
            "refusing" => State::Refusing,
            "dropping" => State::Dropping,
            "unroutable" => State::Unroutable,
            "firewalled" => State::Firewalled,
            "behind_nat" => State::BehindNat(self.calls()?),
            "silent" => State::Silent(self.at.unwrap_or(Stage::Accept)),
            "reset" => State::Reset(
                self.at.ok_or("`reset` needs `at`: accept, secure, multiplex, stream or request")?,
            ),
            "slow" => State::Slow(bounded("delay_ms", self.delay_ms, 1_000, MAX_SLOW_MS)?),
            "wrong_peer_id" => State::WrongPeerId,
            "wrong_protocol" => State::WrongProtocol,
            "garbage" => match self.at {
                Some(stage @ (Stage::Secure | Stage::Request)) => State::Garbage(stage),
                _ => return Err("`garbage` needs `at`: secure or request".to_owned()),
            },
            "oversize" => State::Oversize,
            "inventing" => {
                State::Inventing(bounded("peers_per_answer", self.peers_per_answer, 20, MAX_INVENTED)?)
            }
            "crowded" => State::Crowded(bounded("addresses", self.addresses, 1_000, MAX_CROWD)?),
            "private_only" => State::PrivateOnly,
            "special_purpose_only" => State::SpecialPurposeOnly,
            "relayed_only" => State::RelayedOnly,
            "stale_address" => State::StaleAddress,
            _ => return Err(format!("`{name}` is no state; the states are {}", State::NAMES.join(", "))),
        };
        self.refuse_strangers(state)?;
        Ok(state)
    }

    /// How a peer calls that nobody can dial.
    fn calls(&self) -> Result<Calls, String> {
        let (every_s, stays_s) = (self.calls_every_s.unwrap_or(600), self.stays_s.unwrap_or(60));
        if !(1..=MAX_CALLS_EVERY_S).contains(&every_s) {
            return Err(format!("`calls_every_s` is a number from 1 to {MAX_CALLS_EVERY_S}, not {every_s}"));
        }
        if !(1..every_s).contains(&stays_s) {
            return Err(format!("`stays_s` is a number from 1 to below `calls_every_s`, not {stays_s}"));
        }
        Ok(Calls { every_s, stays_s })
    }

    /// Parameters of other states are mistakes, not decoration.
    fn refuse_strangers(&self, state: State) -> Result<(), String> {
        let given = [
            ("at", self.at.is_some(), state.stage().is_some()),
            ("delay_ms", self.delay_ms.is_some(), matches!(state, State::Slow(_))),
            ("calls_every_s", self.calls_every_s.is_some(), matches!(state, State::BehindNat(_))),
            ("stays_s", self.stays_s.is_some(), matches!(state, State::BehindNat(_))),
            ("peers_per_answer", self.peers_per_answer.is_some(), matches!(state, State::Inventing(_))),
            ("addresses", self.addresses.is_some(), matches!(state, State::Crowded(_))),
        ];
        match given.iter().find(|(_, given, taken)| *given && !*taken) {
            Some((key, ..)) => Err(format!("the state `{}` takes no `{key}`", state.name())),
            None => Ok(()),
        }
    }
}

fn bounded(key: &str, value: Option<u16>, default: u16, max: u16) -> Result<u16, String> {
    match value.unwrap_or(default) {
        value if (1..=max).contains(&value) => Ok(value),
        value => Err(format!("`{key}` is a number from 1 to {max}, not {value}")),
    }
}
