//! The providers that a lookup was told of, each once, or twice if their addresses came later.

use super::ids::Ids;

/// The most providers that a lookup keeps. Go has no such bound; beyond it nobody is told apart by another one.
pub const MAX_PROVIDERS: usize = 4096;

/// What is new about a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Novelty {
    /// It was not heard of before.
    Provider,
    /// It was heard of, but without addresses.
    Addresses,
}

/// Providers in the order in which they were heard of.
#[derive(Debug, Clone)]
pub(super) struct FoundProviders {
    ids: Ids,
    has_addresses: Vec<bool>,
    /// Whether addresses that come later are news.
    again: bool,
}

impl FoundProviders {
    pub(super) fn new(seed: u64, again: bool) -> Self {
        Self { ids: Ids::new(seed), has_addresses: Vec::new(), again }
    }

    pub(super) const fn len(&self) -> usize {
        self.ids.len()
    }

    /// Takes a provider in; `None` if that says nothing new.
    pub(super) fn add(&mut self, id: &[u8], has_addresses: bool) -> Option<Novelty> {
        let Some(number) = self.ids.find(id) else {
            self.ids.add(id)?;
            self.has_addresses.push(has_addresses);
            return Some(Novelty::Provider);
        };
        let known = self.has_addresses.get_mut(number as usize)?;
        let is_news = self.again && has_addresses && !*known;
        *known |= is_news;
        is_news.then_some(Novelty::Addresses)
    }

    /// Each id, and whether addresses came with it.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], bool)> {
        (0..).map_while(|number| self.ids.get(number)).zip(self.has_addresses.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_come_later_are_news_once() {
        let mut providers = FoundProviders::new(1, true);
        assert_eq!(providers.add(b"a", false), Some(Novelty::Provider));
        assert_eq!(providers.add(b"a", false), None);
        assert_eq!(providers.add(b"a", true), Some(Novelty::Addresses));
        assert_eq!(providers.add(b"a", true), None);
        assert_eq!(providers.add(b"b", true), Some(Novelty::Provider));
        assert_eq!(providers.iter().collect::<Vec<_>>(), [(&b"a"[..], true), (b"b", true)]);
    }

    #[test]
    fn without_that_rule_the_first_word_on_a_provider_is_the_last() {
        let mut providers = FoundProviders::new(1, false);
        assert_eq!(providers.add(b"a", false), Some(Novelty::Provider));
        assert_eq!(providers.add(b"a", true), None);
        assert_eq!(providers.iter().collect::<Vec<_>>(), [(&b"a"[..], false)]);
    }
}
