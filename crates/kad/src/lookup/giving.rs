//! A lookup that gives a record while it looks: what it is told of its gifts, and what it says of them.

use super::{Candidate, Course, Lookup, LookupKind, Step};
use crate::optimistic::{Offers, OptimisticRules};

impl Lookup {
    /// The same lookup, which gives a record to whom these rules say ([`Step::Give`]), and says when its publisher may go on
    /// ([`Step::MayReturn`]). It is over when all gifts are done. One that is not of [`LookupKind::Closest`] gives nothing.
    #[must_use]
    pub fn giving(mut self, rules: OptimisticRules) -> Self {
        self.offers = (self.kind == LookupKind::Closest).then(|| Box::new(Offers::new(rules)));
        self
    }

    /// Whether nobody is to be asked any more, though gifts may still be under way.
    pub fn is_over(&self) -> bool {
        self.course == Course::Done
    }

    /// What came of a gift: it is done. Ignored if the peer was given nothing, or something came of it before.
    pub fn gave(&mut self, peer: Candidate, is_taken: bool) {
        if let Some(offers) = &mut self.offers {
            self.is_unsettled |= offers.done(peer, is_taken);
        }
    }

    /// Whether the gifts and the peers heard of say that it has come close enough. New gifts may follow from it.
    pub(super) fn is_close_enough(&mut self) -> bool {
        let Self { offers: Some(offers), candidates, .. } = self else { return false };
        let with_distance = |(candidate, _)| Some((candidate, candidates.distance(candidate)?.normed()));
        offers.regard(candidates.reachable().filter_map(with_distance))
    }

    /// What is to be done about gifts, before anything else is.
    pub(super) fn next_gift(&mut self) -> Option<Step> {
        let is_over = self.course == Course::Done;
        let offers = self.offers.as_mut()?;
        if is_over && let Some(ending) = &self.ending {
            offers.finish(&ending.closest);
        }
        if let Some(candidate) = offers.next() {
            return Some(Step::Give(candidate));
        }
        if offers.may_return(is_over) {
            return Some(Step::MayReturn);
        }
        (is_over && offers.are_open()).then_some(Step::Wait)
    }
}
