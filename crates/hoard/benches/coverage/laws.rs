//! Studies drawn from laws that are known: holders with times to live, that restart, leave, never take a record or do not answer, looked at
//! in rounds of which some are missed.

use std::time::Duration;

use kad::PeerId;
use kadscope_hoard::life::{LifeHolder, LifeRows, LifeSight};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use schema::{HolderAnswer, Whereabouts};

/// A law by which a study goes. Times are in seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Law {
    pub(super) keys: u32,
    pub(super) holders: u32,
    /// Peers that there are; each key is given to some that follow one another.
    pub(super) peers: u32,
    /// How long after the first the last key is published; the publisher hangs up then.
    pub(super) publishing: f64,
    pub(super) every: f64,
    pub(super) rounds: u32,
    /// Times to live of records, since they were sent, and the share of programs that have each.
    pub(super) record: &'static [(f64, f64)],
    /// Of addresses, since the disconnect.
    pub(super) addresses: f64,
    /// The mean time after which a peer restarts and has lost all records.
    pub(super) restart: f64,
    /// The mean time after which a peer leaves and is not reached any more.
    pub(super) leave: f64,
    /// The share of holders that end at any time for reasons of their own.
    pub(super) early: f64,
    /// The share of holders that never take the record.
    pub(super) never: f64,
    /// The share of questions that nobody answers, and of rounds that are missed.
    pub(super) silent: f64,
    pub(super) missed: f64,
    /// Whether rounds come at any time of their own for each key, or all at the same age.
    pub(super) is_staggered: bool,
}

pub(super) const NEVER: f64 = f64::INFINITY;

/// One holder of one key, as it will live.
struct Fate {
    sent: f64,
    record: f64,
    addresses: f64,
    leave: f64,
    is_deaf: bool,
}

/// A study by its seed; silence is taken for what `silence` says.
pub(super) fn draw(law: &Law, seed: u64, arm: &str, rows: &mut LifeRows, silence: HolderAnswer) {
    let mut rng = StdRng::seed_from_u64(seed);
    let peers: Vec<PeerId> = (0..law.peers).map(peer).collect();
    let of_peers: Vec<(f64, f64, f64)> = peers
        .iter()
        .map(|_| (exponential(&mut rng, law.restart), exponential(&mut rng, law.leave), rng.random()))
        .collect();
    for key in 0..law.keys {
        let published = rng.random::<f64>() * law.publishing;
        let closed = law.publishing - published + 5.0;
        let phase = if law.is_staggered { rng.random::<f64>() * law.every } else { 0.0 };
        let looks = looks(law, phase, &mut rng);
        let mut lives = rows.key(arm, &key.to_be_bytes(), Some(Duration::from_secs_f64(closed)));
        for rank in 0..law.holders {
            let number = (key * law.holders + rank) % law.peers;
            let Some((peer, (restart, leave, kind))) =
                peers.get(number as usize).zip(of_peers.get(number as usize))
            else {
                continue;
            };
            let fate = fate(law, (*restart, *leave, *kind), closed, &mut rng);
            let sights: Vec<LifeSight> =
                looks.iter().map(|look| see(law, &fate, *look, silence, &mut rng)).collect();
            let holder = LifeHolder {
                peer,
                rank: rank % 5 + 1,
                agent: Some("kubo/0.30.0"),
                ips: &[],
                sent: Some(Duration::from_secs_f64(fate.sent)),
            };
            lives.holder(&holder, sights.into_iter());
        }
        lives.done();
    }
}

/// The rounds of a key that are not missed, and when each is, with a lag of a second or so.
fn looks(law: &Law, phase: f64, rng: &mut StdRng) -> Vec<(u32, f64)> {
    let planned = (1..=law.rounds).map(|round| (round, f64::from(round) * law.every - phase));
    let mut looks = vec![(0, 12.0)];
    looks.extend(planned.filter(|(_, at)| *at > 20.0).filter(|_| rng.random::<f64>() >= law.missed));
    for (_, at) in &mut looks {
        *at += exponential(rng, 1.0).min(4.0);
    }
    looks
}

fn fate(law: &Law, (restart, leave, mut kind): (f64, f64, f64), closed: f64, rng: &mut StdRng) -> Fate {
    let sent = 1.0 + 5.0 * rng.random::<f64>();
    let mut life = NEVER;
    for (time, share) in law.record {
        if (0.0..*share).contains(&kind) {
            life = *time;
        }
        kind -= share;
    }
    let end = f64::from(law.rounds) * law.every;
    let early = if rng.random::<f64>() < law.early { rng.random::<f64>() * end } else { NEVER };
    Fate {
        sent,
        record: (sent + life).min(restart).min(early),
        addresses: closed + law.addresses,
        leave,
        is_deaf: rng.random::<f64>() < law.never,
    }
}

/// What a look sees of a holder.
fn see(
    law: &Law,
    fate: &Fate,
    (round, at): (u32, f64),
    silence: HolderAnswer,
    rng: &mut StdRng,
) -> LifeSight {
    let is_silent = rng.random::<f64>() < law.silent;
    let (answer, whereabouts) = if at >= fate.leave {
        (HolderAnswer::Unreached, Whereabouts::Gone)
    } else if is_silent {
        (silence, Whereabouts::SameAddress)
    } else if fate.is_deaf || at >= fate.record {
        (HolderAnswer::WithoutRecord, Whereabouts::SameAddress)
    } else if at >= fate.addresses {
        (HolderAnswer::IdOnly, Whereabouts::SameAddress)
    } else {
        (HolderAnswer::WithAddresses, Whereabouts::SameAddress)
    };
    LifeSight { round, after: Duration::from_secs_f64(at), answer, whereabouts }
}

fn exponential(rng: &mut StdRng, mean: f64) -> f64 {
    if mean.is_finite() { -mean * (1.0 - rng.random::<f64>()).ln() } else { NEVER }
}

/// A peer for each number.
fn peer(number: u32) -> PeerId {
    let mut encoded = vec![8, 1, 18, 32];
    encoded.extend([0; 28]);
    encoded.extend(number.to_be_bytes());
    kad::peer_id::of_public_key(&encoded).unwrap_or_else(PeerId::random)
}
