//! One attempt of a dial: a socket, or a name and the sockets that it resolves to.

use std::sync::PoisonError;

use kad::{
    Multiaddr, PeerId,
    failure::{Failure, FailureClass, Phase},
    network::{AddressOutcome, Attempt, Dial, Security},
    plan::{DialRules, Plan, outcome_of_name},
    policy::Target,
};
use tokio::{
    sync::SemaphorePermit,
    time::{Instant, sleep_until, timeout_at},
};

use crate::{
    connection::AnyConnection,
    dial::{Inner, Race},
    tcp,
    ws::Destination,
};

/// What came of one attempt.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) began: Instant,
    pub(crate) result: Result<AnyConnection, AddressOutcome>,
    /// What a name led to, and what came of each.
    pub(crate) resolved: Vec<(Multiaddr, Attempt)>,
}

impl Outcome {
    const fn new(began: Instant, result: Result<AnyConnection, AddressOutcome>) -> Self {
        Self { began, result, resolved: Vec::new() }
    }
}

impl Inner {
    /// Waits until this host may be dialled once more.
    pub(crate) async fn pace(&self, target: Target) {
        let now = Instant::now();
        let turn = {
            let mut pacer = self.shared.pacer.lock().unwrap_or_else(PoisonError::into_inner);
            pacer.reserve(now, target.addr().ip())
        };
        if turn > now {
            sleep_until(turn).await;
        }
    }

    /// Waits until a further attempt may be made.
    async fn room_for(&self, target: Target) -> Option<SemaphorePermit<'_>> {
        self.pace(target).await;
        self.shared.connecting.acquire().await.ok()
    }

    /// Makes one attempt, once there is room for it.
    pub(crate) async fn attempt(
        &self,
        to: Destination<'_>,
        peer: PeerId,
        deadline: Instant,
        permit: Option<SemaphorePermit<'_>>,
    ) -> Outcome {
        let permit = match permit {
            None => timeout_at(deadline, self.room_for(to.target)).await.ok().flatten(),
            first => first,
        };
        if permit.is_none() {
            return Outcome::new(Instant::now(), Err(no_room()));
        }
        let began = Instant::now();
        let deadline = deadline.min(began + self.shared.dial_timeout);
        let result = match to.target {
            Target::Tcp(_) | Target::Ws(_) | Target::Wss(_) => {
                self.dial_tcp(to, peer, deadline).await.map(AnyConnection::tcp)
            }
            Target::Quic(addr) => match &self.shared.quic {
                Some(dialer) => {
                    let dial =
                        async { dialer.dial(self.source.path(addr)?, peer, deadline, &self.persona).await };
                    dial.await.map(AnyConnection::quic)
                }
                None => Err(Failure::new(Phase::Connect, FailureClass::Cancelled)),
            },
        };
        Outcome::new(began, result.map_err(AddressOutcome::Failed))
    }

    /// Dials with Noise, and once more with TLS if the peer speaks, but not Noise.
    async fn dial_tcp(
        &self,
        to: Destination<'_>,
        peer: PeerId,
        deadline: Instant,
    ) -> Result<tcp::Dialled, Failure> {
        match self.tcp.dial(to, peer, Security::Noise, deadline).await {
            Err(refused) if refused.may_speak_tls => {
                let refused = Instant::now();
                self.pace(to.target).await;
                self.tcp.dial(to, peer, Security::Tls, deadline + refused.elapsed()).await
            }
            result => result,
        }
        .map_err(|error| error.failure)
    }

    /// Resolves a name, and dials what it resolves to by the rules of any other dial. Of all that comes of that, the
    /// outcome is the one that came furthest.
    pub(crate) async fn attempt_name(
        &self,
        address: &Multiaddr,
        peer: PeerId,
        deadline: Instant,
        permit: Option<SemaphorePermit<'_>>,
    ) -> Outcome {
        let permit = match permit {
            None => timeout_at(deadline, self.shared.connecting.acquire()).await.ok().and_then(Result::ok),
            first => first,
        };
        let turn = timeout_at(deadline, self.shared.names.turn()).await.ok().flatten();
        if permit.is_none() || turn.is_none() {
            return Outcome::new(Instant::now(), Err(no_room()));
        }
        let began = Instant::now();
        let limit = deadline.min(began + self.shared.dial_timeout);
        let resolved = match timeout_at(limit, self.shared.names.resolve(address, &peer)).await {
            Err(_) => Err(Failure::new(Phase::Dns, FailureClass::Timeout)),
            Ok(resolved) => resolved,
        };
        // Each of the sockets waits for room of its own.
        drop((permit, turn));
        let resolved = match resolved {
            Err(failure) => return Outcome::new(began, Err(AddressOutcome::Failed(failure))),
            Ok(resolved) => resolved,
        };
        let rules = DialRules { names: false, ..self.shared.rules.clone() };
        let plan = Plan::of_resolved(&resolved.addrs, &peer, &rules);
        let places = (&*resolved.addrs, &*resolved.names);
        let Dial { attempts, connection } =
            Box::pin(Race::new(self, peer, places, plan, (began, deadline)).run()).await;
        let result = connection.ok_or_else(|| outcome_of_name(&attempts));
        Outcome { began, result, resolved: resolved.addrs.into_iter().zip(attempts).collect() }
    }
}

fn no_room() -> AddressOutcome {
    AddressOutcome::Failed(Failure::new(Phase::Connect, FailureClass::LocalResources))
}
