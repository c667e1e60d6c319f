//! Rows of a crawl on their way out of the house: what is said of whom, and where it is written.

mod names;
mod rows;
mod sink;
mod veil;

pub(crate) use self::{
    names::{Names, Verdicts},
    rows::{CrawlRow, Row},
    sink::Sink,
    veil::{Pseudonyms, Veil},
};
