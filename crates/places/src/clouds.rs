//! Whose networks and ranges are those of clouds: by a table that comes with the project or another in its place, and by the lists
//! that providers publish. Of ranges the longest that an address is in says it; a range is asked before a network.

mod layouts;
mod table;

use std::{collections::HashMap, net::IpAddr};

use schema::CloudEvidence;

use self::layouts::list;
use self::table::{CloudRange, parse_range};
use crate::SourceError;

/// The most ranges that are read, of all files together.
const MAX_RANGES: usize = 1_000_000;

/// The longest name of a cloud, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// The table that comes with the project: its first lines say from where it is.
const SHIPPED: &str = include_str!("../data/clouds.txt");

/// Networks and ranges, each with the name of whose it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clouds {
    names: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u32>,
    asns: HashMap<u32, u32>,
    /// As they were given: of two that are equal the first counts.
    ranges: Vec<(CloudRange, u32)>,
    /// Where whose part of all addresses begins, ascending: made of the ranges when they are asked for.
    parts: Vec<(u128, Option<u32>)>,
}

impl Clouds {
    /// Of the table that comes with the project.
    pub fn shipped() -> Result<Self, SourceError> {
        Self::parse("the table of clouds that comes with kadscope", SHIPPED)
    }

    /// The bytes of that table, for whoever says which it was.
    pub const fn shipped_bytes() -> &'static [u8] {
        SHIPPED.as_bytes()
    }

    /// Of lines `CIDR name` and `AS64496 name`; empty lines, and those that begin with `#`, are passed over.
    pub fn parse(file: &str, text: &str) -> Result<Self, SourceError> {
        let mut clouds = Self::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let no_line = || SourceError::Line { file: file.to_owned(), line: index + 1 };
            let (whose, name) = line.split_once(char::is_whitespace).ok_or_else(no_line)?;
            let name = clouds.number(name.trim());
            match (table::asn(whose), parse_range(whose)) {
                (Some(asn), _) => drop(clouds.asns.entry(asn).or_insert(name)),
                (None, Some(range)) => clouds.insert(file, range, name)?,
                (None, None) => return Err(no_line()),
            }
        }
        Ok(clouds.arranged())
    }

    /// The same with the ranges of a list that a provider publishes, in whatever known layout. `name` is whose they are; where it is not
    /// said, the layout has to say it.
    pub fn with_list(mut self, file: &str, name: Option<&str>, bytes: &[u8]) -> Result<Self, SourceError> {
        let list = list(file, bytes)?;
        let name = name.or(list.name).ok_or_else(|| SourceError::NoName { file: file.to_owned() })?;
        let name = self.number(name);
        for range in list.ranges {
            self.insert(file, range, name)?;
        }
        Ok(self.arranged())
    }

    /// Whose an address is: by the longest range that it is in, or else by its network where that is known. `None` if it is no
    /// cloud's.
    pub fn cloud_of(&self, ip: IpAddr, asn: Option<u32>) -> Option<(&str, CloudEvidence)> {
        let named = |number: u32| self.names.get(number as usize).map(AsRef::as_ref);
        let by_range = self.part_of(ip).and_then(named).map(|name| (name, CloudEvidence::Range));
        let by_network = || asn.and_then(|asn| self.asns.get(&asn)).copied().and_then(named);
        by_range.or_else(|| by_network().map(|name| (name, CloudEvidence::Asn)))
    }

    /// The same by ranges alone.
    pub fn name_of(&self, ip: IpAddr) -> Option<&str> {
        self.cloud_of(ip, None).map(|(name, _)| name)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty() && self.asns.is_empty()
    }

    /// How many ranges and networks there are.
    pub fn len(&self) -> usize {
        self.ranges.len() + self.asns.len()
    }

    fn number(&mut self, name: &str) -> u32 {
        let name = crate::database::cut(name, MAX_NAME_BYTES);
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.into());
        self.numbers.insert(name.into(), number);
        number
    }

    fn insert(&mut self, file: &str, range: CloudRange, name: u32) -> Result<(), SourceError> {
        if self.ranges.len() >= MAX_RANGES {
            return Err(SourceError::TooMany { file: file.to_owned(), most: MAX_RANGES });
        }
        self.ranges.push((range, name));
        Ok(())
    }

    /// Cuts all addresses into parts, each of which is in one longest range or in none.
    fn arranged(mut self) -> Self {
        // The longer of two that begin together comes later. The order of those that are equal stays.
        self.ranges.sort_by_key(|(range, _)| *range);
        self.ranges.dedup_by_key(|(range, _)| *range);
        let mut parts: Vec<(u128, Option<u32>)> = Vec::new();
        // The ranges that the next one is in, the longest last: their last address and their name.
        let mut around: Vec<(u128, u32)> = Vec::new();
        for &(range, name) in &self.ranges {
            leave(&mut around, &mut parts, Some(range.first()));
            begin(&mut parts, range.first(), Some(name));
            around.push((range.last(), name));
        }
        leave(&mut around, &mut parts, None);
        self.parts = parts;
        self
    }

    fn part_of(&self, ip: IpAddr) -> Option<u32> {
        let bits = table::bits(ip);
        let after = self.parts.partition_point(|(first, _)| *first <= bits);
        self.parts.get(after.checked_sub(1)?)?.1
    }
}

/// Ends the ranges that end before an address, or all of them: what is around them goes on behind them.
fn leave(around: &mut Vec<(u128, u32)>, parts: &mut Vec<(u128, Option<u32>)>, before: Option<u128>) {
    while let Some(&(last, _)) = around.last() {
        if before.is_some_and(|before| last >= before) {
            return;
        }
        around.pop();
        if let Some(next) = last.checked_add(1) {
            begin(parts, next, around.last().map(|&(_, name)| name));
        }
    }
}

/// Begins a part; one that would be empty is none.
fn begin(parts: &mut Vec<(u128, Option<u32>)>, first: u128, name: Option<u32>) {
    match parts.last_mut() {
        Some((there, of)) if *there == first => *of = name,
        _ => parts.push((first, name)),
    }
}

#[cfg(test)]
mod tests;
