//! What tells the series of one metric apart.

use std::{borrow::Cow, collections::BTreeSet};

/// Labels and their values, one row for each series. Values are words of the program, or of whoever runs it or may tell it what
/// to do, and there is a bound to how many: nothing that peers say becomes a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    names: Vec<&'static str>,
    series: Vec<Vec<Cow<'static, str>>>,
}

impl Labels {
    /// No label: one series.
    pub fn none() -> Self {
        Self { names: Vec::new(), series: vec![Vec::new()] }
    }

    /// One more label: each series there was becomes one for every value of it, in the order of the values.
    #[must_use]
    pub fn with<V: Into<Cow<'static, str>>>(
        mut self,
        name: &'static str,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        let values: Vec<Cow<'static, str>> = values.into_iter().map(Into::into).collect();
        let each = |series: &Vec<Cow<'static, str>>| {
            let series = series.clone();
            values.clone().into_iter().map(move |value| [series.clone(), vec![value]].concat())
        };
        self.series = self.series.iter().flat_map(each).collect();
        self.names.push(name);
        self
    }

    /// The names of the labels.
    pub fn names(&self) -> &[&'static str] {
        &self.names
    }

    /// The values of each series, in the order of the names.
    pub fn series(&self) -> &[Vec<Cow<'static, str>>] {
        &self.series
    }

    /// All values of a label, each once, in the order in which they come; the label by its place among the names.
    pub fn values(&self, label: usize) -> Vec<&str> {
        let mut seen = BTreeSet::new();
        let values = self.series.iter().filter_map(|series| series.get(label));
        values.map(AsRef::as_ref).filter(|value| seen.insert(*value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_multiply() {
        assert_eq!(Labels::none().series(), [[""; 0]]);
        let labels =
            Labels::none().with("type", ["ping", "get"]).with("head", vec!["1".to_owned(), "2".to_owned()]);
        assert_eq!(labels.names(), ["type", "head"]);
        assert_eq!(labels.series(), [["ping", "1"], ["ping", "2"], ["get", "1"], ["get", "2"]]);
        assert_eq!((labels.values(0), labels.values(1)), (vec!["ping", "get"], vec!["1", "2"]));
        assert!(Labels::none().with("head", [""; 0]).series().is_empty());
    }
}
