//! A row of any kind as it is written, by its description.

use schema::{
    ColumnValue, Encounter, RunId, Table,
    table::{Column, Holds},
};
use serde::{Serialize, Serializer, ser::SerializeMap as _};

use crate::values::{Field, Lens};

/// A row on its way to its readers.
#[derive(Debug)]
pub struct Described<'a> {
    kind: &'static str,
    run: RunId,
    fields: Vec<(&'a str, Field<'a>)>,
}

impl<'a> Described<'a> {
    pub(crate) const fn new(kind: &'static str, run: RunId, fields: Vec<(&'a str, Field<'a>)>) -> Self {
        Self { kind, run, fields }
    }

    /// The fields of its line of a table, in the order of the headings.
    pub fn record(&self) -> Vec<String> {
        let mut record = vec![self.run.to_string()];
        self.fields.iter().for_each(|(_, field)| field.columns(&mut record));
        record
    }
}

/// An object that says first of which kind it is.
impl Serialize for Described<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len() + 2))?;
        map.serialize_entry("row", self.kind)?;
        map.serialize_entry("run_id", &self.run)?;
        for (name, field) in &self.fields {
            map.serialize_entry(name, field)?;
        }
        map.end()
    }
}

/// The columns of a table that are written, with the names that they have there.
#[derive(Debug)]
pub(crate) struct Columns {
    pub(crate) table: &'static Table,
    /// `None` for a column that is left out.
    names: Vec<(&'static Column, Option<String>)>,
}

impl Columns {
    /// All but those that are left out.
    pub(crate) fn of(table: &'static Table, without: &[String]) -> Self {
        let name = |column: &'static Column| {
            let name = match column.holds {
                Holds::Subject => "peer_id".to_owned(),
                Holds::Peer => format!("{}_peer_id", column.name),
                _ => column.name.to_owned(),
            };
            (column, Some(name).filter(|name| !without.iter().any(|left| left == name)))
        };
        Self { table, names: table.all_columns().map(name).collect() }
    }

    /// The headings of a table of such rows.
    pub(crate) fn headings(&self) -> Vec<String> {
        let heading = |(column, name): &(&Column, Option<String>)| match (column.holds, name) {
            (_, None) => Vec::new(),
            (Holds::Failure, Some(name)) => {
                ["phase", "class", "detail"].map(|part| format!("{name}_{part}")).to_vec()
            }
            (_, Some(name)) => vec![name.clone()],
        };
        std::iter::once("run_id".to_owned()).chain(self.names.iter().flat_map(heading)).collect()
    }

    /// A row with these values; `None` if it is of somebody who is left out.
    pub(crate) fn describe<'a>(
        &'a self,
        run: RunId,
        values: &'a [ColumnValue<'_>],
        lens: &'a Lens<'_>,
    ) -> Option<Described<'a>> {
        let mut fields = Vec::with_capacity(values.len());
        for ((column, name), value) in self.names.iter().zip(values) {
            let field = lens.field(column, value)?;
            fields.extend(name.as_deref().map(|name| (name, field)));
        }
        Some(Described::new(self.table.name, run, fields))
    }
}

/// What an encounter's row says, with the position of the address that connected among those that are shown.
pub(crate) fn values<'a>(row: &'a schema::Row, lens: &Lens<'_>) -> Vec<ColumnValue<'a>> {
    let mut values = row.values();
    let Some(table) = row.table() else { return values };
    if let (Some(encounter), Some(place)) = (row.encounter(), connected(table))
        && let Some(value) = values.get_mut(place)
    {
        *value = ColumnValue::Cell(shown_position(encounter, lens).into());
    }
    values
}

/// Where the position of the address that connected stands among the columns.
fn connected(table: &Table) -> Option<usize> {
    table.all_columns().position(|column| table.has_encounter && column.name == "connected")
}

fn shown_position(encounter: &Encounter, lens: &Lens<'_>) -> Option<u64> {
    let is_shown = |visited: &&schema::AddressVisit| !lens.opt_out.has_given(&visited.address);
    let position = encounter.connection.as_ref()?.address;
    encounter.addresses.get(position).filter(is_shown)?;
    u64::try_from(encounter.addresses.iter().take(position).filter(is_shown).count()).ok()
}
