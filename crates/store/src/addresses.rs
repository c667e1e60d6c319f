//! The addresses that a store knows, each once over all runs.

use kad::Address;

#[cfg(feature = "postgres")]
use crate::postgres;
use crate::{Error, sqlite};

/// Addresses that rows of any run name, but for those whose place certain runs have said, in batches. Those that are written meanwhile
/// come too; after an error or the last it ends. Memory is bounded by a batch and a bit for each address of the store.
#[derive(Debug)]
pub struct StoredAddresses<'a> {
    source: AddressSource<'a>,
    total: u64,
    is_over: bool,
}

/// Where they are read from.
#[derive(Debug)]
pub(crate) enum AddressSource<'a> {
    Sqlite(sqlite::AddressReader<'a>),
    #[cfg(feature = "postgres")]
    Postgres(postgres::AddressReader<'a>),
}

impl<'a> StoredAddresses<'a> {
    /// From a source, of which so many are to come.
    pub(crate) const fn new(source: AddressSource<'a>, total: u64) -> Self {
        Self { source, total, is_over: false }
    }

    /// How many there were to come when reading began.
    pub const fn total(&self) -> u64 {
        self.total
    }
}

impl Iterator for StoredAddresses<'_> {
    type Item = Result<Vec<Address>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let read = match &mut self.source {
            AddressSource::Sqlite(reader) => reader.next(),
            #[cfg(feature = "postgres")]
            AddressSource::Postgres(reader) => reader.next(),
        };
        self.is_over = !matches!(read, Ok(Some(_)));
        read.transpose()
    }
}
