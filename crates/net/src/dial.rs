//! Dials peers: several addresses, one winner, and the fate of each address kept.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use kad::{
    Multiaddr, PeerId,
    fabric::{Accepted, AnyService, Member, Says, Service},
    failure::{Failure, SkipReason},
    network::{AddressOutcome, Attempt, Dial, DialTotals, Network, Transport},
    plan::{Approach, DialTurn, Plan},
};
use tokio::{
    sync::SemaphorePermit,
    time::{Instant, timeout_at},
};

use crate::{
    attempt::Outcome,
    config::HostConfig,
    connection::AnyConnection,
    error::NetError,
    fabric::{Membership, Resources, SocketFabric},
    identity::Identity,
    introduction::{Introduction, protocols},
    persona::{Nothing, Persona, Voice},
    source::Source,
    tcp::Dialer,
    ws::Destination,
};

/// A peer of ours on sockets. Cheap to clone; all clones are the same peer. It needs a tokio runtime with IO and time.
///
/// One that only dials is made by [`Host::new`], on a fabric of its own. One that also listens [joins](kad::fabric::Fabric::join)
/// a [`SocketFabric`].
#[derive(Debug, Clone)]
pub struct Host(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) shared: Arc<Resources>,
    pub(crate) persona: Arc<Persona>,
    pub(crate) tcp: Dialer,
    pub(crate) source: Source,
    /// `None` for one that only dials.
    membership: Option<Membership>,
}

impl Host {
    /// A host that only dials. An error says that no certificate for QUIC could be made of the identity.
    pub fn new(config: HostConfig) -> Result<Self, NetError> {
        let said: Vec<&str> = config.kad_protocols.iter().map(String::as_str).collect();
        let said = protocols(&[], &said);
        let voice = |identity: &Identity, _: &[_]| Voice {
            introduction: Introduction::new(identity, &config.agent, &said, &config.listen_addrs),
            protocols: protocols(&[], &[]),
        };
        let persona = Arc::new(Persona::new(config.identity.clone(), Arc::new(Nothing), voice));
        if config.dials.quic && persona.client_tls().is_none() {
            return Err(NetError::Certificate);
        }
        Ok(SocketFabric::new(config.dials.into()).dialler(persona))
    }

    /// Another peer of ours that only dials, with the limits, sockets and names of this one. It is known under an identity
    /// and an agent of its own, and its dials leave from `source`.
    #[must_use]
    pub fn beside(&self, identity: Identity, agent: &str, source: Source) -> Self {
        let says = Says { agent: agent.to_owned(), kad_protocols: Vec::new(), addresses: Vec::new() };
        self.serving_beside(identity, &says, Arc::new(Nothing), source)
    }

    /// The same for one that answers those whom it has dialled, on these connections: as a server that nobody can dial.
    #[must_use]
    pub fn serving_beside<S: Service>(
        &self,
        identity: Identity,
        says: &Says,
        service: Arc<S>,
        source: Source,
    ) -> Self {
        let voice = |identity: &Identity, others: &[_]| Voice::of(identity, says, others);
        let persona = Arc::new(Persona::new(identity, service as Arc<dyn AnyService>, voice));
        Self::leaving_from(source, Arc::clone(&self.0.shared), persona, None)
    }

    /// A peer of ours on a fabric.
    pub(crate) fn on(shared: Arc<Resources>, persona: Arc<Persona>, membership: Option<Membership>) -> Self {
        let source = membership.as_ref().map_or(Source::System, |own| Source::of_listening(own.listens()));
        Self::leaving_from(source, shared, persona, membership)
    }

    fn leaving_from(
        source: Source,
        shared: Arc<Resources>,
        persona: Arc<Persona>,
        membership: Option<Membership>,
    ) -> Self {
        let tcp = Dialer::new(Arc::clone(&persona), shared.roots.clone(), source);
        Self(Arc::new(Inner { shared, persona, tcp, source, membership }))
    }

    /// The peers that a `/dnsaddr` name lists without being asked for one of them, each with an address that may be a
    /// name again; at most 100 entries are read. An error is in phase `Dns`, and comes only when nobody was found.
    pub async fn list(&self, name: &Multiaddr) -> Result<Vec<(PeerId, Multiaddr)>, Failure> {
        self.0.shared.names.list(name).await
    }
}

impl Network for Host {
    type Connection = AnyConnection;

    fn local(&self) -> PeerId {
        self.0.persona.peer_id()
    }

    fn admits(&self, address: &Multiaddr) -> Result<Option<Transport>, SkipReason> {
        self.0.shared.rules.admits(address)
    }

    fn totals(&self) -> DialTotals {
        DialTotals { lost: self.0.tcp.lost(), dns_entries_left_out: self.0.shared.names.left_out() }
    }

    async fn connect_within(
        &self,
        peer: PeerId,
        addrs: Vec<Multiaddr>,
        at_most: Option<Duration>,
    ) -> Dial<AnyConnection> {
        let (inner, shared) = (&self.0, &self.0.shared);
        let plan = Plan::new(&addrs, &peer, &shared.rules);
        let has_left = inner.membership.as_ref().is_some_and(Membership::has_left);
        let Some(first) = plan.upcoming().filter(|_| !has_left) else {
            return Dial { attempts: plan.into_attempts(), connection: None };
        };
        // The clock starts when there is room for the first attempt. The semaphore is never closed.
        if let Approach::Socket(target) = first.way {
            inner.pace(target).await;
        }
        let permit = shared.connecting.acquire().await.ok();
        let started = Instant::now();
        let total = shared.total_timeout;
        let deadline = started + at_most.map_or(total, |at_most| at_most.min(total));
        let race = Race::new(inner, peer, (&addrs, &[]), plan, (started, deadline));
        let mut dial = race.with_permit(permit).run().await;
        if let (Some(membership), Some(connection)) = (&inner.membership, &mut dial.connection) {
            membership.register(&inner.persona, peer, connection);
        }
        dial
    }
}

impl Member for Host {
    fn listens(&self) -> Vec<Multiaddr> {
        self.0.membership.as_ref().map_or_else(Vec::new, |membership| membership.listens().to_vec())
    }

    fn say(&self, says: Says) {
        self.0.persona.say(&says);
        if let Some(membership) = &self.0.membership {
            membership.push();
        }
    }

    fn protect(&self, peer: PeerId, spared: bool) {
        if let Some(membership) = &self.0.membership {
            membership.protect(peer, spared);
        }
    }

    async fn accept(&self) -> Option<Accepted<AnyConnection>> {
        self.0.membership.as_ref()?.accept().await
    }

    async fn leave(self) {
        if let Some(membership) = &self.0.membership {
            membership.leave().await;
        }
    }
}

/// One attempt under way.
struct Runner<'a> {
    index: usize,
    began: Instant,
    attempt: Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>,
}

/// All attempts of one dial.
pub(crate) struct Race<'a> {
    host: &'a Inner,
    peer: PeerId,
    addrs: &'a [Multiaddr],
    /// The names that the addresses were resolved from, if they were.
    names: &'a [Box<str>],
    plan: Plan,
    started: Instant,
    deadline: Instant,
    /// For the first attempt.
    permit: Option<SemaphorePermit<'a>>,
    running: Vec<Runner<'a>>,
}

impl<'a> Race<'a> {
    /// With the addresses and the names that they were resolved from, and the time of the start and of the end.
    pub(crate) const fn new(
        host: &'a Inner,
        peer: PeerId,
        (addrs, names): (&'a [Multiaddr], &'a [Box<str>]),
        plan: Plan,
        (started, deadline): (Instant, Instant),
    ) -> Self {
        Self { host, peer, addrs, names, plan, started, deadline, permit: None, running: Vec::new() }
    }

    fn with_permit(self, permit: Option<SemaphorePermit<'a>>) -> Self {
        Self { permit, ..self }
    }

    pub(crate) async fn run(mut self) -> Dial<AnyConnection> {
        loop {
            let now = Instant::now();
            if now >= self.deadline {
                self.plan.close();
            }
            if let Some(turn) = self.plan.begin(now.saturating_duration_since(self.started)) {
                self.start(turn);
            }
            if self.running.is_empty() {
                return self.end(None);
            }
            let finished = match self.plan.next() {
                Some(next) => timeout_at(self.started + next, poll_fn(|cx| self.poll(cx))).await.ok(),
                None => Some(poll_fn(|cx| self.poll(cx)).await),
            };
            if let Some((index, Outcome { began, result, resolved })) = finished {
                let attempt = |outcome| Attempt {
                    started_after: Some(began.saturating_duration_since(self.started)),
                    took: Some(began.elapsed()),
                    outcome,
                    resolved,
                };
                match result {
                    Ok(mut connection) => {
                        connection.set_address(index);
                        self.plan.settle(index, attempt(AddressOutcome::Connected));
                        return self.end(Some(connection));
                    }
                    Err(outcome) => self.plan.fail(index, attempt(outcome)),
                }
            }
        }
    }

    fn start(&mut self, turn: DialTurn) {
        let Some(address) = self.addrs.get(turn.index) else { return };
        let name = self.names.get(turn.index).map(|name| &**name);
        let permit = self.permit.take();
        let attempt: Pin<Box<dyn Future<Output = Outcome> + Send + 'a>> = match turn.way {
            Approach::Socket(target) => {
                let to = Destination { target, address, name };
                Box::pin(self.host.attempt(to, self.peer, self.deadline, permit))
            }
            Approach::Name => Box::pin(self.host.attempt_name(address, self.peer, self.deadline, permit)),
        };
        self.running.push(Runner { index: turn.index, began: Instant::now(), attempt });
    }

    /// The first attempt that is over.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<(usize, Outcome)> {
        for position in 0..self.running.len() {
            let Some(runner) = self.running.get_mut(position) else { break };
            if let Poll::Ready(outcome) = runner.attempt.as_mut().poll(cx) {
                return Poll::Ready((self.running.swap_remove(position).index, outcome));
            }
        }
        Poll::Pending
    }

    fn end(mut self, connection: Option<AnyConnection>) -> Dial<AnyConnection> {
        for runner in self.running {
            let attempt = Attempt {
                started_after: Some(runner.began.saturating_duration_since(self.started)),
                took: Some(runner.began.elapsed()),
                outcome: AddressOutcome::Abandoned,
                resolved: Vec::new(),
            };
            self.plan.settle(runner.index, attempt);
        }
        Dial { attempts: self.plan.into_attempts(), connection }
    }
}
