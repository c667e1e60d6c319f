//! The peers of ours that joined a world: their numbers, and who of them listens where.

use std::{
    collections::{BTreeMap, HashMap},
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use kad::{network::Transport, policy::Target};

use super::ours::Ours;

/// The first port that is given out where none was asked for: those of the range that IANA leaves to systems (RFC 6335).
const FIRST_FREE_PORT: u16 = 49_152;

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Members {
    state: RwLock<State>,
    next_connection: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    all: BTreeMap<u64, Arc<Ours>>,
    listening: HashMap<Port, (Transport, u64)>,
}

/// A port of an address: those of TCP and of UDP are different ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Port {
    socket: SocketAddr,
    is_udp: bool,
}

impl Port {
    fn of(target: Target) -> Self {
        Self { socket: target.addr(), is_udp: target.transport() == Transport::Quic }
    }
}

impl Members {
    /// Takes the number of a new member.
    pub(super) fn number(&self) -> u64 {
        let mut state = self.write();
        state.next += 1;
        state.next
    }

    /// Lets a member in that listens at these. Whether nobody else did.
    pub(super) fn enter(&self, member: &Arc<Ours>, listens: &[Target]) -> Result<(), Target> {
        let mut state = self.write();
        if let Some(taken) = listens.iter().find(|target| state.listening.contains_key(&Port::of(**target))) {
            return Err(*taken);
        }
        for target in listens {
            state.listening.insert(Port::of(*target), (target.transport(), member.number()));
        }
        state.all.insert(member.number(), Arc::clone(member));
        Ok(())
    }

    /// A member is no longer there.
    pub(super) fn remove(&self, number: u64) {
        let mut state = self.write();
        state.all.remove(&number);
        state.listening.retain(|_, (_, other)| *other != number);
    }

    /// Who of ours listens there.
    pub(super) fn at(&self, target: Target) -> Option<Arc<Ours>> {
        let state = self.read();
        let (transport, number) = state.listening.get(&Port::of(target))?;
        state.all.get(number).filter(|_| *transport == target.transport()).cloned()
    }

    /// The member with this number; `None` once it has left.
    pub(super) fn get(&self, number: u64) -> Option<Arc<Ours>> {
        self.read().all.get(&number).cloned()
    }

    /// A port of an address where nobody of ours listens and that is none of `others`; `None` if all are taken.
    pub(super) fn free_port(&self, ip: IpAddr, is_udp: bool, others: &[Target]) -> Option<u16> {
        let state = self.read();
        (FIRST_FREE_PORT..=u16::MAX).find(|&port| {
            let wanted = Port { socket: SocketAddr::new(ip, port), is_udp };
            !state.listening.contains_key(&wanted) && others.iter().all(|other| Port::of(*other) != wanted)
        })
    }

    /// The number of the next connection.
    pub(super) fn next_connection(&self) -> u64 {
        self.next_connection.fetch_add(1, Ordering::Relaxed)
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}
