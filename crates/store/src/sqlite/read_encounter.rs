//! Puts encounters together again from what is kept of them.

use std::time::Duration;

use kad::{
    failure::{Failure, SkipReason},
    network::{AddressOutcome, RoundTrip, RttSource, Security, Transport, WssCertificate},
};
use schema::{AddressVisit, ConnectionInfo, Encounter, Timestamp};

use super::{
    codec::{self, Fate, Times},
    error::damaged,
    read::{Columns, Values},
};
use crate::Error;

impl Values<'_> {
    /// Takes the columns of an encounter, and those that stand `beside` the row.
    pub(super) fn encounter(
        &mut self,
        columns: &mut Columns<'_>,
        mut beside: Columns<'_>,
        began: Timestamp,
    ) -> Result<Encounter, Error> {
        let started_at = Timestamp(began.0.wrapping_add(columns.take()?));
        let mut encounter = Encounter::begun(started_at);
        encounter.ended_at = Timestamp(started_at.0.wrapping_add(columns.take()?));
        encounter.dial_duration = duration(columns)?;
        encounter.connect_duration = duration(columns)?;
        let fates: Option<i64> = columns.take()?;
        let (times, list) = (columns.blob()?, beside.blob()?);
        if fates.is_some() != list.is_some() {
            return Err(damaged(columns.path(), "addresses that have no row".to_owned()));
        }
        encounter.addresses = self.fates(list.unwrap_or_default(), times.unwrap_or_default())?;
        encounter.connection = self.connection(columns, &mut beside)?;
        encounter.connect_error = self.failure(columns)?;
        self.description(&mut encounter, columns, &mut beside)?;
        encounter.identify_error = self.failure(columns)?;
        encounter.sent_bytes = columns.take()?;
        encounter.received_bytes = columns.take()?;
        Ok(encounter)
    }

    fn failure(&mut self, columns: &mut Columns<'_>) -> Result<Option<Failure>, Error> {
        columns.take::<Option<i64>>()?.map(|id| self.resolver.failure(id)).transpose()
    }

    fn fates(&mut self, list: &[u8], times: &[u8]) -> Result<Vec<AddressVisit>, Error> {
        let never = || damaged(self.path, "addresses that were never written".to_owned());
        let fates = codec::decode_fates(list).ok_or_else(never)?;
        let times = codec::decode_times(times, fates.len()).ok_or_else(never)?;
        let mut addresses: Vec<AddressVisit> = Vec::with_capacity(fates.len());
        for (fate, times) in fates.into_iter().zip(times) {
            let visited = self.fate(fate, times)?;
            match addresses.last_mut().filter(|_| fate.is_resolved) {
                Some(name) => name.resolved.push(visited),
                None => addresses.push(visited),
            }
        }
        Ok(addresses)
    }

    fn fate(&mut self, fate: Fate, (started_after, took): Times) -> Result<AddressVisit, Error> {
        let outcome = match fate.outcome {
            0 => AddressOutcome::Connected,
            1 => AddressOutcome::NotTried,
            2 => AddressOutcome::Abandoned,
            3 => AddressOutcome::Skipped(self.resolver.variant(
                fate.cause,
                "skip reason",
                SkipReason::from_name,
            )?),
            _ => AddressOutcome::Failed(self.resolver.failure(fate.cause)?),
        };
        let address = self.resolver.address(fate.address)?;
        Ok(AddressVisit { address, started_after, took, outcome, resolved: Vec::new() })
    }

    fn connection(
        &mut self,
        columns: &mut Columns<'_>,
        beside: &mut Columns<'_>,
    ) -> Result<Option<ConnectionInfo>, Error> {
        let (address, endpoint): (Option<usize>, Option<i64>) = (columns.take()?, columns.take()?);
        let (rtt, source) = (duration(columns)?, columns.take::<Option<i64>>()?);
        let transport: Option<i64> = beside.take()?;
        let (security, certificate): (Option<i64>, Option<i64>) = (beside.take()?, beside.take()?);
        let (ip_version, socket): (Option<u8>, Option<String>) = (beside.take()?, beside.take()?);
        let Some(address) = address else { return Ok(None) };
        let missing = || damaged(columns.path(), format!("endpoint {endpoint:?} has no row"));
        let socket = socket.ok_or_else(missing)?;
        let rtt = match rtt.zip(source) {
            None => None,
            Some((time, source)) => {
                let source = self.resolver.variant(source, "source of a round trip", RttSource::from_name)?;
                Some(RoundTrip { time, source })
            }
        };
        let certificate = certificate
            .map(|id| self.resolver.variant(id, "certificate", WssCertificate::from_name))
            .transpose()?;
        let transport = transport.ok_or_else(missing)?;
        let security = security.ok_or_else(missing)?;
        Ok(Some(ConnectionInfo {
            address,
            transport: self.resolver.variant(transport, "transport", Transport::from_name)?,
            security: self.resolver.variant(security, "security", Security::from_name)?,
            certificate,
            ip_version: ip_version.ok_or_else(missing)?,
            socket: socket.parse().map_err(|_| damaged(self.path, format!("`{socket}` is no socket")))?,
            rtt,
        }))
    }

    fn description(
        &mut self,
        encounter: &mut Encounter,
        columns: &mut Columns<'_>,
        beside: &mut Columns<'_>,
    ) -> Result<(), Error> {
        let _: Option<i64> = columns.take()?;
        let (agent, protocols): (Option<i64>, Option<i64>) = (beside.take()?, beside.take()?);
        let listen_addrs = beside.blob()?;
        encounter.agent_version = agent.map(|id| self.resolver.agent(id)).transpose()?;
        encounter.protocols = protocols.map_or_else(|| Ok(Vec::new()), |id| self.resolver.protocols(id))?;
        encounter.listen_addrs = self.addresses(listen_addrs)?;
        Ok(())
    }
}

fn duration(columns: &mut Columns<'_>) -> Result<Option<Duration>, Error> {
    Ok(columns.take::<Option<u64>>()?.map(Duration::from_micros))
}
