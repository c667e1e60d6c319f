//! The end of a crawl: how it ended, how complete it was, and its numbers put together.

use std::time::Duration;

use estimate::{Capture, Completeness, Evidence};
use kad::network::Network;
use schema::{PeerInDegree, PeerNumber, RunState};
use tokio::time::Instant;

use super::{Crawled, Run, walking::Walking};
use crate::summary::{LeftOut, Summary};

impl<N: Network> Run<N> {
    fn state(&self) -> RunState {
        let is_cut_short =
            self.outlets.cancel.is_cancelled() || (self.limit_reached() && self.has_more_to_visit());
        match (self.rows_lost || self.tally.crawled == 0, is_cut_short) {
            (_, true) if !self.rows_lost => RunState::Cancelled,
            (true, _) => RunState::Failed,
            _ => RunState::Succeeded,
        }
    }

    fn has_more_to_visit(&self) -> bool {
        self.frontier.waiting() + self.frontier.waiting_for_later() > 0
    }

    fn completeness(&self) -> Completeness {
        let evidence = Evidence {
            captures: self.frontier.captures(&self.given_peers(), |peer| self.tally.stands(peer)),
            growth: &self.growth,
            cut_short: self.rows_lost || self.state() == RunState::Cancelled,
            left_out: self.frontier.is_full(),
        };
        evidence.weigh(|number| self.frontier.place(number))
    }

    /// The peers that the user named, ascending.
    fn given_peers(&self) -> Vec<PeerNumber> {
        let mut given: Vec<PeerNumber> = self.bootstrap.iter().map(|(peer, _)| *peer).collect();
        given.sort_unstable();
        given
    }

    /// Every known peer gets a row of what was heard of it: from these and the visits the completeness can be recounted.
    pub(super) async fn send_in_degrees(&mut self) {
        if self.outlets.rows.is_none() {
            return;
        }
        let captures = self.frontier.captures(&self.given_peers(), |_| None);
        let mut heard_after = 0_u32;
        for (number, capture) in (0..).zip(captures) {
            // Peers are numbered as they are heard of.
            while self.growth.get(heard_after as usize).is_some_and(|&known| known <= number) {
                heard_after += 1;
            }
            let Capture { in_degree: tables, given, .. } = capture;
            if self.rows_lost {
                return;
            }
            self.send(PeerInDegree { named: PeerNumber(number), tables, heard_after, given }.into()).await;
        }
    }

    fn left_out(&self) -> LeftOut {
        let mut left_out = self.left_out;
        left_out += LeftOut {
            over_max_peers: self.frontier.over_budget(),
            malformed_ids: self.frontier.malformed_ids(),
            addresses_of_peer: self.frontier.addresses_left_out(),
            malformed_addresses: self.frontier.malformed_addresses_left_out(),
            opted_out: self.frontier.opted_out(),
            opted_out_peers: self.frontier.opted_out_peers() as u64,
            dns_entries: self.network.totals().dns_entries_left_out,
            ..LeftOut::default()
        };
        left_out
    }

    pub(super) fn finish(mut self) -> Crawled {
        let finished_at = self.manner.clock.at(Instant::now());
        let duration = finished_at.since(self.manner.clock.start());
        let (state, completeness) = (self.state(), self.completeness());
        let tally = std::mem::take(&mut self.tally);
        let bytes = tally.bytes.with_lost(self.network.totals().lost);
        let counted = tally.counted(self.frontier.len() as u64);
        let summary = Summary {
            crawl_id: self.id,
            state,
            started_at: self.manner.clock.start(),
            finished_at,
            duration_s: seconds(duration),
            seed: self.config.seed.unwrap_or(0),
            strategy: self.config.strategy.name(),
            walk: self.walking.as_ref().map(Walking::summary),
            peers: counted.peers,
            errors: counted.errors,
            turned_away: counted.turned_away,
            nat: counted.nat,
            visits: counted.visits,
            edges: counted.edges,
            requests: counted.requests,
            request_errors: counted.request_errors,
            crawl_errors: counted.crawl_errors,
            longer_tables: counted.longer_tables,
            identify_errors: counted.identify_errors,
            addresses: counted.addresses,
            agents: counted.agents,
            protocols: counted.protocols,
            transports: counted.transports,
            security: counted.security,
            certificates: counted.certificates,
            ip_versions: counted.ip_versions,
            rtt_ms: counted.rtt_ms,
            bytes,
            completeness,
            left_out: self.left_out(),
            opt_out_entries: self.frontier.opt_out_entries() as u64,
            network: self.network_name,
            kept_visits: None,
            cpu_s: None,
            peak_rss_bytes: None,
        };
        let bootstrap = self.bootstrap.into_iter().map(|(_, outcome)| outcome).collect();
        Crawled { summary, bootstrap, rows_lost: self.rows_lost }
    }
}

/// A time in seconds, to the microsecond: clocks say no more, and further digits say nothing.
fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e6
}
