//! Many heads over one belly: peers of ours, in one process, that answer as servers of a network from one routing table and
//! one store of records.
//!
//! What is kept, and where, is left to `store`; who asks by HTTP is let in by `http`; only the program prints. What happens
//! when more is asked than can be done is in `load`; others who know who provides a key are asked by `delegated`; who the heads are
//! is in `identity`, how several hydras share the identities of one seed in `idgen`, and what survives a restart in `state`.

mod api;
mod commons;
mod delegated;
mod heads;
mod identity;
mod idgen;
mod load;
mod metrics;
mod now;
mod popular;
mod prefetch;
mod state;

pub use self::{
    api::HydraApi,
    commons::{CommonPeer, Commons, KeyIndex, MAX_PEERS},
    delegated::{
        Delegated, DelegatedConfig, DelegatedCounts, FindFailure, FindSource, FindStrategy, FoundBeside,
        OutcomeCounts, keep_found,
    },
    heads::{
        AnsweredCounts, AskedCounts, HeadConfig, Hydra, HydraConfig, HydraCounters, HydraError, HydraHead,
        HydraView, JoiningConfig, SwarmConnection, SwarmPeer, SwarmSaying,
    },
    identity::{
        Choices, HeadIdentity, HeadSeed, HeadSequence, IdentityError, IndexSet, IndexSetError, MAX_INDEX,
        SeedError, Spread, identities,
    },
    idgen::{
        AllotmentError, Allotments, IdgenClient, IdgenError, IdgenServer, KeptAllotments, LEASE_TIME,
        LeaseAnswer, LeaseOrder, ReleaseOrder, idgen_refused, idgen_routes, key_of_wire, key_on_wire,
    },
    load::{
        Allowed, AskedType, BadLadder, Ladder, LoadConfig, LoadControl, LoadCounts, Measures, Rung,
        RungChange, RungRule, ShareConfig, ShedReason, Thresholds, TypeCounts,
    },
    metrics::{INHERITED, MetricsTerms, hydra_metrics},
    now::{HeadNow, HydraNow},
    popular::{HeldShare, MAX_KEYS as MAX_POPULAR_KEYS, PopularKeys},
    prefetch::{LookupCost, Prefetch, PrefetchConfig, PrefetchOutcome, PrefetchRefusal},
    state::{KeptHead, KeptHeads, StateDirectory, StateError},
};
