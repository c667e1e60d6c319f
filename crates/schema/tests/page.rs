//! `docs/schema.md` is what the descriptions of the rows say.

use std::{collections::BTreeSet, fs, path::PathBuf};

use kadscope_schema::{
    Reveals, RowType as _, TABLES, Visit,
    flat::Flat,
    table::{Column, Holds, List},
};

/// What the page begins with.
const HEAD: &str = "# The rows

What kadscope keeps, whatever keeps it. This page is made from the descriptions in `crates/schema`:
`KADSCOPE_WRITE=1 cargo test -p kadscope-schema --test page` writes it anew.

A **run** is what a tool did from its beginning to its end; `run_view` lists them, and docs/operating.md says how they are
read. Every other row belongs to a run. Of each kind of rows there is a view `NAME_view`, and one for each list that a row
has. Times are RFC 3339 in UTC with milliseconds and come from the run's start and a clock that does not step (steps of the
wall clock are rows of `clock_step`); durations are whole microseconds; yes and no are 1 and 0. What is absent is NULL.
What a column reveals of who was measured decides what [an export](export.md) shows of it: who a `peer` is, its `address`, what it says of
its `program`, the `region` where it is or the `network` that it is in, or a `text` that can name any of them. The names are closed lists; the pages on [visits](methodology/visit.md), [lookups](methodology/lookup.md),
[measurements](methodology/perf.md), [studies](methodology/hoard.md), [places](methodology/places.md) and [sessions](methodology/sessions.md) define them.
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    for table in TABLES {
        page.extend([format!("\n## `{}`\n\n{}\n\n", table.name, table.doc)]);
        page += &columns(&table.flat());
        for list in table.lists() {
            page.extend([format!(
                "\n### `{}`\n\nA row for each of `{}`: {}.\n\n",
                list.name, list.column.name, list.column.doc
            )]);
            page += &columns(&list.columns);
        }
    }
    page
}

fn columns(columns: &[Flat]) -> String {
    let mut text = "| column | holds | reveals | meaning |\n|---|---|---|---|\n".to_owned();
    for Flat { name, holds, nullable, doc, reveals } in columns {
        let or_null = if *nullable { ", or NULL" } else { "" };
        let reveals = match reveals {
            Some(Reveals::Nothing) => "",
            Some(reveals) => reveals.name(),
            None => "?",
        };
        text.extend([format!("| `{name}` | {}{or_null} | {reveals} | {doc} |\n", kind(*holds))]);
    }
    text
}

fn kind(holds: Holds) -> String {
    match holds {
        Holds::Time => "a time".to_owned(),
        Holds::Duration => "microseconds".to_owned(),
        Holds::Count(of) => format!("a number ({of})"),
        Holds::Flag => "0 or 1".to_owned(),
        Holds::Name(names) if names().len() > 8 => "a name".to_owned(),
        Holds::Name(names) => names().iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
        Holds::Text => "text".to_owned(),
        Holds::Texts => "a JSON array of texts".to_owned(),
        Holds::Bytes => "bytes, in hexadecimal".to_owned(),
        Holds::Address => "a multiaddress; `0x` and digits for bytes that are none".to_owned(),
        Holds::Subject | Holds::Peer | Holds::Failure | Holds::List(_) => String::new(),
    }
}

#[test]
fn the_page_is_what_the_descriptions_say() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema.md");
    let made = page();
    if std::env::var_os("KADSCOPE_WRITE").is_some() {
        fs::write(&path, &made).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == made,
        "docs/schema.md is stale: `KADSCOPE_WRITE=1 cargo test -p kadscope-schema --test page` writes it anew"
    );
}

#[test]
fn every_column_says_what_it_reveals() {
    for table in TABLES {
        let unsaid = table.all_columns().filter(|column| column.reveals().is_none());
        assert_eq!(unsaid.map(|column| column.name).collect::<Vec<_>>(), [""; 0], "{}", table.name);
        let lists = table.lists();
        for column in table.flat().iter().chain(lists.iter().flat_map(|list| &list.columns)) {
            assert!(column.reveals.is_some(), "{}: {}", table.name, column.name);
        }
    }
    // Text says nothing of what it reveals: whoever describes a column has to.
    assert_eq!(Column::new("note", Holds::Text, "").reveals(), None);
}

#[test]
fn no_column_of_a_table_has_the_name_of_another() {
    for table in TABLES {
        let columns = table.flat();
        let names: BTreeSet<_> = columns.iter().map(|column| &column.name).collect();
        assert_eq!(names.len(), columns.len(), "{}", table.name);
        let durations = columns.iter().filter(|column| matches!(column.holds, Holds::Duration));
        assert!(durations.into_iter().all(|column| column.name.ends_with("_us")));
    }
    let names: BTreeSet<_> = TABLES.iter().map(|table| table.name).collect();
    assert_eq!(names.len(), TABLES.len());
    assert!(Visit::TABLE.all_columns().any(|column| matches!(column.holds, Holds::List(List::Peers))));
}
