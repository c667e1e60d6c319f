//! A register in memory, for one process: it answers at once, and knows no time but what it is told.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use schema::Timestamp;

use super::{
    entry::{MOST_SERVERS, RegisteredServer, SchedulerId, ServerEntry, ServerId},
    lease::{Lease, LeaseOutcome},
};
use crate::Error;

/// Leases that are remembered.
const MOST_LEASES: usize = 10_000;

/// The register.
#[derive(Debug, Default)]
pub(super) struct MemoryRegister {
    tables: Mutex<Tables>,
    is_away: AtomicBool,
}

#[derive(Debug, Default)]
struct Tables {
    servers: BTreeMap<ServerId, RegisteredServer>,
    last_server: u32,
    last_scheduler: u32,
    leases: BTreeMap<String, Lease>,
}

impl MemoryRegister {
    pub(super) fn set_away(&self, is_away: bool) {
        self.is_away.store(is_away, Relaxed);
    }

    pub(super) fn is_away(&self) -> bool {
        self.is_away.load(Relaxed)
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn enter_server(&self, entry: &ServerEntry) -> ServerId {
        let mut tables = self.tables();
        for earlier in tables.servers.values_mut().filter(|server| server.entry.peer == entry.peer) {
            earlier.offline_since.get_or_insert(entry.entered_at);
        }
        if tables.servers.len() >= MOST_SERVERS {
            tables.servers.pop_first();
        }
        tables.last_server = tables.last_server.saturating_add(1);
        let id = ServerId(tables.last_server);
        let server = RegisteredServer { id, entry: entry.clone(), last_heartbeat: None, offline_since: None };
        tables.servers.insert(id, server);
        id
    }

    fn change(&self, id: ServerId, change: impl FnOnce(&mut RegisteredServer)) -> Result<(), Error> {
        let mut tables = self.tables();
        let server = tables.servers.get_mut(&id);
        server.map(change).ok_or_else(|| Error::UnknownServer { store: "memory".to_owned(), id: id.0 })
    }

    pub(super) fn heartbeat(&self, id: ServerId, now: Timestamp) -> Result<(), Error> {
        self.change(id, |server| (server.last_heartbeat, server.offline_since) = (Some(now), None))
    }

    pub(super) fn offline(&self, id: ServerId, since: Timestamp) -> Result<(), Error> {
        self.change(id, |server| server.offline_since = Some(since))
    }

    pub(super) fn servers(&self, fleets: &[String], alive_since: Timestamp) -> Vec<RegisteredServer> {
        let tables = self.tables();
        let wanted =
            |server: &&RegisteredServer| server.is_alive(alive_since) && fleets.contains(&server.entry.fleet);
        tables.servers.values().filter(wanted).cloned().collect()
    }

    pub(super) fn all_servers(&self) -> Vec<RegisteredServer> {
        self.tables().servers.values().cloned().collect()
    }

    pub(super) fn enter_scheduler(&self) -> SchedulerId {
        let mut tables = self.tables();
        tables.last_scheduler = tables.last_scheduler.saturating_add(1);
        SchedulerId(tables.last_scheduler)
    }

    pub(super) fn lease(&self, name: &str, holder: &str, until: Timestamp, now: Timestamp) -> LeaseOutcome {
        let mut tables = self.tables();
        match Lease::taken(tables.leases.get(name), holder, until, now) {
            Ok(lease) => {
                if tables.leases.len() >= MOST_LEASES && !tables.leases.contains_key(name) {
                    tables.leases.retain(|_, lease| lease.until > now);
                }
                let outcome = lease.outcome();
                tables.leases.insert(name.to_owned(), lease);
                outcome
            }
            Err(outcome) => outcome,
        }
    }

    pub(super) fn release(&self, name: &str, holder: &str) {
        if let Some(lease) = self.tables().leases.get_mut(name).filter(|lease| lease.holder == holder) {
            lease.until = Timestamp(i64::MIN);
        }
    }
}
