//! How a crawl finds peers.

use std::time::Duration;

use serde::Serialize;

use crate::config::as_seconds;

/// How a crawl finds peers. As a parameter of a run it is `strategy`, with what it was set to beside it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "strategy", rename_all = "snake_case")]
pub enum CrawlStrategy {
    /// Every peer is asked for its routing table, and whoever is named in one is visited: all that can be found.
    #[default]
    Tables,
    /// Keys are drawn and looked up for as long as there is time, and whoever is among the closest to one is visited: a sample.
    RandomWalk(RandomWalkTerms),
}

/// How it walks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RandomWalkTerms {
    /// For how long lookups are made. Whoever they found is still visited after that.
    #[serde(rename = "for", serialize_with = "as_seconds")]
    pub lasts: Duration,
    /// How many lookups are made at once; at least 1.
    pub walkers: u32,
}

kad::named! {
    /// The names of the strategies, as summaries have them.
    #[derive(Default)]
    pub enum CrawlStrategyName: serde {
        /// Routing tables are read.
        #[default]
        Tables = "tables",
        /// Keys at random are looked up.
        RandomWalk = "random_walk",
    }
}

impl CrawlStrategy {
    /// Its name.
    pub const fn name(self) -> CrawlStrategyName {
        match self {
            Self::Tables => CrawlStrategyName::Tables,
            Self::RandomWalk(_) => CrawlStrategyName::RandomWalk,
        }
    }

    /// How it walks; `None` if it reads tables.
    pub const fn walk(self) -> Option<RandomWalkTerms> {
        match self {
            Self::Tables => None,
            Self::RandomWalk(terms) => Some(terms),
        }
    }
}
