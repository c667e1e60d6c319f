//! Results as text for people. Each result has its file; [`text`] writes numbers, [`table`] aligns them.

mod completeness;
mod crawls;
mod networks;
mod next;
mod no_answer;
mod summary;
mod table;
pub(crate) mod text;
mod truth;

pub(crate) use self::{
    crawls::crawls,
    networks::{networks, verdict},
    next::next,
    no_answer::no_answer,
    summary::summary,
    truth::truth,
};
