//! Crawls as points of a course.

use estimate::Proportion;
use schema::RunState;

use super::CrawlPoint;
use crate::gathered::SeenCrawl;

impl SeenCrawl {
    /// Whether it went through the whole network.
    pub(super) fn is_whole(&self) -> bool {
        self.state == RunState::Succeeded
    }
}

impl CrawlPoint {
    pub(super) fn of(crawl: &SeenCrawl) -> Self {
        let mut failures = crawl.failures.clone();
        failures.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
        Self {
            run: crawl.run,
            started_at: crawl.started_at,
            state: crawl.state,
            visited: crawl.visited,
            reached: Proportion::of(crawl.reached, crawl.visited),
            unresponsive: crawl.unresponsive,
            failures,
        }
    }
}
