//! What peers call their programs, each text kept once: many peers say the same.

use std::{collections::HashMap, sync::Arc};

/// How many texts are kept. The IPFS network had some 1,200 in 2024, of which most had a handful of peers.
const MAX_AGENTS: usize = 4096;

/// The longest text that is kept, in bytes, as in rows: all of them are 1 MB.
const MAX_AGENT_BYTES: usize = 256;

/// Texts by number.
#[derive(Debug, Default)]
pub(super) struct AgentNames {
    names: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u16>,
}

impl AgentNames {
    /// The number of a text, which is cut where it is too long; `None` if it is new and there is no room for more.
    pub(super) fn number(&mut self, agent: &str) -> Option<u16> {
        let end = (0..=MAX_AGENT_BYTES.min(agent.len())).rev().find(|&end| agent.is_char_boundary(end));
        let agent = &agent[..end.unwrap_or(0)];
        if let Some(&number) = self.numbers.get(agent) {
            return Some(number);
        }
        if self.names.len() >= MAX_AGENTS {
            return None;
        }
        let (number, name) = (u16::try_from(self.names.len()).ok()?, Arc::<str>::from(agent));
        self.names.push(Arc::clone(&name));
        self.numbers.insert(name, number);
        Some(number)
    }

    /// The text of a number; `None` for no number.
    pub(super) fn name(&self, number: Option<u16>) -> Option<Arc<str>> {
        self.names.get(usize::from(number?)).cloned()
    }

    /// All of them, in the order of their numbers.
    pub(super) fn names(&self) -> &[Arc<str>] {
        &self.names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_once_cut_and_no_more_than_there_is_room_for() {
        let mut agents = AgentNames::default();
        assert_eq!([agents.number("a"), agents.number("b"), agents.number("a")], [Some(0), Some(1), Some(0)]);
        let long = agents.number(&"ü".repeat(1000));
        assert_eq!(agents.name(long).map(|name| name.len()), Some(MAX_AGENT_BYTES));
        for number in 0..MAX_AGENTS {
            agents.number(&number.to_string());
        }
        assert_eq!((agents.names().len(), agents.number("one more")), (MAX_AGENTS, None));
        assert_eq!(agents.name(None), None);
    }
}
