//! A study read back: its keys with their holders, and what each round saw of them. Plain data, small enough for all of it to be in memory.
//!
//! It is read from a store (`read`), or put together by hand. What is made of it is left to the estimates and figures, which are pure.
//! Spans of a key count from the beginning of its publication, those of a lookup from its own.

mod passed_over;
mod read;
mod resuming;
mod rounds;
mod short_span;
mod sight;

use std::{sync::Arc, time::Duration};

use kad::{Address, PeerId, Persistence, failure::FailureClass};
use schema::{PublisherEnd, Strategy, Timestamp};
use store::RunInfo;

use crate::content::ContentFrame;

pub use self::{
    passed_over::PassedOver,
    read::{
        MAX_STUDY_KEYS, MAX_STUDY_LOOKUPS, MAX_STUDY_RESPONSES, MAX_STUDY_SIGHTS, StudyDetail, StudyError,
        StudyWalk, StudyWalks,
    },
    rounds::{StudyDial, StudyLookup, StudyProvider, StudyResponse, StudyRound},
    short_span::ShortSpan,
    sight::{AgentThen, StudySight},
};

/// A study, over one run or several that continue one another.
#[derive(Debug, Clone, Default)]
pub struct Study {
    /// Its runs, in the order of their start; none of a study that was put together by hand.
    pub runs: Vec<RunInfo>,
    /// Its arms that published something, by their numbers in the plan, ascending.
    pub arms: Vec<StudyArm>,
    /// Its keys, in the order in which they were published.
    pub keys: Vec<StudyKey>,
    /// Everybody whom it names, by the numbers that stand for them.
    pub peers: Vec<PeerId>,
    /// What peers called their programs, by the numbers that stand for them.
    pub agents: Vec<Arc<str>>,
    /// What of its rows was passed over.
    pub passed_over: PassedOver,
}

/// Somebody in one study: the place in its [`peers`](Study::peers).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StudyPeer(pub u32);

/// A program in one study: the place in its [`agents`](Study::agents).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StudyAgent(pub u16);

/// One way of publishing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudyArm {
    /// Its number in the plan.
    pub number: u16,
    /// What the plan calls it.
    pub name: Arc<str>,
    /// How it publishes; `None` if somebody else did.
    pub strategy: Option<Strategy>,
    /// How far its publications go; `None` if somebody else did it.
    pub persistence: Option<Persistence>,
    /// How many peers are to hold a record.
    pub k: u16,
    /// What becomes of its publishers.
    pub publisher_end: PublisherEnd,
}

/// One key of one arm.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyKey {
    /// The multihash.
    pub key: Vec<u8>,
    /// Its arm, by its number in the plan.
    pub arm: u16,
    /// Its place in its arm, from 0.
    pub position: u32,
    /// Who provides it.
    pub provider: PeerId,
    /// When its publication began.
    pub published_at: Timestamp,
    /// How long that took.
    pub took: Duration,
    /// Why nobody was given the record, by its name; `None` if somebody was.
    pub failure: Option<Arc<str>>,
    /// When its publisher hung up and left; `None` if it stayed, or if nobody knows.
    pub closed_after: Option<Duration>,
    /// Its holders, the closest first.
    pub holders: Vec<StudyHolder>,
    /// Its rounds that came to their end, in order. There is none for the publication itself where it had no readings back.
    pub rounds: Vec<StudyRound>,
}

/// One holder of a key.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyHolder {
    /// Who it is.
    pub peer: StudyPeer,
    /// Its place among the holders by distance to the key, from 1.
    pub rank: u16,
    /// How many leading bits its key shares with the target.
    pub common_prefix_len: u16,
    /// What it called its program when it was chosen; `None` if it did not say. What it called it later is in its sights.
    pub agent: Option<Arc<str>>,
    /// Where it was when it was chosen.
    pub first_addresses: Arc<[Address]>,
    /// When it was chosen.
    pub chosen_after: Duration,
    /// When the record left for it; `None` if it never did.
    pub sent: Option<Duration>,
    /// Why it was not given the record; `None` if it was, or if nobody knows ([`sent`](Self::sent) is none, too).
    pub send_failure: Option<FailureClass>,
    /// What rounds saw of it, in the order of time; those of the publication are the readings back.
    pub sights: Vec<StudySight>,
}

impl Study {
    /// Of what its keys are a sample, as whoever made it said; `None` if nobody did.
    pub fn frame(&self) -> Option<ContentFrame> {
        let frame = self.runs.first()?.start.parameters.get("plan")?.get("frame")?;
        serde_json::from_value(frame.clone()).ok()?
    }

    /// Who somebody is; `None` for a number of another study.
    pub fn peer(&self, peer: StudyPeer) -> Option<&PeerId> {
        self.peers.get(usize::try_from(peer.0).ok()?)
    }

    /// What a program is called; `None` for a number of another study.
    pub fn agent(&self, agent: StudyAgent) -> Option<&Arc<str>> {
        self.agents.get(usize::from(agent.0))
    }

    /// What a holder calls its program: as when it was chosen, else as it first said to a round; `None` if it never said.
    pub fn agent_of<'a>(&'a self, holder: &'a StudyHolder) -> Option<&'a str> {
        let later = || holder.sights.iter().find_map(|sight| self.agent(sight.agent?.agent()));
        holder.agent.as_ref().or_else(later).map(|agent| &**agent)
    }

    /// An arm by its number in the plan; `None` if it published nothing.
    pub fn arm(&self, number: u16) -> Option<&StudyArm> {
        self.arms.iter().find(|arm| arm.number == number)
    }

    /// The number of somebody, who is taken in where it has none. For studies that are put together by hand: it looks at all of them.
    pub fn number(&mut self, peer: PeerId) -> StudyPeer {
        let known = self.peers.iter().position(|known| *known == peer);
        let place = known.unwrap_or_else(|| {
            self.peers.push(peer);
            self.peers.len() - 1
        });
        StudyPeer(u32::try_from(place).unwrap_or(u32::MAX))
    }
}

impl StudyKey {
    /// One that was published at that time, and of which nothing else is known.
    pub const fn published(key: Vec<u8>, arm: u16, provider: PeerId, published_at: Timestamp) -> Self {
        Self {
            key,
            arm,
            position: 0,
            provider,
            published_at,
            took: Duration::ZERO,
            failure: None,
            closed_after: None,
            holders: Vec::new(),
            rounds: Vec::new(),
        }
    }

    /// A round by its number; `None` if it came to no end.
    pub fn round(&self, round: u32) -> Option<&StudyRound> {
        self.rounds.binary_search_by_key(&round, |known| known.round).ok().map(|place| &self.rounds[place])
    }
}

impl StudyHolder {
    /// One of that rank that was given the record then, and of which nothing else is known. `None`: it was not.
    pub fn given(peer: StudyPeer, rank: u16, sent: Option<Duration>) -> Self {
        Self {
            peer,
            rank,
            common_prefix_len: 0,
            agent: None,
            first_addresses: Arc::default(),
            chosen_after: Duration::ZERO,
            sent,
            send_failure: None,
            sights: Vec::new(),
        }
    }

    /// Whether it was given the record, as far as its publisher can tell: it was sent it, and did not refuse it.
    pub const fn was_given(&self) -> bool {
        self.sent.is_some() && self.send_failure.is_none()
    }
}

#[cfg(test)]
mod tests {
    use schema::HolderAnswer;

    use super::*;

    #[test]
    fn who_is_taken_in_twice_has_one_number() {
        let mut study = Study::default();
        let (one, other) = (PeerId::random(), PeerId::random());
        let numbers = [one, other, one].map(|peer| study.number(peer));
        assert_eq!(numbers, [StudyPeer(0), StudyPeer(1), StudyPeer(0)]);
        assert_eq!((study.peer(numbers[1]), study.peer(StudyPeer(2))), (Some(&other), None));
    }

    #[test]
    fn a_program_that_nobody_knew_at_first_is_the_one_that_it_names_later() {
        let study = Study { agents: vec!["kubo/0.30.0".into(), "kubo/0.31.0".into()], ..Study::default() };
        let mut holder = StudyHolder::given(StudyPeer(0), 1, None);
        assert_eq!(study.agent_of(&holder), None);
        for (round, agent) in [(1, None), (2, Some(0)), (3, Some(1))] {
            let agent = agent.and_then(|agent| AgentThen::new(StudyAgent(agent)));
            let sight = StudySight::seen(round, Duration::ZERO, HolderAnswer::IdOnly);
            holder.sights.push(StudySight { agent, ..sight });
        }
        assert_eq!(study.agent_of(&holder), Some("kubo/0.30.0"));
        holder.agent = Some("storm".into());
        assert_eq!(study.agent_of(&holder), Some("storm"));
    }

    #[test]
    fn who_was_never_given_the_record_is_told_from_who_lost_it() {
        let never = StudyHolder {
            send_failure: Some(FailureClass::Timeout),
            ..StudyHolder::given(StudyPeer(0), 1, None)
        };
        let refused = StudyHolder { sent: Some(Duration::ZERO), ..never.clone() };
        let mut lost = StudyHolder::given(StudyPeer(0), 1, Some(Duration::ZERO));
        lost.sights.push(StudySight::seen(1, Duration::from_secs(1), HolderAnswer::WithoutRecord));
        assert_eq!([never, refused, lost].map(|holder| holder.was_given()), [false, false, true]);
    }
}
