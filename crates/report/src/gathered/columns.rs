//! Columns of a batch by what they hold.

use std::sync::Arc;

use schema::{RunId, Timestamp};
use store::{ColumnBatch, ColumnValues, StorePeer};

use super::GatherError;

/// The columns of one batch, by the names that were asked for.
pub(super) struct Columns<'a> {
    batch: &'a ColumnBatch,
    names: &'a [&'static str],
}

impl<'a> Columns<'a> {
    pub(super) const fn of(batch: &'a ColumnBatch, names: &'a [&'static str]) -> Self {
        Self { batch, names }
    }

    fn values(&self, name: &'static str) -> Result<&'a ColumnValues, GatherError> {
        let position = self.names.iter().position(|one| *one == name);
        position.and_then(|at| self.batch.columns.get(at)).ok_or(GatherError::Column(name))
    }

    pub(super) fn runs(&self, name: &'static str) -> Result<&'a [RunId], GatherError> {
        match self.values(name)? {
            ColumnValues::Runs(values) => Ok(values),
            _ => Err(GatherError::Column(name)),
        }
    }

    pub(super) fn peers(&self, name: &'static str) -> Result<&'a [StorePeer], GatherError> {
        match self.values(name)? {
            ColumnValues::Peers(values) => Ok(values),
            _ => Err(GatherError::Column(name)),
        }
    }

    pub(super) fn times(&self, name: &'static str) -> Result<&'a [Option<Timestamp>], GatherError> {
        match self.values(name)? {
            ColumnValues::Times(values) => Ok(values),
            _ => Err(GatherError::Column(name)),
        }
    }

    pub(super) fn numbers(&self, name: &'static str) -> Result<&'a [Option<i64>], GatherError> {
        match self.values(name)? {
            ColumnValues::Numbers(values) => Ok(values),
            _ => Err(GatherError::Column(name)),
        }
    }

    pub(super) fn texts(&self, name: &'static str) -> Result<&'a [Option<Arc<str>>], GatherError> {
        match self.values(name)? {
            ColumnValues::Texts(values) => Ok(values),
            _ => Err(GatherError::Column(name)),
        }
    }
}
