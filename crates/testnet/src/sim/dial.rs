//! The course of one dial over several addresses, computed before it is waited for.

use std::time::Duration;

use kad::{
    failure::{Failure, FailureClass, Phase},
    network::{AddressOutcome, Attempt},
    plan::{Approach, DialRules, DialTurn, Plan, outcome_of_name},
};
use libp2p_identity::PeerId;
use multiaddr::Multiaddr;
use tokio::time::Instant;

use super::{
    Caller,
    fate::{Fate, Reached},
    outages::fate,
};

/// What came of a dial: the fate of every address, who was reached, and how long it took.
pub(super) type DialOutcome = (Vec<Attempt>, Option<Reached>, Duration);

/// What comes of dialling a peer by its addresses, by the plan that every network follows.
pub(super) fn dial(
    caller: &Caller,
    peer: PeerId,
    (addrs, at_most): (&[Multiaddr], Option<Duration>),
) -> DialOutcome {
    let plan = Plan::new(addrs, &peer, &caller.shared.rules);
    let limit = at_most.unwrap_or(Duration::MAX);
    SimDial { caller, peer, addrs, start: Instant::now(), limit }.run(plan)
}

/// A dial from its start on; all times count from there.
struct SimDial<'a> {
    caller: &'a Caller,
    peer: PeerId,
    addrs: &'a [Multiaddr],
    start: Instant,
    /// When time is up.
    limit: Duration,
}

/// An attempt of which it is known what comes of it.
struct AttemptAhead {
    index: usize,
    began: Duration,
    took: Duration,
    result: Result<Reached, AddressOutcome>,
    /// Where a name led to, and what came of each address.
    resolved: Vec<(Multiaddr, Attempt)>,
}

impl SimDial<'_> {
    fn run(&self, mut plan: Plan) -> DialOutcome {
        let mut now = Duration::ZERO;
        let mut under_way: Vec<AttemptAhead> = Vec::new();
        loop {
            if now >= self.limit {
                plan.close();
            }
            under_way.extend(plan.begin(now).and_then(|turn| self.begin(turn, now)));
            let first = (0..under_way.len()).min_by_key(|&position| under_way[position].ends());
            let Some(first) = first else { return (plan.into_attempts(), None, now) };
            if let Some(next) = plan.next().filter(|next| *next < under_way[first].ends()) {
                now = next;
                continue;
            }
            let over = under_way.remove(first);
            now = over.ends();
            let AttemptAhead { index, began, took, result, resolved } = over;
            let attempt =
                |outcome| Attempt { started_after: Some(began), took: Some(took), outcome, resolved };
            match result {
                Ok(reached) => {
                    plan.settle(index, attempt(AddressOutcome::Connected));
                    for other in under_way {
                        plan.settle(other.index, other.abandoned(now));
                    }
                    return (plan.into_attempts(), Some(reached), now);
                }
                Err(outcome) => plan.fail(index, attempt(outcome)),
            }
        }
    }

    /// What comes of an attempt that begins now.
    fn begin(&self, DialTurn { index, way, .. }: DialTurn, now: Duration) -> Option<AttemptAhead> {
        let (left, start) = (self.limit.saturating_sub(now), self.start + now);
        let (result, took, resolved) = match way {
            Approach::Socket(target) => {
                match fate(self.caller, start, &self.peer, (index, target)).within(left) {
                    Fate::Failed(took, failure) => (Err(AddressOutcome::Failed(failure)), took, Vec::new()),
                    Fate::Reached(took, reached) => (Ok(reached), took, Vec::new()),
                }
            }
            Approach::Name => self.follow(index, self.addrs.get(index)?, (start, left)),
        };
        Some(AttemptAhead { index, began: now, took, result, resolved })
    }

    /// What comes of an address with a name, by what comes of the address that it stands for. Asking takes no time.
    fn follow(
        &self,
        index: usize,
        name: &Multiaddr,
        (start, limit): (Instant, Duration),
    ) -> (Result<Reached, AddressOutcome>, Duration, Vec<(Multiaddr, Attempt)>) {
        let shared = &self.caller.shared;
        let Some(address) = shared.world.resolve(name) else {
            let unknown = Failure::new(Phase::Dns, FailureClass::NameNotFound);
            return (Err(AddressOutcome::Failed(unknown)), Duration::ZERO, Vec::new());
        };
        let addrs = [address];
        let plan = Plan::of_resolved(&addrs, &self.peer, &DialRules { names: false, ..shared.rules.clone() });
        let (attempts, reached, took) = SimDial { addrs: &addrs, start, limit, ..*self }.run(plan);
        let result = reached.map(|reached| Reached { address: index, ..reached });
        let result = result.ok_or_else(|| outcome_of_name(&attempts));
        (result, took, addrs.into_iter().zip(attempts).collect())
    }
}

impl AttemptAhead {
    fn ends(&self) -> Duration {
        self.began + self.took
    }

    /// It was under way when another address connected.
    fn abandoned(self, now: Duration) -> Attempt {
        Attempt {
            started_after: Some(self.began),
            took: Some(now.saturating_sub(self.began)),
            ..Attempt::untried(AddressOutcome::Abandoned)
        }
    }
}
