//! Who publishes for an arm: a peer of ours that looks for nothing else, by the strategy, persistence and K of its arm.

use std::{sync::Arc, time::Duration};

use crawl::{Clock, FullTableConfig, FullTableKeeper};
use dht::{
    AsksOnly, BACKGROUND_SLOTS, Finder, FinderTerms, FullTable, FullTerms, Node, NodeConfig, OptimisticTerms,
    Pool, PoolConfig, ProviderRecord, Publication, PublishTerms, Quest, SweepTerms, TalkLimits,
};
use kad::{
    Contact, PeerId,
    fabric::{Fabric, Inward, Member, Says, Terms},
    lookup::LookupKind,
    network::Network,
    table::TableRules,
};
use schema::{PublisherEnd, Strategy};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{identity::publisher_keypair, now, published::published};
use crate::{AgentBook, Arm, HoardError, HoardPlan, KeyPublished, PublisherLeft, filters::Filtered};

/// How long a publisher may take to fill its table. What it knows by then is what it begins with.
const FILL_TIME: Duration = Duration::from_secs(60);

/// Longer than any study: a publisher hangs up when it leaves.
const FOR_GOOD: Duration = Duration::from_secs(10 * 366 * 24 * 3600);

/// What all publishers of a study have in common.
pub(crate) struct PublisherGround<F> {
    pub(crate) fabric: F,
    pub(crate) plan: Arc<HoardPlan>,
    /// How their peers live, but for who they are.
    pub(crate) node: NodeConfig,
    pub(crate) clock: Clock,
    pub(crate) agents: Arc<AgentBook>,
    /// How the network is crawled where a strategy needs to know everybody.
    pub(crate) everybody: FullTableConfig,
}

/// The publisher of an arm. It keeps no record itself, and nobody lists it.
pub(crate) struct Publisher<F: Fabric> {
    ground: Arc<PublisherGround<F>>,
    arm: (u16, Arm),
    node: Node<F::Member>,
    /// Everybody, where the strategy needs that.
    everybody: Option<FullTableKeeper<F::Member>>,
    crawling: CancellationToken,
    slots: Arc<Semaphore>,
}

impl<F: Fabric> Publisher<F> {
    /// Joins the fabric and fills its table; an error if it cannot, or if it knows nobody then.
    pub(crate) async fn join(
        ground: &Arc<PublisherGround<F>>,
        number: u16,
        cancel: &CancellationToken,
    ) -> Result<Self, HoardError> {
        let unmade = || HoardError::NoKeypair(number);
        let arm = ground.plan.arm(number).ok_or_else(unmade)?.clone();
        let keypair = publisher_keypair(ground.plan.seed, number, None).ok_or_else(unmade)?;
        let node = Node::join(&ground.fabric, ground.config(&arm, keypair)).await;
        let node =
            node.map_err(|error| HoardError::Join { arm: arm.name.clone(), error: error.to_string() })?;
        cancel.run_until_cancelled(timeout(FILL_TIME, node.refreshed(1))).await;
        let (crawling, slots) = (CancellationToken::new(), Arc::new(Semaphore::new(BACKGROUND_SLOTS)));
        let mut publisher =
            Self { ground: Arc::clone(ground), arm: (number, arm), node, everybody: None, crawling, slots };
        if publisher.arm.1.strategy == Strategy::FullRt {
            publisher.crawl(cancel).await;
        }
        if publisher.knows() == 0 && !cancel.is_cancelled() {
            publisher.node.retire().await;
            return Err(HoardError::KnowsNobody { arm: publisher.arm.1.name.clone() });
        }
        Ok(publisher)
    }

    /// Has the network crawled now, and then as often as was set, until it leaves.
    async fn crawl(&mut self, cancel: &CancellationToken) {
        let NodeConfig { profile, bootstrap, .. } = &self.ground.node;
        let (member, protocols) = (self.node.member().clone(), Arc::clone(&profile.protocols));
        let config = self.ground.everybody.clone();
        let every = config.every;
        let keeper = FullTableKeeper::new(member, protocols, bootstrap, config);
        keeper.renew(cancel).await;
        self.everybody = Some(keeper.clone());
        let crawling = self.crawling.clone();
        tokio::spawn(async move {
            // The first was made already.
            if crawling.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
                keeper.run(|_| {}, &crawling).await;
            }
        });
    }

    /// How many peers it knows.
    fn knows(&self) -> usize {
        self.everybody.as_ref().map_or_else(|| self.node.table_size(), |keeper| keeper.table().len())
    }

    /// Publishes a key, and says of every gift what became of it. Where each key has a publisher of its own, that it has left is said, too.
    pub(crate) async fn publish(
        &self,
        key: &[u8],
        position: u32,
        cancel: &CancellationToken,
    ) -> (KeyPublished, Option<PublisherLeft>) {
        if self.arm.1.end != PublisherEnd::ClosedEach {
            let told =
                self.publish_by(self.node.finder(), self.node.contact(), (key, position), cancel).await;
            return (told, None);
        }
        let number = (self.arm.0, position);
        let (finder, contact) = match self.of_its_own(position).await {
            Ok(own) => own,
            Err(failure) => {
                tracing::warn!(arm = %self.arm.1.name, position, %failure, "no publisher could be made for a key");
                let provider = publisher_keypair(self.ground.plan.seed, number.0, Some(position))
                    .map_or_else(|| self.node.contact().peer, |keypair| keypair.public().to_peer_id());
                let nobody = Publication::whole(
                    Duration::ZERO,
                    Vec::new(),
                    Vec::new(),
                    Err(dht::PublishFailure::NoPeers),
                );
                let began = now(self.ground.clock);
                return (published(self.told((key, position), provider, began), &nobody), None);
            }
        };
        let told = self.publish_by(&finder, &contact, (key, position), cancel).await;
        finder.pool().network().clone().leave().await;
        let closed_at = now(self.ground.clock);
        (told, Some(PublisherLeft { peer: contact.peer, arm: self.arm.0, closed_at }))
    }

    /// A publisher for one key. Whom it knows it is told by the arm's, which gives no record itself.
    async fn of_its_own(&self, position: u32) -> Result<(Finder<F::Member>, Contact), String> {
        let (ground, (arm, _)) = (&self.ground, &self.arm);
        let keypair = publisher_keypair(ground.plan.seed, *arm, Some(position)).ok_or("it has no key")?;
        let peer = keypair.public().to_peer_id();
        let NodeConfig { profile, listen, patience, pool, pace, .. } = &ground.node;
        let says = Says {
            agent: profile.agent.clone(),
            kad_protocols: Vec::new(),
            addresses: profile.announce.clone(),
        };
        let terms = Terms { keypair, says: says.clone(), listen: listen.clone(), inward: Inward::Served };
        let member =
            ground.fabric.join(terms, Arc::new(AsksOnly)).await.map_err(|error| error.to_string())?;
        let addresses = if says.addresses.is_empty() { member.listens() } else { says.addresses.clone() };
        member.say(Says { addresses: addresses.clone(), ..says });
        let terms = FinderTerms { own: peer, protocols: Arc::clone(&profile.protocols), patience: *patience };
        let finder = Finder::new(Pool::new(member, *pool).paced(pace.clone()), terms);
        Ok((finder, Contact { peer, addrs: addresses }))
    }

    /// Publishes a key in the name of this contact.
    async fn publish_by(
        &self,
        finder: &Finder<F::Member>,
        contact: &Contact,
        (key, position): (&[u8], u32),
        cancel: &CancellationToken,
    ) -> KeyPublished {
        let ground = &self.ground;
        let began = now(ground.clock);
        let Filtered { unasked, withheld } =
            ground.plan.filters.of_publications(self.arm.1.strategy, &ground.agents);
        let finder =
            finder.clone().ignoring(ground.node.ignored.iter().chain(&unasked)).withholding(&withheld);
        let record = ProviderRecord { key: key.to_vec(), provider: contact.clone() };
        let mut publication = self.give(&finder, &record, cancel).await;
        publication.settle().await;
        published(self.told((key, position), contact.peer, began), &publication)
    }

    /// Gives a record by the strategy of the arm.
    async fn give<N: Network>(
        &self,
        finder: &Finder<N>,
        record: &ProviderRecord,
        cancel: &CancellationToken,
    ) -> Publication {
        let (_, arm) = &self.arm;
        let deadline = Instant::now() + self.ground.plan.pace.deadline;
        let terms = PublishTerms { deadline, persistence: arm.persistence };
        let from = self.node.begins_with(&record.key);
        let rules = kad::lookup::Rules { k: arm.k.into(), ..self.ground.node.rules };
        let quest = Quest { kind: LookupKind::Closest, key: record.key.clone(), from: from.clone(), rules };
        match arm.strategy {
            Strategy::OptProv => {
                let (size, slots) = (Arc::clone(self.node.size()), Arc::clone(&self.slots));
                let terms = OptimisticTerms { publish: terms, size, slots };
                finder.publish_optimistic(record, quest, &terms, cancel).await
            }
            Strategy::FullRt => {
                let table = self.everybody.as_ref().map_or_else(FullTable::default, FullTableKeeper::table);
                let terms = FullTerms { k: arm.k.into(), ..arm.persistence.into() };
                let give = |over| async move { finder.publish_full(record, &table, terms, &over).await };
                Publication::until(deadline, cancel, give).await
            }
            Strategy::Sweep => {
                let (terms, from) = (SweepTerms::from(arm.persistence), &from);
                let give = |over| async move { finder.publish_sweep_one(record, from, &terms, &over).await };
                Publication::until(deadline, cancel, give).await
            }
            Strategy::Default | Strategy::Indexer => finder.publish(record, quest, terms, cancel).await,
        }
    }

    fn told<'a>(
        &'a self,
        (key, position): (&'a [u8], u32),
        provider: PeerId,
        began: schema::Timestamp,
    ) -> super::published::PublicationTold<'a> {
        let (arm, of) = (self.arm.0, &self.arm.1);
        super::published::PublicationTold {
            key,
            position,
            provider,
            began,
            arm,
            of,
            agents: &self.ground.agents,
        }
    }

    /// Leaves, and says when all its connections were closed; nothing where each key had a publisher of its own.
    pub(crate) async fn leave(&self) -> Option<PublisherLeft> {
        self.crawling.cancel();
        self.node.retire().await;
        let (peer, closed_at) = (self.node.contact().peer, now(self.ground.clock));
        let arm = self.arm.0;
        (self.arm.1.end != PublisherEnd::ClosedEach).then_some(PublisherLeft { peer, arm, closed_at })
    }
}

impl<F> PublisherGround<F> {
    /// How the peer of an arm lives: as a client, so that nobody lists it, and nobody finds with it what it published.
    fn config(&self, arm: &Arm, keypair: kad::Keypair) -> NodeConfig {
        let mut rules = self.node.rules;
        rules.k = arm.k.into();
        // From when it hangs up on a holder, the holder's clock runs: that is to be when it leaves, and not when it has had nothing to ask.
        let limits = TalkLimits { idle: FOR_GOOD, ..self.node.pool.limits };
        NodeConfig {
            keypair,
            serves: false,
            keeps_own: false,
            checks_addresses: false,
            // As `BucketSize` of go-libp2p-kad-dht does.
            table: TableRules { bucket_size: arm.k.into(), ..self.node.table },
            pool: PoolConfig { limits, ..self.node.pool },
            rules,
            ..self.node.clone()
        }
    }
}
