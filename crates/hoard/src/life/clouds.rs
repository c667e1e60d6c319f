//! Whose addresses belong to which cloud: a list of ranges, which whoever reports hands in.

use std::net::IpAddr;

/// The most lines of a list that are read.
const MAX_RANGES: usize = 1_000_000;

/// Ranges of addresses, each with the name of whose it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CloudRanges {
    /// Prefix and its length in bits of 128; IPv4 within `::ffff:0:0/96`. Sorted by these.
    ranges: Vec<(u128, u8, String)>,
    /// The lengths that there are, the longest first.
    lengths: Vec<u8>,
}

/// A line of a list that is no range with a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CloudRangesError {
    /// The line, counted from 1, is not `CIDR name`.
    #[error("line {0}: not an address range and a name, as in `192.0.2.0/24 example`")]
    NotARange(usize),
    /// There are more lines than are read.
    #[error("more than {MAX_RANGES} ranges")]
    TooMany,
}

impl CloudRanges {
    /// Of lines `CIDR name`; empty lines, and those that begin with `#`, are passed over.
    pub fn parse(text: &str) -> Result<Self, CloudRangesError> {
        let mut ranges = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if ranges.len() == MAX_RANGES {
                return Err(CloudRangesError::TooMany);
            }
            ranges.push(range(line).ok_or(CloudRangesError::NotARange(index + 1))?);
        }
        ranges.sort();
        let mut lengths: Vec<u8> = ranges.iter().map(|(_, length, _)| *length).collect();
        lengths.sort_unstable_by(|one, other| other.cmp(one));
        lengths.dedup();
        Ok(Self { ranges, lengths })
    }

    /// Whose an address is: by the longest range that it is in; `None` outside of all.
    pub fn name_of(&self, address: IpAddr) -> Option<&str> {
        let bits = bits(address);
        self.lengths.iter().find_map(|length| {
            let wanted = (bits & mask(*length), *length);
            let at = self.ranges.partition_point(|(prefix, length, _)| (*prefix, *length) < wanted);
            let (prefix, length, name) = self.ranges.get(at)?;
            ((*prefix, *length) == wanted).then_some(name.as_str())
        })
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }
}

fn range(line: &str) -> Option<(u128, u8, String)> {
    let (range, name) = line.split_once(char::is_whitespace)?;
    let (address, length) = range.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let length: u8 = length.parse().ok()?;
    let length = match address {
        IpAddr::V4(_) => length.checked_add(96)?,
        IpAddr::V6(_) => length,
    };
    (length <= 128).then(|| (bits(address) & mask(length), length, name.trim().to_owned()))
}

const fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

const fn mask(length: u8) -> u128 {
    match length {
        0 => 0,
        length => u128::MAX << (128 - length),
    }
}
