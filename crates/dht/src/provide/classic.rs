//! A publication the classic way (`classicProvide` of go-libp2p-kad-dht): a lookup, then the record for all whom it found closest.

use std::time::Duration;

use kad::{
    Persistence,
    failure::FailureClass,
    lookup::{FollowUp, Rules},
    network::Network,
};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    PUT_PATIENCE, ProviderRecord,
    gifts::{GiftTurn, Gifts},
};
use crate::{
    finder::{Finder, Found, Quest, search::BareSearch},
    publication::{Gift, Publication, PublishFailure},
};

/// The longest that a publication keeps back for giving, once its lookup is over: so much, or a tenth of its time where that is
/// less (`classicProvide`).
const KEPT_FOR_GIVING: Duration = Duration::from_secs(1);

/// What a publication goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishTerms {
    /// When it is given up.
    pub deadline: Instant,
    /// How far it goes.
    pub persistence: Persistence,
}

impl PublishTerms {
    /// Until when it looks up whom to give the record.
    fn look_until(&self) -> Instant {
        let left = self.deadline.saturating_duration_since(Instant::now());
        self.deadline - (left / 10).min(KEPT_FOR_GIVING)
    }

    /// The rules of its lookup: all that are given the record have answered, where that is wanted.
    pub(crate) fn rules(&self, rules: Rules) -> Rules {
        match self.persistence {
            Persistence::Go => rules,
            Persistence::Thorough => Rules { beta: rules.k, follow_up: FollowUp::Rest, ..rules },
        }
    }
}

impl<N: Network> Finder<N> {
    /// Publishes a record: looks up the peers closest to its key, and gives it to them.
    ///
    /// With [`Persistence::Go`] it returns once the record was sent to everybody who could be reached, as Go does; what the
    /// peers make of it comes with [`Publication::settle`]. Otherwise everybody's word is waited for. Cancelled, before or
    /// after it has returned, it gives up what is under way.
    pub async fn publish(
        &self,
        record: &ProviderRecord,
        quest: Quest,
        terms: PublishTerms,
        cancel: &CancellationToken,
    ) -> Publication {
        let begun = Instant::now();
        if quest.from.is_empty() {
            return Publication::whole(Duration::ZERO, Vec::new(), Vec::new(), Err(PublishFailure::NoPeers));
        }
        let k = quest.rules.k;
        let rules = Rules { k: self.wanted(k), ..quest.rules };
        let quest = Quest { rules: terms.rules(rules), ..quest };
        let (found, is_late) = self.look_up(quest, &terms, cancel).await;
        let mut gifts = Gifts::new(self.clone(), self.gift(record), begun);
        let until = (Instant::now() + PUT_PATIENCE).min(terms.deadline);
        // Who gave it up gives nothing more.
        let closest = if cancel.is_cancelled() { &[] } else { found.outcome.closest.as_slice() };
        for closest in closest.iter().filter(|closest| self.gives_to(&closest.peer)).take(k) {
            gifts.give(found.contact(closest.peer), until);
        }
        let mut giving = Giving::new(gifts, terms);
        giving.run(cancel).await;
        let outcome = match &giving {
            _ if cancel.is_cancelled() => Err(PublishFailure::Cancelled),
            _ if is_late || Instant::now() >= terms.deadline => Err(PublishFailure::TimedOut),
            giving => giving.outcome(),
        };
        giving.publication(begun.elapsed(), vec![found], outcome, cancel)
    }

    /// Looks up whom to give the record, and says whether its time was over before it was.
    async fn look_up(&self, quest: Quest, terms: &PublishTerms, cancel: &CancellationToken) -> (Found, bool) {
        let until = terms.look_until();
        let over = cancel.child_token();
        let search = BareSearch::bare(self, quest);
        let find = search.asking_again(terms.persistence == Persistence::Go).run(&over);
        tokio::pin!(find);
        tokio::select! {
            biased;
            found = &mut find => return (found, false),
            () = sleep_until(until) => over.cancel(),
        }
        (find.await, true)
    }
}

/// Gifts that are all under way, until nobody is waited for any more.
struct Giving<N> {
    gifts: Gifts<N>,
    terms: PublishTerms,
    /// Of each, whether it is done by the rules, and whether well.
    done: Vec<Option<bool>>,
}

impl<N: Network> Giving<N> {
    fn new(gifts: Gifts<N>, terms: PublishTerms) -> Self {
        let done = vec![None; gifts.as_they_stand().len()];
        Self { gifts, terms, done }
    }

    async fn run(&mut self, cancel: &CancellationToken) {
        while self.done.iter().any(Option::is_none) {
            let turn = tokio::select! {
                biased;
                () = cancel.cancelled() => return,
                () = sleep_until(self.terms.deadline) => return,
                turn = self.gifts.next() => turn,
            };
            let Some(GiftTurn { gift, ended }) = turn else { return };
            let is_done = match self.terms.persistence {
                Persistence::Go => Some(ended.unwrap_or(true)),
                Persistence::Thorough => ended,
            };
            if let Some(done) = self.done.get_mut(gift) {
                *done = done.or(is_done);
            }
        }
    }

    /// Whether it succeeded: Go does not ask.
    fn outcome(&self) -> Result<(), PublishFailure> {
        match self.terms.persistence {
            Persistence::Go => Ok(()),
            Persistence::Thorough if self.done.is_empty() => Err(PublishFailure::NobodyFound),
            Persistence::Thorough if self.done.contains(&Some(true)) => Ok(()),
            Persistence::Thorough => Err(PublishFailure::NobodyTook),
        }
    }

    fn publication(
        self,
        took: Duration,
        lookups: Vec<Found>,
        outcome: Result<(), PublishFailure>,
        cancel: &CancellationToken,
    ) -> Publication {
        let stand = self.gifts.as_they_stand();
        if self.gifts.are_over() {
            return Publication::whole(took, lookups, stand, outcome);
        }
        match outcome {
            Err(PublishFailure::Cancelled) => {
                Publication::whole(took, lookups, self.gifts.give_up(FailureClass::Cancelled), outcome)
            }
            Err(PublishFailure::TimedOut) => {
                Publication::whole(took, lookups, self.gifts.give_up(FailureClass::Timeout), outcome)
            }
            _ => {
                let (tell, rest) = oneshot::channel();
                tokio::spawn(rest_of(self.gifts, tell, cancel.clone()));
                Publication::whole(took, lookups, stand, outcome).with_rest(rest)
            }
        }
    }
}

/// Waits for what goes on after a publication has returned. Each gift ends by itself.
async fn rest_of<N: Network>(
    mut gifts: Gifts<N>,
    tell: oneshot::Sender<Vec<Gift>>,
    cancel: CancellationToken,
) {
    let all = async { while gifts.next().await.is_some() {} };
    if cancel.run_until_cancelled(all).await.is_some() {
        // Who asked may have gone.
        tell.send(gifts.as_they_stand()).ok();
    } else {
        tell.send(gifts.give_up(FailureClass::Cancelled)).ok();
    }
}
