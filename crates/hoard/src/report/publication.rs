//! Publications of an arm: to how many holders, in which time, and who these are.

use std::collections::{BTreeMap, HashSet};

use estimate::{ClusterShare, Proportion, Survival, Timed};
use kad::failure::FailureClass;
use schema::HolderAnswer;

use super::{
    counts::Counts,
    numbers::{AgentNumbers, PublicationNumbers},
    shares::Shares,
};
use crate::{
    life::program_name_of,
    study::{Study, StudyHolder, StudyKey, StudyPeer},
};

/// The quantiles of a publication's time that are told: those of RFM 17.
pub(super) const SHARES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.9];

/// The most steps of a curve that are kept, and the most outliers of a box plot.
const MAX_STEPS: usize = 150;
const MAX_OUTLIERS: usize = 12;

/// The most programs that are told apart.
const MAX_PROGRAMS: usize = 24;

/// What those are called that nobody told apart.
const OTHERS: &str = "(others)";

/// Publications as they come.
#[derive(Debug, Default)]
pub(super) struct PublicationTally {
    keys: u64,
    to_nobody: u64,
    sent: Counts,
    read_back: Counts,
    gifts: ClusterShare,
    gift_failures: Shares<FailureClass>,
    took: Vec<Timed>,
    programs: BTreeMap<String, ProgramTally>,
    peers: HashSet<StudyPeer>,
}

#[derive(Debug, Default)]
struct ProgramTally {
    holders: u64,
    /// Of keys that have one.
    share: ClusterShare,
    per_key: Counts,
    keys: u64,
    peers: HashSet<StudyPeer>,
}

impl ProgramTally {
    /// Takes so many of a key's holders.
    fn take(&mut self, count: usize, holders: usize) {
        self.holders += count as u64;
        self.share.add(count as u64, holders as u64);
        self.per_key.count(count);
        self.keys += 1;
    }
}

impl PublicationTally {
    pub(super) fn take(&mut self, study: &Study, key: &StudyKey) {
        let sent = key.holders.iter().filter(|holder| holder.was_given()).count();
        self.keys += 1;
        self.to_nobody += u64::from(sent == 0);
        self.sent.count(sent);
        self.gifts.add(sent as u64, key.holders.len() as u64);
        self.gift_failures
            .take(key.holders.len(), key.holders.iter().filter_map(|holder| holder.send_failure));
        if let Some(read_back) = read_back(key) {
            self.read_back.count(read_back);
        }
        self.took
            .push(Timed { after: key.took.as_secs_f64(), is_censored: key.failure.is_some() || sent == 0 });
        self.take_agents(study, key);
    }

    fn take_agents(&mut self, study: &Study, key: &StudyKey) {
        let mut of_key: BTreeMap<String, Vec<StudyPeer>> = BTreeMap::new();
        for holder in &key.holders {
            of_key.entry(program_name_of(study.agent_of(holder))).or_default().push(holder.peer);
            self.peers.insert(holder.peer);
        }
        for (program, peers) in of_key {
            let tally = self.programs.entry(program).or_default();
            tally.take(peers.len(), key.holders.len());
            tally.peers.extend(peers);
        }
    }

    /// All numbers of these publications.
    pub(super) fn numbers(&self) -> PublicationNumbers {
        let mut numbers = PublicationNumbers {
            to_nobody: self.to_nobody,
            sent: self.sent.numbers(),
            sent_curve: self.sent.curve(),
            read_back: self.read_back.numbers_if_any(),
            read_back_curve: self.read_back.curve(),
            gifts: self.gifts.proportion(),
            gift_failures: self.gift_failures.named(FailureClass::name),
            distinct_holders: self.peers.len() as u64,
            ..PublicationNumbers::default()
        };
        if let Ok(took) = Survival::of(self.never_ended()) {
            numbers.took = SHARES.into_iter().map(|share| took.quantile(share)).collect();
            numbers.took_curve = took.thinned(MAX_STEPS);
            numbers.took_boxed = Some(took.box_statistics(MAX_OUTLIERS));
        }
        numbers
    }

    /// The times of publications: one that failed never ends, so it goes on for as long as any was watched.
    fn never_ended(&self) -> impl Iterator<Item = Timed> {
        let longest = self.took.iter().map(|timed| timed.after).fold(0.0, f64::max);
        let of_one = move |timed: &Timed| Timed {
            after: if timed.is_censored { longest } else { timed.after },
            ..*timed
        };
        self.took.iter().map(of_one)
    }

    /// The programs of holders, the most frequent first; those beyond the most that are told apart as one.
    pub(super) fn agents(self) -> Vec<AgentNumbers> {
        let mut programs: Vec<(String, ProgramTally)> = self.programs.into_iter().collect();
        programs.sort_by(|(name, one), (other_name, other)| {
            other.holders.cmp(&one.holders).then_with(|| name.cmp(other_name))
        });
        let rest = programs.split_off(programs.len().min(MAX_PROGRAMS));
        let of_program = |(program, mut tally): (String, ProgramTally)| {
            tally.per_key.count_many(0, self.keys - tally.keys);
            let share = tally.share.among(&self.gifts).proportion()?;
            let peers = tally.peers.len() as u64;
            Some(AgentNumbers { program, share, peers, per_key: tally.per_key.numbers() })
        };
        let mut told: Vec<AgentNumbers> = programs.into_iter().filter_map(of_program).collect();
        let others = rest.iter().map(|(_, tally)| tally.holders).sum();
        let share = Proportion::of(others, self.gifts.proportion().map_or(0, |gifts| gifts.n));
        let peers: HashSet<StudyPeer> = rest.into_iter().flat_map(|(_, tally)| tally.peers).collect();
        told.extend(share.filter(|share| share.hits > 0).map(|share| AgentNumbers {
            program: OTHERS.to_owned(),
            share,
            peers: peers.len() as u64,
            per_key: Counts::default().numbers(),
        }));
        told
    }
}

/// How many holders gave the record when it was read back last; `None` if nobody was asked.
fn read_back(key: &StudyKey) -> Option<usize> {
    let last = |holder: &StudyHolder| {
        let mut at_publication = holder.sights.iter().take_while(|sight| sight.round == 0);
        let first = at_publication.next()?;
        Some(at_publication.last().unwrap_or(first).answer)
    };
    let answers = || key.holders.iter().filter_map(last).filter(|answer| *answer != HolderAnswer::Unasked);
    (answers().count() > 0).then(|| answers().filter(|answer| answer.has_record()).count())
}
