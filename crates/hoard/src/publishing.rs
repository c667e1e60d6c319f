//! One arm's publications: at its pace, so many at a time, by its publisher, which then stays or leaves as the arm says.
//!
//! Who publishes, and how, is in `publisher`; what others have published is taken in by `taking`. Every gift is told with its fate. Nobody
//! waits for a number of gifts: a publication is over when its own rules say so, however many there were. When a key is looked at is left
//! to the schedule.

mod identity;
mod published;
mod publisher;
mod taking;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use crawl::Clock;
use kad::fabric::Fabric;
use schema::PublisherEnd;
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use self::taking::{take_in, taken_in};
pub(crate) use self::{
    identity::{dialler_keypair, observer_keypair, publisher_keypair},
    publisher::{Publisher, PublisherGround},
};
use crate::{HoardError, HoardPlan, KeyPublished, Observer, PublisherLeft, WatchedKey};

/// What an arm has to say.
#[derive(Debug)]
pub(crate) enum ArmEvent {
    /// Its publisher stands.
    Ready,
    /// A key was published, or taken in.
    Published(Box<KeyPublished>),
    /// A publisher left.
    Left(PublisherLeft),
    /// Nothing more is published.
    Done,
    /// It cannot go on.
    Failed(HoardError),
}

/// An arm at work.
pub(crate) struct ArmWork<F: Fabric> {
    pub(crate) ground: Arc<PublisherGround<F>>,
    pub(crate) arm: u16,
    /// The places whose keys were published before.
    pub(crate) done: BTreeSet<u32>,
    pub(crate) events: mpsc::Sender<ArmEvent>,
    /// Cancelled when nothing more is to be published.
    pub(crate) cancel: CancellationToken,
    /// Cancelled when whoever stays is to leave.
    pub(crate) leave: CancellationToken,
}

impl<F: Fabric> ArmWork<F> {
    /// Publishes until all is published or nobody wants it any more, and then leaves as the arm says.
    pub(crate) async fn run(self) {
        // Whoever was to hear of it is gone only where all of it is over.
        if let Err(error) = self.publish().await {
            self.tell(ArmEvent::Failed(error)).await;
        }
    }

    async fn publish(&self) -> Result<(), HoardError> {
        let Some(arm) = self.plan().arm(self.arm) else { return Ok(()) };
        // Who stays comes back as who it was; all others have nothing left to do.
        if self.is_over() && arm.end != PublisherEnd::Connected {
            self.tell(ArmEvent::Ready).await;
            self.tell(ArmEvent::Done).await;
            return Ok(());
        }
        let publisher = Arc::new(Publisher::join(&self.ground, self.arm, &self.cancel).await?);
        self.tell(ArmEvent::Ready).await;
        self.at_pace(|key, position, room| {
            let (publisher, events, cancel) =
                (Arc::clone(&publisher), self.events.clone(), self.cancel.clone());
            async move {
                let (told, left) = publisher.publish(&key, position, &cancel).await;
                room.send(ArmEvent::Published(Box::new(told)));
                if let Some(left) = left {
                    drop(events.send(ArmEvent::Left(left)).await);
                }
            }
        })
        .await;
        self.tell(ArmEvent::Done).await;
        if arm.end == PublisherEnd::Connected {
            self.leave.cancelled().await;
        }
        if let Some(left) = publisher.leave().await {
            self.tell(ArmEvent::Left(left)).await;
        }
        Ok(())
    }

    /// Takes in keys of others by an observer; where it is `known` who holds one, as that says.
    pub(crate) async fn take_all_in(
        self,
        observer: Observer<F::Member>,
        known: Arc<HashMap<Vec<u8>, WatchedKey>>,
    ) {
        self.tell(ArmEvent::Ready).await;
        let span = self.plan().rounds.last();
        self.at_pace(|key, position, room| {
            let (observer, known, ground) = (observer.clone(), Arc::clone(&known), Arc::clone(&self.ground));
            let (arm, cancel) = (self.arm, self.cancel.clone());
            async move {
                let (began, at) = (Instant::now(), now(ground.clock));
                let watched =
                    take_in(&observer, (&key, known.get(&key)), (at, span, ground.plan.parts), &cancel).await;
                // What was cut short says nothing of who holds it.
                if let Some(arm) = ground.plan.arm(arm).filter(|_| !cancel.is_cancelled()) {
                    room.send(ArmEvent::Published(Box::new(taken_in(
                        watched,
                        arm,
                        position,
                        began.elapsed(),
                    ))));
                }
            }
        })
        .await;
        self.tell(ArmEvent::Done).await;
    }

    /// One publication after the other is begun, no faster than the pace and no more at once than it says, and only while there is room to
    /// tell of it; until all have ended.
    async fn at_pace<W: Future<Output = ()> + Send + 'static>(
        &self,
        begin: impl Fn(Vec<u8>, u32, mpsc::OwnedPermit<ArmEvent>) -> W,
    ) {
        let (plan, cancel) = (self.plan(), &self.cancel);
        let mut under_way = JoinSet::new();
        let mut next_at = Instant::now();
        for position in (0..).filter(|position| !self.done.contains(position)) {
            let Some(key) = plan.key(self.arm, position) else { break };
            if cancel.run_until_cancelled(sleep_until(next_at)).await.is_none() {
                break;
            }
            while under_way.len() >= plan.pace.at_once {
                under_way.join_next().await;
            }
            let room = self.events.clone().reserve_owned();
            let Some(Ok(room)) = cancel.run_until_cancelled(room).await else { break };
            // A pace that was not kept is not made up for.
            next_at = (next_at + plan.pace.gap).max(Instant::now());
            under_way.spawn(begin(key, position, room));
        }
        while under_way.join_next().await.is_some() {}
    }

    /// Whether all was published before.
    fn is_over(&self) -> bool {
        self.plan().keys_per_arm().is_some_and(|all| self.done.len() as u64 >= u64::from(all))
    }

    fn plan(&self) -> &HoardPlan {
        &self.ground.plan
    }

    async fn tell(&self, event: ArmEvent) {
        // Nobody hears it where all of it is over.
        drop(self.events.send(event).await);
    }
}

/// The run's time now.
pub(crate) fn now(clock: Clock) -> schema::Timestamp {
    clock.at(Instant::now())
}
