//! From a study to the numbers of its report: each key is looked at twice, first for the ages of its looks, then for what they showed.

use std::collections::BTreeMap;

use kad::Persistence;
use places::Clouds;
use schema::{RoundEnd, Timestamp};

use super::{
    ages::{AgeBins, Ages},
    closeness::{CrawlTally, CrawlTruth, HopTally, NoiseTally},
    counts::Counts,
    key_space::KeySpaceTally,
    looks::{Look, PeerBook, looks},
    numbers::{CourseNumbers, HoardArmNumbers, HoardSection},
    publication::PublicationTally,
    tally::AgeTally,
};
use crate::{
    content::ContentSection,
    life::LifeSection,
    savings::{SavingsSection, SavingsTerms, StudySavings},
    study::{Study, StudyArm, StudyHolder, StudyKey},
};

/// Lags are told apart by so much of a second.
const LAG_PARTS: u32 = 100;

/// The quantiles of lags that are told.
const LAG_SHARES: [f64; 3] = [0.5, 0.9, 0.99];

/// What a report is to say beyond what it always says.
#[derive(Debug, Default)]
pub struct ReportOrder {
    /// Holders whose agent has this text in its name are counted apart, and all others, too.
    pub apart: Option<String>,
    /// Whose ranges of addresses holders are told apart by.
    pub clouds: Clouds,
    /// What a crawl of the same network reached.
    pub crawl: Option<CrawlTruth>,
    /// What changes would save, of a study whose answers are too many for the memory; `None`: of the answers that are there.
    pub savings: Option<SavingsSection>,
}

impl HoardSection {
    /// All numbers of a study.
    pub fn of(study: &Study, order: &ReportOrder) -> Self {
        let peers = PeerBook::of(study);
        let arms = study.arms.iter().map(|arm| of_arm((study, &peers), arm, order)).collect();
        let ends = study.keys.iter().filter_map(last_look);
        Self {
            runs: study.runs.iter().map(|run| run.start.id.to_string()).collect(),
            from: study.keys.iter().map(|key| key.published_at).min(),
            to: ends.max(),
            state: study.runs.last().map(|run| run.state),
            passed_over: study.passed_over,
            apart: order.apart.clone(),
            arms,
            life: LifeSection::of_study(study, order.clouds.clone()),
            savings: savings(study, order),
            content: ContentSection::of_study(study),
        }
    }
}

/// What changes would save; `None` without a retrieval.
fn savings(study: &Study, order: &ReportOrder) -> Option<SavingsSection> {
    let of_answers = || StudySavings::of(study, SavingsTerms::default()).section();
    Some(order.savings.clone().unwrap_or_else(of_answers)).filter(|section| section.retrievals > 0)
}

/// When the last look at a key began.
fn last_look(key: &StudyKey) -> Option<Timestamp> {
    let after = key.rounds.iter().map(|round| round.began_after).max()?;
    Some(Timestamp(key.published_at.0 + i64::try_from(after.as_micros()).ok()?))
}

fn of_arm((study, peers): (&Study, &PeerBook), arm: &StudyArm, order: &ReportOrder) -> HoardArmNumbers {
    let k = usize::from(arm.k);
    let keys = || study.keys.iter().filter(|key| key.arm == arm.number);
    let bins = bins(keys());
    let mut tally = ArmTally::new(&bins, (order, peers));
    keys().for_each(|key| tally.take(study, key, k));
    let ArmTally { keys, places, course, publication, ages, hops, noise, crawl, .. } = tally;
    let has_apart = order.apart.is_some();
    HoardArmNumbers {
        name: arm.name.to_string(),
        strategy: arm.strategy,
        persistence: arm.persistence.map(Persistence::name),
        k: arm.k.into(),
        publisher_end: arm.publisher_end,
        keys,
        key_space: places.numbers(),
        course: course.numbers(),
        publication: publication.numbers(),
        ages: ages.iter().filter_map(|age| age.numbers(has_apart)).collect(),
        is_by_age: bins.is_by_age(),
        hops: hops.numbers(),
        noise: noise.numbers(),
        against_crawl: crawl.map(CrawlTally::numbers),
        agents: publication.agents(),
    }
}

/// The places of all looks that were had.
fn bins<'a>(keys: impl Iterator<Item = &'a StudyKey>) -> AgeBins {
    let mut ages = Ages::default();
    for look in keys.flat_map(looks).filter(was_had) {
        ages.add(look.round.round, look.round.planned_after.as_secs_f64(), look.age());
    }
    ages.bins()
}

/// Whether anybody was asked at all.
fn was_had(look: &Look<'_>) -> bool {
    look.round.end != RoundEnd::Missed
}

/// Everything that is counted of an arm, as it comes.
struct ArmTally<'a> {
    order: &'a ReportOrder,
    peers: &'a PeerBook,
    bins: &'a AgeBins,
    keys: u64,
    places: KeySpaceTally,
    course: CourseTally,
    publication: PublicationTally,
    ages: Vec<AgeTally>,
    hops: HopTally,
    noise: NoiseTally,
    crawl: Option<CrawlTally<'a>>,
}

impl<'a> ArmTally<'a> {
    fn new(bins: &'a AgeBins, (order, peers): (&'a ReportOrder, &'a PeerBook)) -> Self {
        Self {
            order,
            peers,
            bins,
            keys: 0,
            places: KeySpaceTally::default(),
            course: CourseTally::default(),
            publication: PublicationTally::default(),
            ages: (0..bins.len()).map(|_| AgeTally::default()).collect(),
            hops: HopTally::default(),
            noise: NoiseTally::default(),
            crawl: order.crawl.as_ref().map(|truth| CrawlTally::new(truth, peers)),
        }
    }

    fn take(&mut self, study: &Study, key: &StudyKey, k: usize) {
        self.keys += 1;
        self.places.take(key);
        self.publication.take(study, key);
        self.noise.take(key, k);
        self.hops.take(key);
        if let Some(crawl) = &mut self.crawl {
            crawl.take(key, k);
        }
        let text = self.order.apart.as_deref();
        let is_apart = text.map(|text| {
            move |holder: &StudyHolder| study.agent_of(holder).is_some_and(|agent| agent.contains(text))
        });
        let is_apart = is_apart.as_ref().map(|is_apart| is_apart as &dyn Fn(&StudyHolder) -> bool);
        for look in looks(key) {
            self.course.take(&look);
            let place = self.bins.place(look.round.round, look.age()).filter(|_| was_had(&look));
            if let Some(age) = place.and_then(|place| self.ages.get_mut(place)) {
                age.take(&look, (k, self.peers), is_apart);
            }
        }
    }
}

/// How rounds went, as they come.
#[derive(Debug)]
struct CourseTally {
    ends: BTreeMap<RoundEnd, u64>,
    lags: Counts,
    longest: Option<f64>,
}

impl Default for CourseTally {
    fn default() -> Self {
        Self { ends: BTreeMap::new(), lags: Counts::in_parts(LAG_PARTS), longest: None }
    }
}

impl CourseTally {
    fn take(&mut self, look: &Look<'_>) {
        *self.ends.entry(look.round.end).or_default() += 1;
        if was_had(look) {
            let lag = look.round.lag().as_secs_f64();
            self.lags.add(lag);
            self.longest = Some(self.longest.map_or(lag, |longest| longest.max(lag)));
        }
    }

    fn numbers(&self) -> CourseNumbers {
        CourseNumbers {
            ends: self.ends.iter().map(|(end, count)| (*end, *count)).collect(),
            lag_s: self.longest.and_then(|longest| {
                let [half, most, nearly_all] = LAG_SHARES.map(|share| self.lags.value(share));
                Some([half?, most?, nearly_all?, longest])
            }),
        }
    }
}
