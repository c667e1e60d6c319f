//! One address of a peer, and what came of it.

use dht::Probe;
use kad::{
    failure::Failure,
    gateway::{Gateway, GatewayReply},
    network::AddressOutcome,
};
use serde::Serialize;

use crate::command::lookup::milliseconds;

/// One address, and what came of it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct AddressRow {
    /// The address.
    pub(crate) address: String,
    /// `connected`, `failed` or `skipped`.
    pub(crate) outcome: &'static str,
    /// The phase in which it failed.
    pub(crate) phase: Option<&'static str>,
    /// The class of what went wrong, or why it was not dialled.
    pub(crate) error: Option<&'static str>,
    /// The text of what went wrong, where the class does not say it all.
    pub(crate) detail: Option<String>,
    /// Over what it is connected.
    pub(crate) transport: Option<&'static str>,
    /// What authenticated it.
    pub(crate) security: Option<&'static str>,
    /// How long the dial took.
    pub(crate) dial_ms: Option<f64>,
    /// How far it is: the shortest round trip that was seen.
    pub(crate) rtt_ms: Option<f64>,
    /// Who measured it.
    pub(crate) rtt_source: Option<&'static str>,
    /// How long it took to answer a ping of kad.
    pub(crate) ping_ms: Option<f64>,
    /// Why it did not answer one; `None` if it did, or if there was no connection.
    pub(crate) ping_error: Option<&'static str>,
}

impl AddressRow {
    /// What a probe showed.
    pub(crate) fn of(probe: &Probe) -> Self {
        let (outcome, failure, reason) = outcome(&probe.attempt.outcome);
        let heard = probe.said.as_ref();
        let round_trip = heard.and_then(|heard| heard.round_trip);
        let class = |failure: &Failure| failure.class.name();
        Self {
            address: probe.address.to_string(),
            outcome,
            phase: failure.map(|failure| failure.phase.name()),
            error: failure.map(class).or(reason),
            detail: failure.and_then(|failure| failure.detail.as_deref()).map(str::to_owned),
            transport: heard.map(|heard| heard.endpoint.transport.name()),
            security: heard.map(|heard| heard.endpoint.security.name()),
            dial_ms: probe.attempt.took.map(milliseconds),
            rtt_ms: round_trip.map(|trip| milliseconds(trip.time)),
            rtt_source: round_trip.map(|trip| trip.source.name()),
            ping_ms: heard.and_then(|heard| heard.pong.as_ref().ok()).copied().map(milliseconds),
            ping_error: heard.and_then(|heard| heard.pong.as_ref().err()).map(class),
        }
    }

    /// What asking a gateway showed: it is connected if it answered in HTTP.
    pub(crate) fn of_gateway(reply: &GatewayReply) -> Self {
        let (outcome, failure, reason) = outcome(&reply.outcome);
        let is_tls = Gateway::of(&reply.address).is_some_and(|gateway| gateway.is_tls);
        let is_connected = reply.answer.is_some();
        Self {
            address: reply.address.to_string(),
            outcome,
            phase: failure.map(|failure| failure.phase.name()),
            error: failure.map(|failure| failure.class.name()).or(reason),
            detail: failure.and_then(|failure| failure.detail.as_deref()).map(str::to_owned),
            transport: is_connected.then_some("http"),
            security: (is_connected && is_tls).then_some("tls"),
            dial_ms: reply.took.map(milliseconds),
            rtt_ms: None,
            rtt_source: None,
            ping_ms: None,
            ping_error: None,
        }
    }
}

/// The name of an outcome, with what went wrong or why it was not dialled.
fn outcome(outcome: &AddressOutcome) -> (&'static str, Option<&Failure>, Option<&'static str>) {
    match outcome {
        AddressOutcome::Connected => ("connected", None, None),
        AddressOutcome::Failed(failure) => ("failed", Some(failure), None),
        AddressOutcome::Skipped(reason) => ("skipped", None, Some(reason.name())),
        AddressOutcome::NotTried | AddressOutcome::Abandoned => ("failed", None, Some("cancelled")),
    }
}
