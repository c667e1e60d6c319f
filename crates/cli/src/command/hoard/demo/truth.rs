//! What a study says of its holders beside what these do: for how long programs keep records and give addresses, and who keeps nothing.

use std::collections::{BTreeMap, BTreeSet};

use ::hoard::{
    Study,
    life::{LifeAspect, LifeSection, TtlClock, TtlNumbers, program_of},
};
use estimate::{CommonTime, Proportion};
use figure::{PageSection, PageTable};
use kad::records::{PROVIDE_VALIDITY, PROVIDER_ADDRESS_LIFETIME};
use places::Clouds;
use serde::Serialize;
use testnet::{World, scenario::holder::AddressesSince};

/// Holders, as estimated and as they are.
#[derive(Debug, Serialize)]
pub(super) struct HoldersBesideTruth {
    /// How long records and addresses last, by program.
    times: Vec<TimeBesideTruth>,
    /// Who keeps nothing of what it is given.
    keeps_nothing: NothingBesideTruth,
}

/// A time to live of a program.
#[derive(Debug, Serialize)]
struct TimeBesideTruth {
    /// What was seen of it.
    seen: TtlNumbers,
    /// In seconds: the times of its holders; more than one where they differ.
    true_s: BTreeSet<u64>,
    /// From when on it is counted, for all of them.
    true_clock: Option<TtlClock>,
}

/// Holders that keep nothing.
#[derive(Debug, Default, Serialize)]
struct NothingBesideTruth {
    /// Of all that were chosen and could answer, once for each key.
    truth: Option<Proportion>,
    /// Of all that answered; the interval is over peers.
    estimate: Option<Proportion>,
}

/// What the holders of a program do.
#[derive(Debug, Default)]
struct ProgramTruth {
    keep: BTreeSet<u64>,
    addresses: BTreeSet<u64>,
    clocks: BTreeSet<TtlClock>,
}

impl HoldersBesideTruth {
    /// Of a study, in the world in which it was made.
    pub(super) fn of(study: &Study, world: &World) -> Self {
        let section = LifeSection::of_study(study, Clouds::default());
        let truth = programs(study, world);
        let beside = |seen: TtlNumbers| {
            let of = truth.get(seen.program.as_deref()?)?;
            let (true_s, clocks) = match seen.aspect {
                LifeAspect::Record => (of.keep.clone(), BTreeSet::from([TtlClock::Published])),
                _ => (of.addresses.clone(), of.clocks.clone()),
            };
            let true_clock = clocks.first().copied().filter(|_| clocks.len() == 1);
            Some(TimeBesideTruth { seen, true_s, true_clock })
        };
        let stored = section.census.first().and_then(|census| census.stored);
        let estimate = stored.map(|Proportion { hits, n, share, low, high }| Proportion {
            hits: n - hits,
            n,
            share: 1.0 - share,
            low: 1.0 - high,
            high: 1.0 - low,
        });
        let keeps_nothing = NothingBesideTruth { truth: nothing(study, world), estimate };
        Self { times: section.times.into_iter().filter_map(beside).collect(), keeps_nothing }
    }

    /// As a part of the report.
    pub(super) fn page_section(&self) -> PageSection {
        let text = vec![
            "The network is simulated, so it is known what each holder does with records. A time that is longer than the study cannot be seen \
             in it: then it says how long most holders had it at least. Where what was seen fits both clocks, from the publication on and from \
             when the publisher hung up, there is a line by each. Of holders whose program nobody knew when they were chosen the truth is mixed."
                .to_owned(),
        ];
        PageSection {
            text,
            tables: vec![
                self.of_times(LifeAspect::Addresses, "Addresses: how long programs give them"),
                self.of_times(LifeAspect::Record, "Records: how long programs keep them"),
                self.of_nothing(),
            ],
            ..PageSection::new("Beside the truth", 2)
        }
    }

    fn of_times(&self, aspect: LifeAspect, caption: &str) -> PageTable {
        let times = self.times.iter().filter(|time| time.seen.aspect == aspect);
        let header = ["program", "holders", "in truth", "since", "estimate", "95 %", "since"];
        table(caption, &header, times.flat_map(TimeBesideTruth::rows).collect())
    }

    fn of_nothing(&self) -> PageTable {
        let share = |share: Option<Proportion>| share.map_or_else(none, |share| percent(share.share));
        let NothingBesideTruth { truth, estimate } = self.keeps_nothing;
        let interval =
            estimate.map_or_else(none, |of| format!("{} to {}", percent(of.low), percent(of.high)));
        let row = vec!["keep nothing".to_owned(), share(truth), share(estimate), interval];
        table(
            "Holders that take a record and do not have it when they are asked",
            &["holders", "in truth", "estimate", "95 %"],
            vec![row],
        )
    }
}

impl TimeBesideTruth {
    /// One, or where what was seen fits both clocks one by each.
    fn rows(&self) -> Vec<Vec<String>> {
        let clock = |clock: Option<TtlClock>| clock.map_or_else(none, |clock| clock.name().to_owned());
        let TtlNumbers { n, program, is_clear, .. } = &self.seen;
        let truth = match self.true_s.first() {
            Some(&one) if self.true_s.len() == 1 => time(one as f64),
            _ => "mixed".to_owned(),
        };
        let of = [program.clone().unwrap_or_else(none), n.to_string(), truth, clock(self.true_clock)];
        let by_clock = |seen: &CommonTime, by: Option<TtlClock>| {
            [time(seen.value), format!("{} to {}", time(seen.low), time(seen.high)), clock(by)]
        };
        let estimates: Vec<_> = match (self.seen.times_s.first(), self.seen.longer_than_s) {
            (Some(_), _) if *is_clear == Some(false) => {
                let fits = self.seen.fits.iter();
                fits.filter_map(|fit| Some(by_clock(fit.time_s.as_ref()?, Some(fit.clock)))).collect()
            }
            (Some(seen), _) => vec![by_clock(seen, self.seen.clock)],
            (None, Some(least)) => vec![[format!("over {}", time(least)), none(), none()]],
            (None, None) => vec![[none(), none(), none()]],
        };
        estimates.into_iter().map(|estimate| of.iter().cloned().chain(estimate).collect()).collect()
    }
}

/// A time of minutes or hours, as short as it can be told.
fn time(seconds: f64) -> String {
    if seconds < 2.0 * 3600.0 {
        format!("{:.1} min", seconds / 60.0)
    } else {
        format!("{:.0} h", seconds / 3600.0)
    }
}

/// What holders of each program do that keep records at all, as far as they are in the study.
fn programs(study: &Study, world: &World) -> BTreeMap<String, ProgramTruth> {
    let mut all: BTreeMap<String, ProgramTruth> = BTreeMap::new();
    for (peer, agent) in holders(study, world) {
        let holder = world.holder(peer);
        if holder.is_some_and(|holder| holder.swallows) {
            continue;
        }
        let (keep, addresses, since) = holder
            .map_or((PROVIDE_VALIDITY, PROVIDER_ADDRESS_LIFETIME, AddressesSince::Announced), |holder| {
                (holder.keep(), holder.addresses(), holder.addresses_since)
            });
        let program = all.entry(program_of(agent)).or_default();
        program.keep.insert(keep.as_secs());
        program.addresses.insert(addresses.min(keep).as_secs());
        program.clocks.insert(match since {
            AddressesSince::HungUp => TtlClock::Closed,
            AddressesSince::Announced | AddressesSince::Seen => TtlClock::Published,
        });
    }
    all
}

/// How many of the holders that could answer keep nothing.
fn nothing(study: &Study, world: &World) -> Option<Proportion> {
    let swallows = |(peer, _): (u32, _)| world.holder(peer).is_some_and(|holder| holder.swallows);
    let all: Vec<bool> = holders(study, world).map(swallows).collect();
    Proportion::of(all.iter().filter(|swallows| **swallows).count() as u64, all.len() as u64)
}

/// The holders of all keys that answer truthfully, by their numbers in the world, with what they called their programs.
fn holders<'a>(study: &'a Study, world: &'a World) -> impl Iterator<Item = (u32, Option<&'a str>)> {
    let all = study.keys.iter().flat_map(|key| &key.holders);
    all.filter_map(|holder| {
        let peer = world.find(study.peer(holder.peer)?)?;
        world.state(peer).is_honest_server().then_some((peer, study.agent_of(holder)))
    })
}

fn table(caption: &str, header: &[&str], rows: Vec<Vec<String>>) -> PageTable {
    let head = header.iter().map(|name| (*name).to_owned()).collect();
    PageTable { caption: caption.to_owned(), head, rows, numbers_from: 1 }
}

fn none() -> String {
    "–".to_owned()
}

fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}
