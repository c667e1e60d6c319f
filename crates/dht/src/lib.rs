//! What is said to peers of a Kademlia network and answered for peers of ours, over any network, real or simulated.
//!
//! A [`Conversation`] is any number of exchanges over one connection; a [`Pool`] keeps conversations with many peers and dials
//! where there is none; a [`probe()`] looks at one peer through one of its addresses, and [`ask_apart`] asks one thing over a connection of its own. A [`Finder`]
//! drives lookups and gives records to the peers that they found. A [`Node`] is a peer of ours that is asked as well: it lives in
//! the network. [`DialBacks`] tells others whether they can be reached, an [`Inquiry`] and [`AddressChecks`] ask them the same, and a [`BlockDesk`]
//! asks providers for a block, as a part of a [`Retrieval`], which says whether content can be had. What a tool asks, and what it makes of the answers, is decided elsewhere: the rules are in `kad`,
//! without IO and clock.

mod addresses;
mod apart;
mod asks_only;
mod autonat;
mod conversation;
mod deliveries;
mod finder;
mod fullrt;
mod identifying;
mod many_published;
mod node;
mod optimistic;
mod pool;
mod probe;
mod provide;
mod publication;
mod reading_back;
mod request_pace;
mod retrieval;
mod size_watch;
mod sweep;

pub use addresses::KnownAddresses;
pub use apart::{ApartAsk, ApartQuestion, AskedApart, SaidApart, ask_apart};
pub use asks_only::AsksOnly;
pub use autonat::{AddressChecks, DialBacks, Inquiry, NumberDesk, OwnAddress, ask_to_dial_back};
pub use conversation::{Ask, Awaits, Broken, Conversation, Meter, Reply, TalkLimits};
pub use finder::{
    ANSWER_PATIENCE, Finder, FinderTerms, Found, FoundValue, GivenAddress, Happened, Provider, Quest,
};
pub use fullrt::{FullSearch, FullTable, FullTerms};
pub use identifying::{Identified, Identifying, identify};
pub use many_published::{LookupTotals, ManyPublished, ManyRecords, Placement, PlacementFate, Recipient};
pub use node::{Node, NodeConfig, NodeProfile, RequestSeen, RequestWatch};
pub use optimistic::{BACKGROUND_SLOTS, OptimisticTerms};
pub use pool::{Dialling, Exchange, Pool, PoolConfig, dial_failure};
pub use probe::{Heard, Probe, Probing, probe, probe_all, probe_all_within};
pub use provide::{Holder, PUT_PATIENCE, ProviderRecord, PublishTerms, ReadBack};
pub use publication::{Gift, Publication, PublishFailure};
pub use reading_back::{ReadingTimes, RecordReading};
pub use request_pace::RequestPace;
pub use retrieval::{BlockDesk, ProviderSight, Retrieval};
pub use size_watch::SizeWatch;
pub use sweep::{PrefixLenMemory, SweepTerms};
