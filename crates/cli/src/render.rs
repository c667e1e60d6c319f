//! Results as text for people. Each result has its file; [`text`] writes numbers, [`table`] aligns them.

mod completeness;
mod crawls;
mod enriched;
mod explain;
mod fleet;
mod heads;
mod hoard;
mod hydra;
mod lookup;
mod monitored;
mod networks;
mod next;
mod no_answer;
mod page_table;
mod ping;
mod provide;
mod providers;
mod runs;
mod scheduled;
mod sessions;
mod summary;
mod table;
pub(crate) mod text;
mod truth;
mod walk;

pub(crate) use self::{
    crawls::crawls,
    enriched::enriched,
    explain::{explained, held_up},
    fleet::fleet,
    heads::heads,
    hoard::{available, planned, studied, study_publication},
    hydra::hydra,
    lookup::{Hops, lookup},
    monitored::monitored,
    networks::{networks, verdict},
    next::next,
    no_answer::no_answer,
    page_table::page_table,
    ping::ping,
    provide::{left_behind, provide, publication, serving},
    runs::{compared, known_peer, run, runs},
    scheduled::{foreseen, scheduled},
    sessions::{checked_sessions, sessions, uptimes},
    summary::summary,
    truth::truth,
};
