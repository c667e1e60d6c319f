//! Puts rows together again.

use std::time::Duration;

use kad::{
    Address,
    failure::SkipReason,
    network::{AddressOutcome, RoundTrip, RttSource, Security, Transport, WssCertificate},
};
use schema::{
    AddressVisit, ConnectionInfo, Encounter, PeerNumber, PrefixOutcome, Table,
    cell::Cell,
    table::{Column, Holds, List},
    visit::PREFIXES,
};
use tokio_postgres::{Row, types::FromSql};

use super::{
    encode::{FAILED, NOT_ASKED, SAVED},
    error::{damaged, named, unknown},
    layout::{self, Kind, PgColumn, Refers},
    resolve::{Resolver, name},
    text,
    values::{Label, Moment},
};
use crate::{Error, rows::Read};

/// What a statement selects of a row: its number, then its columns behind run, number and time of creation.
pub(super) fn columns(table: &Table) -> Vec<PgColumn> {
    layout::columns(table).split_off(3)
}

/// Takes the columns of a row one after the other.
pub(super) struct Columns<'a> {
    row: &'a Row,
    next: usize,
    store: &'a str,
    resolver: &'a Resolver,
}

/// Notes what a row refers to.
pub(super) fn want(
    row: &Row,
    columns: &[PgColumn],
    resolver: &mut Resolver,
) -> Result<(), tokio_postgres::Error> {
    for (position, column) in columns.iter().enumerate() {
        let Some(refers) = column.refers else { continue };
        let numbers: Vec<i32> = if column.kind == Kind::Int {
            row.try_get::<_, Option<i32>>(position + 1)?.into_iter().collect()
        } else {
            let numbers: Option<Vec<Option<i32>>> = row.try_get(position + 1)?;
            numbers.unwrap_or_default().into_iter().flatten().collect()
        };
        for number in numbers {
            match refers {
                Refers::Address => resolver.want_address(number),
                Refers::Agent => resolver.want_agent(number),
                Refers::Protocols => resolver.want_protocols(number),
                Refers::Failure => resolver.want_failure(number),
                Refers::Prefixes if number <= FAILED => resolver.want_failure(FAILED - number),
                Refers::Prefixes => {}
            }
        }
    }
    Ok(())
}

impl<'a> Columns<'a> {
    /// Of a row that `columns` were selected of.
    pub(super) const fn new(row: &'a Row, store: &'a str, resolver: &'a Resolver) -> Self {
        Self { row, next: 1, store, resolver }
    }

    fn take<T: FromSql<'a>>(&mut self) -> Result<T, Error> {
        self.next += 1;
        self.row.try_get(self.next - 1).map_err(|error| named(self.store, Error::READ, &error))
    }

    fn duration(&mut self) -> Result<Option<Duration>, Error> {
        Ok(self.take::<Option<i64>>()?.map(|micros| Duration::from_micros(micros.cast_unsigned())))
    }

    fn count(&mut self) -> Result<Option<u64>, Error> {
        Ok(self.take::<Option<i64>>()?.map(i64::cast_unsigned))
    }

    fn name<T>(
        &mut self,
        vocabulary: &'static str,
        known: fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let label: Option<Label> = self.take()?;
        label.map(|label| name(self.store, vocabulary, label, known)).transpose()
    }

    fn failure(&mut self) -> Result<Option<kad::failure::Failure>, Error> {
        let id: Option<i32> = self.take()?;
        id.map(|id| self.resolver.failure(id, self.store)).transpose()
    }

    fn addresses(&mut self) -> Result<Vec<Address>, Error> {
        let ids: Option<Vec<i32>> = self.take()?;
        ids.unwrap_or_default().into_iter().map(|id| self.resolver.address(id, self.store)).collect()
    }

    fn protocols(&mut self) -> Result<Vec<String>, Error> {
        let id: Option<i32> = self.take()?;
        id.map_or_else(|| Ok(Vec::new()), |id| self.resolver.protocols(id, self.store))
    }

    fn wrong(&self) -> Error {
        damaged(self.store, "a row with a value that was never written")
    }

    /// The whole row.
    pub(super) fn read(mut self, table: &Table) -> Result<Read, Error> {
        let mut cells = Vec::with_capacity(table.columns.len());
        let (subject, own) = table.columns.split_at(usize::from(table.has_subject()));
        for column in subject {
            cells.push(self.cell(column)?);
        }
        let encounter = if table.has_encounter { Some(self.encounter()?) } else { None };
        for column in own {
            cells.push(self.cell(column)?);
        }
        Ok((cells, encounter))
    }

    fn cell(&mut self, column: &Column) -> Result<Cell<'static>, Error> {
        use std::borrow::Cow::Owned;
        Ok(match column.holds {
            Holds::Subject => {
                self.take::<Option<i32>>()?;
                Cell::Peer(PeerNumber(self.take::<i32>()?.cast_unsigned()))
            }
            Holds::Peer => {
                self.take::<Option<i32>>()?.map(|number| PeerNumber(number.cast_unsigned())).into()
            }
            Holds::Time => self.take::<Option<Moment>>()?.map(|moment| moment.0).into(),
            Holds::Duration => self.duration()?.into(),
            Holds::Count(_) => self.count()?.into(),
            Holds::Flag => self.take::<Option<bool>>()?.into(),
            Holds::Name(_) => {
                self.take::<Option<Label>>()?.map_or(Cell::Absent, |label| Cell::Name(label.0.into()))
            }
            Holds::Text if layout::is_agent(column) => match self.take::<Option<i32>>()? {
                None => Cell::Absent,
                Some(id) => Cell::Text(Owned(self.resolver.agent(id, self.store)?)),
            },
            Holds::Text => match self.take::<Option<String>>()? {
                None => Cell::Absent,
                Some(kept) => Cell::Text(Owned(text::read(kept).ok_or_else(|| self.wrong())?)),
            },
            Holds::Texts => Cell::Texts(self.protocols()?.into()),
            Holds::Bytes => {
                self.take::<Option<Vec<u8>>>()?.map_or(Cell::Absent, |bytes| Cell::Bytes(bytes.into()))
            }
            Holds::Address => match self.take::<Option<i32>>()? {
                None => Cell::Absent,
                Some(id) => Cell::Address(Owned(self.resolver.address(id, self.store)?)),
            },
            Holds::Failure => self.failure()?.map_or(Cell::Absent, |failure| Cell::Failure(Owned(failure))),
            Holds::List(List::Addresses) => Cell::Addresses(self.addresses()?.into()),
            Holds::List(List::Prefixes) => Cell::Prefixes(self.prefixes()?),
            Holds::List(List::Peers) => match self.take::<Option<Vec<i32>>>()? {
                None => Cell::Absent,
                Some(numbers) => Cell::Peers(peers(&numbers).into()),
            },
            Holds::List(List::Fates) => return Err(self.wrong()),
        })
    }

    fn prefixes(&mut self) -> Result<[PrefixOutcome; PREFIXES], Error> {
        let Some(codes) = self.take::<Option<Vec<i32>>>()? else {
            return Ok([PrefixOutcome::NotAsked; PREFIXES]);
        };
        let outcomes = codes.into_iter().map(|code| {
            Ok(match code {
                NOT_ASKED => PrefixOutcome::NotAsked,
                SAVED => PrefixOutcome::Saved,
                peers @ 0.. => {
                    PrefixOutcome::Answered { peers: u16::try_from(peers).map_err(|_| self.wrong())? }
                }
                failed => PrefixOutcome::Failed(self.resolver.class(FAILED - failed, self.store)?),
            })
        });
        let outcomes = outcomes.collect::<Result<Vec<_>, Error>>()?;
        outcomes.try_into().map_err(|_| self.wrong())
    }

    fn encounter(&mut self) -> Result<Encounter, Error> {
        let (started_at, ended_at) = (self.take::<Moment>()?.0, self.take::<Moment>()?.0);
        let (dial_duration, connect_duration) = (self.duration()?, self.duration()?);
        let addresses = self.fates()?;
        let connection = self.connection()?;
        let connect_error = self.failure()?;
        let agent: Option<i32> = self.take()?;
        Ok(Encounter {
            started_at,
            ended_at,
            dial_duration,
            connect_duration,
            addresses,
            connection,
            connect_error,
            agent_version: agent.map(|id| self.resolver.agent(id, self.store)).transpose()?,
            protocols: self.protocols()?,
            listen_addrs: self.addresses()?,
            identify_error: self.failure()?,
            sent_bytes: self.count()?.unwrap_or_default(),
            received_bytes: self.count()?.unwrap_or_default(),
        })
    }

    fn connection(&mut self) -> Result<Option<ConnectionInfo>, Error> {
        let is_reachable: bool = self.take()?;
        let address = self.count()?;
        let transport = self.name("transport", Transport::from_name)?;
        let security = self.name("security", Security::from_name)?;
        let certificate = self.name("certificate", WssCertificate::from_name)?;
        let ip_version = self.count()?;
        let socket: Option<&str> = self.take()?;
        let time = self.duration()?;
        let source = self.name("source of a round trip", RttSource::from_name)?;
        if !is_reachable {
            return Ok(None);
        }
        let info = || {
            Some(ConnectionInfo {
                address: usize::try_from(address?).ok()?,
                transport: transport?,
                security: security?,
                certificate,
                ip_version: u8::try_from(ip_version?).ok()?,
                socket: socket?.parse().ok()?,
                rtt: time.zip(source).map(|(time, source)| RoundTrip { time, source }),
            })
        };
        info().map(Some).ok_or_else(|| self.wrong())
    }

    fn fates(&mut self) -> Result<Vec<AddressVisit>, Error> {
        let addresses = self.addresses()?;
        let outcomes: Vec<Label> = self.take::<Option<_>>()?.unwrap_or_default();
        let mut reasons = Elements::<Label>(self.take()?);
        let mut failures = Elements::<i32>(self.take()?);
        let mut after = Elements::<i64>(self.take()?);
        let mut took = Elements::<i64>(self.take()?);
        let mut led_by = Elements::<i32>(self.take()?);
        let micros = |micros: i64| Duration::from_micros(micros.cast_unsigned());
        let mut all: Vec<AddressVisit> = Vec::with_capacity(addresses.len());
        for (place, (address, outcome)) in addresses.into_iter().zip(outcomes).enumerate() {
            let (reason, failure) = (reasons.at(place), failures.at(place));
            let visited = AddressVisit {
                address,
                started_after: after.at(place).map(micros),
                took: took.at(place).map(micros),
                outcome: self.outcome(outcome, reason, failure)?,
                resolved: Vec::new(),
            };
            match led_by.at(place) {
                None => all.push(visited),
                Some(position) => {
                    let name = usize::try_from(position).ok().and_then(|position| all.get_mut(position));
                    name.ok_or_else(|| damaged(self.store, "an address that no name led to"))?
                        .resolved
                        .push(visited);
                }
            }
        }
        Ok(all)
    }

    fn outcome(
        &self,
        Label(outcome): Label,
        reason: Option<Label>,
        failure: Option<i32>,
    ) -> Result<AddressOutcome, Error> {
        Ok(match outcome.as_str() {
            "connected" => AddressOutcome::Connected,
            "not_tried" => AddressOutcome::NotTried,
            "abandoned" => AddressOutcome::Abandoned,
            "skipped" => {
                let reason = reason.ok_or_else(|| self.wrong())?;
                AddressOutcome::Skipped(name(self.store, "skip reason", reason, SkipReason::from_name)?)
            }
            "failed" => {
                let failure = failure.ok_or_else(|| self.wrong())?;
                AddressOutcome::Failed(self.resolver.failure(failure, self.store)?)
            }
            other => return Err(unknown(self.store, "outcome of an address", other)),
        })
    }
}

/// An array, NULL if there is nothing in it.
struct Elements<T>(Option<Vec<Option<T>>>);

impl<T> Elements<T> {
    fn at(&mut self, place: usize) -> Option<T> {
        self.0.as_mut()?.get_mut(place)?.take()
    }
}

/// Peers of an array of numbers.
pub(super) fn peers(numbers: &[i32]) -> Vec<PeerNumber> {
    numbers.iter().map(|number| PeerNumber(number.cast_unsigned())).collect()
}
