//! How often what happened, as shares of all, where what belongs to one key is one cluster.

use std::collections::BTreeMap;

use estimate::{ClusterShare, Proportion};

use super::numbers::NamedShare;

/// What happened in each cluster, as it comes.
#[derive(Debug, Clone)]
pub(super) struct Shares<T> {
    all: ClusterShare,
    happened: BTreeMap<T, ClusterShare>,
}

impl<T> Default for Shares<T> {
    fn default() -> Self {
        Self { all: ClusterShare::default(), happened: BTreeMap::new() }
    }
}

impl<T: Ord + Clone> Shares<T> {
    /// Takes a cluster of so many, of which these happened: each as often as it did.
    pub(super) fn take(&mut self, n: usize, happened: impl IntoIterator<Item = T>) {
        let mut counts: BTreeMap<T, u64> = BTreeMap::new();
        happened.into_iter().for_each(|what| *counts.entry(what).or_default() += 1);
        self.all.add(0, n as u64);
        for (what, count) in counts {
            self.happened.entry(what).or_default().add(count, n as u64);
        }
    }

    /// What happened, in its order, each of all.
    pub(super) fn numbers(&self) -> impl Iterator<Item = (T, Proportion)> {
        let of_one =
            |(what, share): (&T, &ClusterShare)| Some((what.clone(), share.among(&self.all).proportion()?));
        self.happened.iter().filter_map(of_one)
    }

    /// The same by names.
    pub(super) fn named(&self, name: impl Fn(T) -> &'static str) -> Vec<NamedShare> {
        self.numbers().map(|(what, share)| NamedShare { name: name(what), share }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_happen_in_a_cluster_counts_there_as_well() {
        let mut shares = Shares::default();
        shares.take(4, ["a", "a", "b"]);
        shares.take(4, ["a"]);
        let numbers: Vec<_> = shares.numbers().collect();
        assert_eq!(numbers[0], ("a", Proportion::of_clusters(&[(2, 4), (1, 4)]).unwrap()));
        assert_eq!(numbers[1], ("b", Proportion::of_clusters(&[(1, 4), (0, 4)]).unwrap()));
    }
}
