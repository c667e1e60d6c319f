//! Which rounds would be, without asking anybody. Pure.

use std::time::Duration;

use store::RegisteredServer;

use super::{
    arrivals::Arrivals,
    config::SchedulerConfig,
    plan::{RoundPlan, RoundSeed},
    roster::Roster,
    rota::{FleetPair, Rota},
    seat::Seat,
};

/// A round that would be.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ForeseenRound {
    /// Its number, from 0.
    pub number: u64,
    /// When it would begin, counted from the first moment.
    pub after: Duration,
    /// The fleets that meet.
    pub pair: FleetPair,
    /// Who would publish.
    pub publisher: Seat,
    /// Who would look for it, in the order in which they are asked.
    pub retrievers: Vec<Seat>,
    /// Whether they would look while it is published.
    pub is_findable: bool,
}

/// The first rounds of a scheduler, if these servers stay.
pub fn foreseen(config: &SchedulerConfig, servers: Vec<RegisteredServer>, count: u64) -> Vec<ForeseenRound> {
    let mut roster = Roster::default();
    roster.admit(servers);
    let seats: Vec<_> = roster.servers().iter().map(|server| Seat::of(server)).collect();
    let mut rota = Rota::new(config.pairing, config.seed);
    // As in the first term.
    let arrivals = Arrivals::new(config.pace.law, config.pace.gap, config.seed ^ 1);
    let rounds = (0..count).zip(arrivals).map_while(|(number, after)| {
        let seed = RoundSeed::of(config.seed, config.run, number);
        let plan = RoundPlan::next(&mut rota, &seats, (number, &config.probes), seed)?;
        let seat = |at: usize| seats[at].clone();
        Some(ForeseenRound {
            number,
            after,
            pair: plan.pair,
            publisher: seat(plan.publisher),
            retrievers: plan.retrievers.into_iter().map(seat).collect(),
            is_findable: plan.is_findable,
        })
    });
    rounds.collect()
}
