//! Names, and the small name server that answers for them. Which names there are is left to others, and asking for them
//! to whatever runs in the namespace.

mod answer;
mod server;

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use thiserror::Error;

pub use self::{
    answer::{DnsTransport, MAX_DATAGRAM_BYTES, answer},
    server::{MAX_CONNECTIONS, NameServer},
};

/// The most names of a zone: room for one in four peers of the largest world.
pub const MAX_NAMES: usize = 1 << 20;

/// The most records of one kind at one name: a list of as many texts of usual length fits into one answer (64 KiB).
pub const MAX_RECORDS: usize = 256;

/// The longest text, in bytes; it is spread over strings of at most 255.
pub const MAX_TEXT_BYTES: usize = 1024;

/// Why a record cannot be in a zone.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ZoneError {
    /// It would be one more than [`MAX_NAMES`].
    #[error("a zone has at most {MAX_NAMES} names")]
    Names,
    /// It would be one more than [`MAX_RECORDS`].
    #[error("{0} has more than {MAX_RECORDS} records of one kind")]
    Records(String),
    /// It is longer than [`MAX_TEXT_BYTES`].
    #[error("a text of {0} is longer than {MAX_TEXT_BYTES} bytes")]
    Text(String),
}

/// What is known of names. What is not in it does not exist.
#[derive(Debug, Clone, Default)]
pub struct Zone {
    names: HashMap<String, Records>,
}

/// What is known of one name: nothing, for one that only others are below.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Records {
    v4: Vec<Ipv4Addr>,
    v6: Vec<Ipv6Addr>,
    texts: Vec<String>,
}

impl Zone {
    /// Adds an address of a host. Upper and lower case are the same.
    pub fn add_ip(&mut self, name: &str, ip: IpAddr) -> Result<(), ZoneError> {
        let records = self.records_mut(name)?;
        match ip {
            IpAddr::V4(ip) => push(&mut records.v4, ip, name),
            IpAddr::V6(ip) => push(&mut records.v6, ip, name),
        }
    }

    /// Adds a text.
    pub fn add_text(&mut self, name: &str, text: &str) -> Result<(), ZoneError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(ZoneError::Text(name.to_owned()));
        }
        push(&mut self.records_mut(name)?.texts, text.to_owned(), name)
    }

    fn records(&self, name: &str) -> Option<&Records> {
        self.names.get(name)
    }

    /// What is known of a name. The names above it exist from then on as well (RFC 8020).
    fn records_mut(&mut self, name: &str) -> Result<&mut Records, ZoneError> {
        let name = name.to_ascii_lowercase();
        let above = name.match_indices('.').map(|(dot, _)| &name[dot + 1..]);
        let new = above.clone().chain([&*name]).filter(|name| !self.names.contains_key(*name)).count();
        if self.names.len() + new > MAX_NAMES {
            return Err(ZoneError::Names);
        }
        for name in above {
            self.names.entry(name.to_owned()).or_default();
        }
        Ok(self.names.entry(name).or_default())
    }
}

/// Adds a record unless it is there.
fn push<T: PartialEq>(records: &mut Vec<T>, record: T, name: &str) -> Result<(), ZoneError> {
    if !records.contains(&record) {
        if records.len() >= MAX_RECORDS {
            return Err(ZoneError::Records(name.to_owned()));
        }
        records.push(record);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
