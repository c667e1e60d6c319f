//! Which identities of a sequence a hydra has: any set of indices, as people write it.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize, Serializer, de};
use thiserror::Error;

/// The highest index: 20 million candidates are replayed for it, which takes some minutes.
pub const MAX_INDEX: u64 = 9_999_999;

/// The most indices of one hydra: more heads than ports at one address.
const MAX_INDICES: u64 = 65_535;

/// Indices, each of them once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexSet(BTreeSet<u64>);

/// Why a text is no set of indices.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IndexSetError {
    /// A part of it is of no known form.
    #[error(
        "`{part}` is no index and no range; write 7, 0..10 (0 to 9), 0..=9, or 0..200:2 (every second), after commas"
    )]
    Form {
        /// The part.
        part: String,
    },
    /// A range has nothing in it.
    #[error("`{part}` is empty: its end must be greater than its beginning")]
    EmptyRange {
        /// The range.
        part: String,
    },
    /// A range has steps of 0.
    #[error("`{part}` never advances: its step must be 1 or more")]
    NoStep {
        /// The range.
        part: String,
    },
    /// An index is too high to be replayed.
    #[error("index {index} is too high: at most {MAX_INDEX} is replayed")]
    TooHigh {
        /// The index.
        index: u64,
    },
    /// There are too many.
    #[error("more than {MAX_INDICES} indices: spread them over several hydras")]
    TooMany,
}

impl IndexSet {
    /// So many from an offset on.
    pub fn contiguous(offset: u64, count: u64) -> Result<Self, IndexSetError> {
        Self::of(offset..offset.saturating_add(count))
    }

    /// These indices.
    pub fn of(indices: impl IntoIterator<Item = u64>) -> Result<Self, IndexSetError> {
        let mut set = Self(BTreeSet::new());
        set.add(indices)?;
        Ok(set)
    }

    fn add(&mut self, indices: impl IntoIterator<Item = u64>) -> Result<(), IndexSetError> {
        for index in indices {
            if index > MAX_INDEX {
                return Err(IndexSetError::TooHigh { index });
            }
            self.0.insert(index);
            if self.0.len() as u64 > MAX_INDICES {
                return Err(IndexSetError::TooMany);
            }
        }
        Ok(())
    }

    /// They, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().copied()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The highest; `None` if there is none.
    pub fn highest(&self) -> Option<u64> {
        self.0.last().copied()
    }
}

impl FromStr for IndexSet {
    type Err = IndexSetError;

    fn from_str(text: &str) -> Result<Self, IndexSetError> {
        let mut set = Self(BTreeSet::new());
        for part in text.split(',').map(str::trim) {
            let (first, end, step) = range(part)?;
            if step == 0 {
                return Err(IndexSetError::NoStep { part: part.to_owned() });
            }
            if end <= first {
                return Err(IndexSetError::EmptyRange { part: part.to_owned() });
            }
            let step = usize::try_from(step).unwrap_or(usize::MAX);
            set.add((first..end).step_by(step))?;
        }
        Ok(set)
    }
}

/// Where a part begins, where it is over, and its step.
fn range(part: &str) -> Result<(u64, u64, u64), IndexSetError> {
    let form = || IndexSetError::Form { part: part.to_owned() };
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<u64>().ok()).flatten().ok_or_else(form)
    };
    let Some((first, rest)) = part.split_once("..") else {
        let index = number(part)?;
        return Ok((index, index.saturating_add(1), 1));
    };
    let (end, step) = match rest.split_once(':') {
        Some((end, step)) => (end, number(step)?),
        None => (rest, 1),
    };
    let end = match end.strip_prefix('=') {
        Some(last) => number(last)?.saturating_add(1),
        None => number(end)?,
    };
    Ok((number(first)?, end, step))
}

/// As the shortest ranges.
impl fmt::Display for IndexSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut indices = self.iter().peekable();
        let mut comma = "";
        while let Some(first) = indices.next() {
            let mut end = first + 1;
            while indices.next_if_eq(&end).is_some() {
                end += 1;
            }
            if end == first + 1 {
                write!(f, "{comma}{first}")?;
            } else {
                write!(f, "{comma}{first}..{end}")?;
            }
            comma = ",";
        }
        Ok(())
    }
}

impl Serialize for IndexSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for IndexSet {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<u64> {
        text.parse::<IndexSet>().unwrap().iter().collect()
    }

    #[test]
    fn sets_are_read_and_written_again() {
        assert_eq!(read("7"), [7]);
        assert_eq!(read("0..10:2"), [0, 2, 4, 6, 8]);
        assert_eq!(read("1..10:3"), [1, 4, 7]);
        assert_eq!(read("0..3, 50,70..=71"), [0, 1, 2, 50, 70, 71]);
        assert_eq!(read("5,0..3,1..4"), [0, 1, 2, 3, 5], "each once, in order");
        assert_eq!(read("0..200:2").len(), 100);
        let whole: IndexSet = "0..3,5,9..11".parse().unwrap();
        assert_eq!(whole.to_string(), "0..3,5,9..11");
        assert_eq!(whole.highest(), Some(10));
        assert_eq!(IndexSet::contiguous(5, 3).unwrap().to_string(), "5..8");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, said) in [
            ("", "`` is no index"),
            ("1,", "`` is no index"),
            ("-1", "`-1` is no index"),
            ("+1", "`+1` is no index"),
            ("a..b", "`a..b` is no index"),
            ("3..3", "`3..3` is empty"),
            ("5..=4", "`5..=4` is empty"),
            ("0..9:0", "`0..9:0` never advances"),
            ("0..9:", "`0..9:` is no index"),
            ("10000000", "index 10000000 is too high"),
            ("0..100000", "more than 65535 indices"),
        ] {
            let error = text.parse::<IndexSet>().unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
