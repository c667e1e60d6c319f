//! The rows of a run for others.

use kad::opt_out::OptOut;
use schema::{TABLES, Table, Veil};
use store::{RunInfo, Store};

use crate::{
    Described, ExportedPeers,
    described::{self, Columns},
    names::Verdicts,
    run,
    values::Lens,
};

/// A kind of rows that can be exported.
#[derive(Debug, Clone, Copy)]
pub enum RowKind {
    /// The run: one row that says how the others were made.
    Run,
    /// The peers that were heard of.
    Peer,
    /// What is kept in a table.
    Of(&'static Table),
}

impl RowKind {
    /// Every kind, in the order in which they are written.
    pub fn all() -> Vec<Self> {
        [Self::Run, Self::Peer].into_iter().chain(TABLES.iter().map(Self::Of)).collect()
    }

    /// Its name, in the singular.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Peer => "peer",
            Self::Of(table) => table.name,
        }
    }

    /// What one of its rows says, as a sentence.
    pub const fn doc(self) -> &'static str {
        match self {
            Self::Run => "How the other rows were made.",
            Self::Peer => "A peer that was heard of.",
            Self::Of(table) => table.doc,
        }
    }

    /// The kind of this name; `None` if there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|kind| kind.name() == name)
    }

    /// The headings of a table of such rows, without the columns `without`.
    pub fn headings(self, without: &[String]) -> Vec<String> {
        let fixed =
            |names: &[&str]| std::iter::once(&"run_id").chain(names).map(|&name| name.to_owned()).collect();
        match self {
            Self::Run => fixed(&run::RUN),
            Self::Peer => fixed(&run::PEER),
            Self::Of(table) => Columns::of(table, without).headings(),
        }
    }

    /// Whether a run has rows of it.
    pub fn is_in(self, store: &Store, run: &RunInfo) -> Result<bool, store::Error> {
        Ok(match self {
            Self::Run => true,
            Self::Peer => run.totals.peers > 0,
            Self::Of(table) => store.rows_of(run.start.id, table)?.next().transpose()?.is_some(),
        })
    }
}

/// The rows of one run, as others may see them.
#[derive(Debug)]
pub struct Export<'a> {
    /// Where they are.
    pub store: &'a Store,
    /// The run.
    pub run: &'a RunInfo,
    /// At which level of privacy.
    pub veil: &'a Veil,
    /// Who is left out.
    pub opt_out: &'a OptOut,
    /// Which columns are left out.
    pub without: &'a [String],
    /// Who is in it.
    pub names: ExportedPeers,
}

impl<'a> Export<'a> {
    /// Begins: reads who is in the run.
    pub fn begin(
        (store, run): (&'a Store, &'a RunInfo),
        (veil, opt_out): (&'a Veil, &'a OptOut),
        without: &'a [String],
    ) -> Result<Self, store::Error> {
        let names = ExportedPeers::read(store, run.start.id, opt_out, veil)?;
        Ok(Self { store, run, veil, opt_out, without, names })
    }

    /// Hands every row of a kind to `write`, one after the other, until it returns `false` or fails. Says whether it took all.
    pub fn each<E: From<store::Error>>(
        &self,
        kind: RowKind,
        mut write: impl FnMut(&Described<'_>) -> Result<bool, E>,
    ) -> Result<bool, E> {
        let lens = Lens { names: &self.names, veil: self.veil, opt_out: self.opt_out };
        let id = self.run.start.id;
        match kind {
            RowKind::Run => return write(&run::run(self.run, &lens)),
            RowKind::Peer => {
                let verdicts = Verdicts::read(self.store, id)?;
                for (number, name) in self.names.iter() {
                    if !write(&run::peer(id, name, verdicts.of(number)))? {
                        return Ok(false);
                    }
                }
            }
            RowKind::Of(table) => {
                let columns = Columns::of(table, self.without);
                for row in self.store.rows_of(id, table)? {
                    let row = row?;
                    let values = described::values(&row, &lens);
                    if let Some(described) = columns.describe(id, &values, &lens)
                        && !write(&described)?
                    {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }
}
