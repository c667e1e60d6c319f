//! Stays by the visits of crawls alone, where no monitor kept any: a peer that a crawl visited and did not reach at any of its visits is gone.

use schema::{RunId, Timestamp};

use crate::stay::{SeenStay, StayEnd};

/// One visit of a crawl.
#[derive(Debug, Clone, Copy)]
pub(super) struct CrawlLook {
    pub(super) run: RunId,
    pub(super) began: Timestamp,
    pub(super) ended: Timestamp,
    pub(super) is_up: bool,
}

/// What crawls saw of one peer, in the order in which they did.
#[derive(Debug, Default)]
pub(super) struct CrawlLooks {
    stays: Vec<SeenStay>,
    /// A visit that failed, until the next crawl: its own may yet reach the peer.
    failed: Option<CrawlLook>,
    /// When the last crawl began with it that did not reach it.
    down: Option<Timestamp>,
}

impl CrawlLooks {
    pub(super) fn saw(&mut self, look: CrawlLook) {
        if self.failed.is_some_and(|failed| failed.run != look.run) {
            self.settle();
        }
        if !look.is_up {
            self.failed.get_or_insert(look);
            return;
        }
        self.failed = None;
        match self.stays.last_mut().filter(|stay| stay.end.is_none()) {
            Some(stay) => stay.last_up = stay.last_up.max(look.began),
            None => self.stays.push(SeenStay {
                came_after: self.down,
                first_up: look.began,
                came_by: look.ended,
                last_up: look.began,
                end: None,
            }),
        }
    }

    /// The crawl that did not reach it has ended.
    fn settle(&mut self) {
        let Some(failed) = self.failed.take() else { return };
        self.down = Some(failed.began);
        if let Some(stay) = self.stays.last_mut().filter(|stay| stay.end.is_none()) {
            stay.end = Some(StayEnd::GoneBy(failed.ended));
        }
    }

    pub(super) fn into_stays(mut self) -> Vec<SeenStay> {
        self.settle();
        self.stays
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crawl_that_reaches_a_peer_at_its_second_chance_saw_it_up() {
        let mut looks = CrawlLooks::default();
        let at = |crawl: i64, second: i64| Timestamp((crawl * 100 + second) * 1_000_000);
        for (crawl, second, is_up) in [
            (0, 1, true),
            (1, 1, false),
            (1, 9, true),
            (2, 1, false),
            (2, 9, false),
            (3, 1, false),
            (4, 1, true),
            (5, 1, false),
        ] {
            let run = RunId([u8::try_from(crawl).unwrap(); 16]);
            let (began, ended) = (at(crawl, second), at(crawl, second + 1));
            looks.saw(CrawlLook { run, began, ended, is_up });
        }
        let stays = looks.into_stays();
        assert_eq!(stays.len(), 2);
        assert_eq!((stays[0].came_after, stays[0].came_by), (None, at(0, 2)));
        assert_eq!((stays[0].last_up, stays[0].end), (at(1, 9), Some(StayEnd::GoneBy(at(2, 2)))));
        assert_eq!((stays[1].came_after, stays[1].first_up), (Some(at(3, 1)), at(4, 1)));
        assert_eq!(stays[1].end, Some(StayEnd::GoneBy(at(5, 2))));
    }
}
