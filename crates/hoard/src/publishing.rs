//! One arm's publications: at its pace, so many at a time, by its publisher, which then stays or leaves as the arm says.
//!
//! Who publishes, and how, is in `publisher`; what others have published is taken in by `taking`. Every gift is told with its fate. Nobody
//! waits for a number of gifts: a publication is over when its own rules say so, however many there were. When a key is looked at is left
//! to the schedule.

mod identity;
mod publisher;
mod published;
mod taking;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use crawl::Clock;
use kad::fabric::Fabric;
use schema::PublisherEnd;
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

pub(crate) use self::{
    identity::{observer_keypair, publisher_keypair},
    publisher::{Publisher, PublisherGround},
    taking::take_in,
};
use crate::{HoardError, HoardPlan, KeyPublished, PublisherLeft};

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
        let plan = self.plan();
        let Some(arm) = plan.arm(self.arm) else { return Ok(()) };
        let is_over = plan.keys_per_arm().is_some_and(|all| self.done.len() as u64 >= u64::from(all));
        // Who stays comes back as who it was; all others have nothing left to do.
        if is_over && arm.end != PublisherEnd::Connected {
            self.tell(ArmEvent::Ready).await;
            self.tell(ArmEvent::Done).await;
            return Ok(());
        }
        let publisher = Arc::new(Publisher::join(&self.ground, self.arm, &self.cancel).await?);
        self.tell(ArmEvent::Ready).await;
        self.publish_all(&publisher).await;
        self.tell(ArmEvent::Done).await;
        if arm.end == PublisherEnd::Connected {
            self.leave.cancelled().await;
        }
        if let Some(left) = publisher.leave().await {
            self.tell(ArmEvent::Left(left)).await;
        }
        Ok(())
    }

    /// One publication after the other is begun, no faster than the pace and no more at once than it says, and only while there is room to
    /// tell of it.
    async fn publish_all(&self, publisher: &Arc<Publisher<F>>) {
        let plan = self.plan();
        let mut under_way = JoinSet::new();
        let mut next_at = Instant::now();
        for position in (0..).filter(|position| !self.done.contains(position)) {
            let Some(key) = plan.key(self.arm, position) else { break };
            let is_ours = self.cancel.run_until_cancelled(sleep_until(next_at)).await.is_some();
            if !is_ours {
                break;
            }
            while under_way.len() >= plan.pace.at_once {
                under_way.join_next().await;
            }
            let Some(Ok(room)) = self.cancel.run_until_cancelled(self.events.clone().reserve_owned()).await
            else {
                break;
            };
            // A pace that was not kept is not made up for.
            next_at = next_at.max(Instant::now() - plan.pace.gap.min(MAKES_UP_FOR)) + plan.pace.gap;
            let (publisher, events, cancel) = (Arc::clone(publisher), self.events.clone(), self.cancel.clone());
            under_way.spawn(async move {
                let (published, left) = publisher.publish(&key, position, &cancel).await;
                room.send(ArmEvent::Published(Box::new(published)));
                if let Some(left) = left {
                    drop(events.send(ArmEvent::Left(left)).await);
                }
            });
        }
        while under_way.join_next().await.is_some() {}
    }

    fn plan(&self) -> &HoardPlan {
        &self.ground.plan
    }

    async fn tell(&self, event: ArmEvent) {
        // Nobody hears it where all of it is over.
        drop(self.events.send(event).await);
    }
}

/// How much of a pace that was not kept is made up for: so that what a timer is late adds up to nothing.
const MAKES_UP_FOR: Duration = Duration::from_millis(100);

/// The run's time now.
pub(crate) fn now(clock: Clock) -> schema::Timestamp {
    clock.at(Instant::now())
}
