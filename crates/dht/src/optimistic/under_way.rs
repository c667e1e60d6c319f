//! One optimistic publication: its lookup and its gifts beside each other, until its caller is told, and then until all is done.

use std::{sync::Arc, time::Duration};

use kad::{
    Persistence, failure::FailureClass, lookup::Candidate, network::Network, optimistic::OptimisticRules,
};
use tokio::{
    sync::{OwnedSemaphorePermit, oneshot},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::OptimisticTerms;
use crate::{
    finder::{Finder, Found, Quest, search::BareSearch},
    provide::{
        ProviderRecord,
        gifts::{GiftTurn, Gifts},
    },
    publication::{Gift, Publication, PublishFailure},
};

/// How long all gifts of one publication may take together (`optimisticProvide`).
const GIVING_TIME: Duration = Duration::from_secs(60);

/// A publication under way.
pub(super) struct UnderWay<N> {
    search: BareSearch<N>,
    gifts: Gifts<N>,
    /// To whom each gift goes, and whether it is done by the rules, and well.
    to: Vec<(Candidate, Option<bool>)>,
    terms: OptimisticTerms,
    begun: Instant,
    /// Places for what is under way once the caller was told.
    places: Vec<OwnedSemaphorePermit>,
    /// The rules let the caller go on.
    may_return: bool,
}

/// How the caller hears of it: at once, and of what was under way then.
struct Telling {
    now: Option<oneshot::Sender<Publication>>,
    gifts: Option<oneshot::Sender<Vec<Gift>>>,
    found: Option<oneshot::Sender<Found>>,
}

impl<N: Network> UnderWay<N> {
    /// One that has begun then, in a network of so many peers.
    pub(super) fn new(
        (finder, begun): (&Finder<N>, Instant),
        record: &ProviderRecord,
        (quest, size): (Quest, i32),
        terms: &OptimisticTerms,
    ) -> Self {
        let publish = terms.publish;
        let quest = Quest { rules: publish.rules(quest.rules), ..quest };
        let rules = OptimisticRules::new(size, quest.rules.k, publish.persistence);
        let search = BareSearch::bare(finder, quest);
        let search = search.asking_again(publish.persistence == Persistence::Go).giving(rules);
        let gifts = Gifts::new(finder.clone(), finder.gift(record), begun);
        let (to, places) = (Vec::new(), Vec::new());
        Self { search, gifts, to, terms: terms.clone(), begun, places, may_return: false }
    }

    /// Does everything. The caller is told as soon as the rules let it go on.
    pub(super) async fn run(mut self, tell: oneshot::Sender<Publication>, over: CancellationToken) {
        let mut telling = Telling { now: Some(tell), gifts: None, found: None };
        while !self.turn(&mut telling) {
            let has_told = telling.now.is_none();
            tokio::select! {
                biased;
                () = over.cancelled() => {
                    return self.give_up(telling, PublishFailure::Cancelled, FailureClass::Cancelled);
                }
                () = sleep_until(self.terms.publish.deadline), if !has_told => {
                    return self.give_up(telling, PublishFailure::TimedOut, FailureClass::Timeout);
                }
                _ = self.search.next(), if !self.search.lookup.is_over() => {}
                Some(turn) = self.gifts.next() => self.note(turn),
                // Never closed.
                Ok(place) = Arc::clone(&self.terms.slots).acquire_owned(), if self.may_return && !has_told => {
                    self.places.push(place);
                }
            }
        }
        // Who was sent the record, and has not said what it makes of it.
        let all = async { while self.gifts.next().await.is_some() {} };
        if over.run_until_cancelled(all).await.is_none() {
            return self.give_up(telling, PublishFailure::Cancelled, FailureClass::Cancelled);
        }
        let gifts = self.gifts.as_they_stand();
        telling.settle(gifts, self.search.end());
    }

    /// Does what is to be done now. Whether all is over.
    fn turn(&mut self, telling: &mut Telling) -> bool {
        let turn = self.search.ask_all();
        for candidate in turn.give {
            let Some(contact) = self.search.contact(candidate) else { continue };
            self.gifts.give(contact, self.begun + GIVING_TIME);
            self.to.push((candidate, None));
        }
        self.may_return |= turn.may_return;
        let open = self.open();
        self.places.truncate(open);
        if self.may_return && self.has_places(open) && telling.now.is_some() {
            let outcome = self.outcome();
            self.tell(telling, outcome);
        }
        turn.is_over && telling.now.is_none()
    }

    /// What takes a place when the caller goes on: gifts that are not done, and a lookup that goes on.
    fn open(&self) -> usize {
        let gifts = self.to.iter().filter(|(_, done)| done.is_none()).count();
        gifts + usize::from(!self.search.lookup.is_over())
    }

    /// Takes the places that are needed and to be had. Whether that is all.
    fn has_places(&mut self, needed: usize) -> bool {
        while self.places.len() < needed {
            let Ok(place) = Arc::clone(&self.terms.slots).try_acquire_owned() else { return false };
            self.places.push(place);
        }
        true
    }

    /// By Go's rules a gift is done when it was sent.
    fn note(&mut self, GiftTurn { gift, ended }: GiftTurn) {
        let is_taken = match self.terms.publish.persistence {
            Persistence::Go => Some(ended.unwrap_or(true)),
            Persistence::Thorough => ended,
        };
        let (Some((candidate, done)), Some(is_taken)) = (self.to.get_mut(gift), is_taken) else { return };
        if done.is_none() {
            *done = Some(is_taken);
            self.search.lookup.gave(*candidate, is_taken);
        }
    }

    /// Whether it succeeded, as far as is known: Go does not ask.
    fn outcome(&self) -> Result<(), PublishFailure> {
        match self.terms.publish.persistence {
            Persistence::Go => Ok(()),
            Persistence::Thorough if self.to.is_empty() => Err(PublishFailure::NobodyFound),
            Persistence::Thorough if self.to.iter().any(|&(_, done)| done == Some(true)) => Ok(()),
            Persistence::Thorough => Err(PublishFailure::NobodyTook),
        }
    }

    fn tell(&self, telling: &mut Telling, outcome: Result<(), PublishFailure>) {
        let (gifts, rest) = oneshot::channel();
        let (found, lookup) = oneshot::channel();
        let lookups = vec![self.search.as_it_stands()];
        let publication =
            Publication::whole(self.begun.elapsed(), lookups, self.gifts.as_they_stand(), outcome);
        if let Some(now) = telling.now.take() {
            // Who asked may have gone, and this is given up then.
            now.send(publication.with_rest(rest).with_lookup(lookup)).ok();
        }
        (telling.gifts, telling.found) = (Some(gifts), Some(found));
    }

    fn give_up(mut self, telling: Telling, failure: PublishFailure, class: FailureClass) {
        self.search.lookup.cancel();
        let took = self.begun.elapsed();
        let (gifts, found) = (self.gifts.give_up(class), self.search.end());
        match telling.now {
            Some(now) => drop(now.send(Publication::whole(took, vec![found], gifts, Err(failure)))),
            None => telling.settle(gifts, found),
        }
    }
}

impl Telling {
    /// Says how all ended. Who asked may have gone.
    fn settle(self, gifts: Vec<Gift>, found: Found) {
        if let Some(tell) = self.gifts {
            tell.send(gifts).ok();
        }
        if let Some(tell) = self.found {
            tell.send(found).ok();
        }
    }
}
