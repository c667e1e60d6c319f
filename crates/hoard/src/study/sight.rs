//! What one round saw of one holder, in little room: a study has some ten million of them.

use std::{num::NonZeroU16, time::Duration};

use kad::{failure::FailureClass, network::Transport};
use schema::{HolderAnswer, Whereabouts};

use super::{ShortSpan, StudyAgent};

/// What one round saw of one holder, in 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StudySight {
    /// When, from the beginning of the publication, in microseconds.
    pub after_us: u64,
    /// Which round of the key it was.
    pub round: u32,
    /// How long the dial at its first addresses took; `None` if there was none.
    pub dial_took: Option<ShortSpan>,
    /// How long its answer was waited for; `None` if it was not asked.
    pub answer_took: Option<ShortSpan>,
    /// What it calls its program; `None` if it did not say then.
    pub agent: Option<AgentThen>,
    /// Other providers in its answer.
    pub other_providers: u16,
    /// Addresses of the provider in its answer; of more than 255, so many.
    pub provider_addresses: u8,
    /// What it said of the record.
    pub answer: HolderAnswer,
    /// Where it was.
    pub whereabouts: Whereabouts,
    /// Why it was not connected to at its first addresses; `None` if it was, or was not dialled there.
    pub first_failure: Option<FailureClass>,
    /// Why it was not connected to at its current addresses; likewise.
    pub current_failure: Option<FailureClass>,
    /// Why it did not say; `None` if it did, or if there was no connection.
    pub answer_failure: Option<FailureClass>,
    /// The transport of the connection; `None` without one.
    pub transport: Option<Transport>,
    /// How often it was dialled.
    pub attempts: u8,
}

/// A program in a sight, in as many bytes as its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AgentThen(NonZeroU16);

impl StudySight {
    /// One at that time, of which nothing else is known: it was where it was first if it answered, and was not found if there was no
    /// connection.
    pub fn seen(round: u32, after: Duration, answer: HolderAnswer) -> Self {
        let whereabouts = match answer {
            HolderAnswer::Unreached => Whereabouts::Gone,
            HolderAnswer::Unasked => Whereabouts::Undialled,
            _ => Whereabouts::SameAddress,
        };
        Self {
            after_us: u64::try_from(after.as_micros()).unwrap_or(u64::MAX),
            round,
            dial_took: None,
            answer_took: None,
            agent: None,
            other_providers: 0,
            provider_addresses: u8::from(answer == HolderAnswer::WithAddresses),
            answer,
            whereabouts,
            first_failure: None,
            current_failure: None,
            answer_failure: None,
            transport: None,
            attempts: 0,
        }
    }

    /// When it was, from the beginning of the publication.
    pub const fn after(&self) -> Duration {
        Duration::from_micros(self.after_us)
    }
}

impl AgentThen {
    /// `None` for a number that does not fit.
    pub fn new(agent: StudyAgent) -> Option<Self> {
        NonZeroU16::new(agent.0.checked_add(1)?).map(Self)
    }

    /// Which program it is.
    pub const fn agent(self) -> StudyAgent {
        StudyAgent(self.0.get() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sight_takes_as_much_room_as_it_is_said_to() {
        assert_eq!(size_of::<StudySight>(), 32);
        assert_eq!((size_of::<Option<ShortSpan>>(), size_of::<Option<AgentThen>>()), (4, 2));
    }

    #[test]
    fn programs_in_sights_are_those_of_the_study() {
        for number in [0, 1, u16::MAX - 1] {
            assert_eq!(AgentThen::new(StudyAgent(number)).map(AgentThen::agent), Some(StudyAgent(number)));
        }
        assert_eq!(AgentThen::new(StudyAgent(u16::MAX)), None);
    }
}
