//! Finds what numbers stand for, those of many rows at once.

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};
use kad::{
    Address,
    failure::{Failure, FailureClass, Phase},
};
use tokio_postgres::{Client, Row, types::Type};

use super::{
    error::{damaged, named, unknown},
    text,
    values::Label,
};
use crate::{
    Error,
    limits::{CACHED_ADDRESSES, CACHED_TEXTS},
};

/// What a number in `failure` stands for; only that of a prefix has no phase.
#[derive(Debug, Clone)]
struct Known {
    class: FailureClass,
    phase: Option<Phase>,
    detail: Option<Box<str>>,
}

/// The values of numbers that were met.
#[derive(Debug, Default)]
pub(super) struct Resolver {
    addresses: Values<Address>,
    agents: Values<String>,
    protocols: Values<Vec<String>>,
    failures: Values<Known>,
}

/// The values of one kind.
#[derive(Debug)]
struct Values<T> {
    known: HashMap<i32, T, RandomState>,
    missing: HashSet<i32, RandomState>,
}

impl<T> Default for Values<T> {
    fn default() -> Self {
        Self { known: HashMap::default(), missing: HashSet::default() }
    }
}

impl<T> Values<T> {
    fn want(&mut self, id: i32) {
        if !self.known.contains_key(&id) {
            self.missing.insert(id);
        }
    }

    async fn resolve(
        &mut self,
        (sql, store): (&Client, &str),
        statement: &str,
        value: impl Fn(&Row) -> Result<Option<T>, tokio_postgres::Error>,
    ) -> Result<(), Error> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = self.missing.drain().collect();
        let found = sql.query_typed(statement, &[(&ids, Type::INT4_ARRAY)]).await;
        for row in found.map_err(|error| named(store, Error::READ, &error))? {
            let read = row.try_get(0).and_then(|id: i32| Ok((id, value(&row)?)));
            let (id, value) = read.map_err(|error| named(store, Error::READ, &error))?;
            let value = value.ok_or_else(|| damaged(store, "a value that was never written"))?;
            self.known.insert(id, value);
        }
        Ok(())
    }

    fn get(&self, id: i32, store: &str) -> Result<&T, Error> {
        self.known.get(&id).ok_or_else(|| damaged(store, "a number that stands for nothing"))
    }
}

impl Resolver {
    /// Begins to read other rows: what is remembered stays bounded.
    pub(super) fn begin(&mut self) {
        if self.addresses.known.len() > 2 * CACHED_ADDRESSES {
            self.addresses.known.clear();
        }
        if self.agents.known.len() + self.protocols.known.len() + self.failures.known.len() > 4 * CACHED_TEXTS
        {
            self.agents.known.clear();
            self.protocols.known.clear();
            self.failures.known.clear();
        }
    }

    pub(super) fn want_address(&mut self, id: i32) {
        self.addresses.want(id);
    }

    pub(super) fn want_agent(&mut self, id: i32) {
        self.agents.want(id);
    }

    pub(super) fn want_protocols(&mut self, id: i32) {
        self.protocols.want(id);
    }

    pub(super) fn want_failure(&mut self, id: i32) {
        self.failures.want(id);
    }

    /// Finds all that was wanted.
    pub(super) async fn resolve(&mut self, at: (&Client, &str)) -> Result<(), Error> {
        let addresses = "SELECT id, multiaddr, raw FROM address WHERE id = ANY ($1)";
        self.addresses.resolve(at, addresses, address).await?;
        let agents = "SELECT id, agent FROM agent WHERE id = ANY ($1)";
        self.agents.resolve(at, agents, |row| Ok(text::read(row.try_get(1)?))).await?;
        let sets = "SELECT id, protocols FROM protocol_set WHERE id = ANY ($1)";
        let set = |row: &Row| {
            let texts: Vec<String> = row.try_get(1)?;
            Ok(texts.into_iter().map(text::read).collect())
        };
        self.protocols.resolve(at, sets, set).await?;
        let failures = "SELECT id, class, phase, detail FROM failure WHERE id = ANY ($1)";
        self.failures.resolve(at, failures, failure).await
    }

    pub(super) fn address(&self, id: i32, store: &str) -> Result<Address, Error> {
        self.addresses.get(id, store).cloned()
    }

    pub(super) fn agent(&self, id: i32, store: &str) -> Result<String, Error> {
        self.agents.get(id, store).cloned()
    }

    pub(super) fn protocols(&self, id: i32, store: &str) -> Result<Vec<String>, Error> {
        self.protocols.get(id, store).cloned()
    }

    pub(super) fn failure(&self, id: i32, store: &str) -> Result<Failure, Error> {
        let Known { class, phase, detail } = self.failures.get(id, store)?.clone();
        let phase = phase.ok_or_else(|| damaged(store, "a failure without a phase"))?;
        Ok(Failure { phase, class, detail })
    }

    pub(super) fn class(&self, id: i32, store: &str) -> Result<FailureClass, Error> {
        self.failures.get(id, store).map(|known| known.class)
    }
}

/// The address in the second and third column of a row; `None` if nobody can have written it.
pub(super) fn address(row: &Row) -> Result<Option<Address>, tokio_postgres::Error> {
    let raw: Option<&[u8]> = row.try_get(2)?;
    match raw {
        Some(raw) => Ok(Some(Address::from_bytes(raw))),
        None => Ok(row.try_get::<_, &str>(1)?.parse().ok().map(Address::Multiaddr)),
    }
}

fn failure(row: &Row) -> Result<Option<Known>, tokio_postgres::Error> {
    let (class, phase): (Label, Option<Label>) = (row.try_get(1)?, row.try_get(2)?);
    let detail: Option<String> = row.try_get(3)?;
    let known = || {
        let phase = match phase {
            None => None,
            Some(Label(name)) => Some(Phase::from_name(&name)?),
        };
        let detail = match detail {
            None => None,
            Some(detail) => Some(text::read(detail)?.into()),
        };
        Some(Known { class: FailureClass::from_name(&class.0)?, phase, detail })
    };
    Ok(known())
}

/// A closed name that is known.
pub(super) fn name<T>(
    store: &str,
    vocabulary: &'static str,
    Label(name): Label,
    known: fn(&str) -> Option<T>,
) -> Result<T, Error> {
    known(&name).ok_or_else(|| unknown(store, vocabulary, &name))
}
