//! Writes the part of the layout that follows from the descriptions of `schema`: the tables and views of each kind of rows.
//!
//! The text stands in `migrations/0001_rows.sql`, where it is read by people and applied to new files; a test says when it
//! is no longer what this makes of the descriptions.

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use schema::{TABLES, Table, flat::ListView, table::List};

use super::{codec::OUTCOMES, physical, shown};

/// What the file begins with.
const HEAD: &str = "-- The tables and views of each kind of rows. This file is made from what `schema` says of them:
-- `KADSCOPE_WRITE=1 cargo test -p kadscope-store --lib layout` writes it anew.
--
-- Read the views: `docs/schema.md` documents their columns, `0001_runs.sql` how the tables keep what they show.
";

fn layout() -> String {
    let mut sql = HEAD.to_owned();
    for table in TABLES {
        sql += &rows(table);
        sql += &view(table);
        for list in table.lists() {
            sql += &list_view(table, &list);
        }
    }
    sql
}

fn rows(table: &Table) -> String {
    let name = table.name;
    let mut sql = format!(
        "\n-- {}\nCREATE TABLE {name} (\n    id INTEGER PRIMARY KEY,\n    run INTEGER NOT NULL REFERENCES run",
        table.doc
    );
    for (column, kind) in physical::columns(table) {
        write!(sql, ",\n    {column} {kind}").unwrap();
    }
    sql += "\n) STRICT;\n";
    if table.has_subject() {
        // When a peer was met in which run is said by the index alone.
        let started = if table.has_encounter { ", started_after_us" } else { "" };
        writeln!(sql, "CREATE INDEX {name}_by_peer ON {name} (peer, run{started});").unwrap();
    }
    sql
}

fn view(table: &Table) -> String {
    let name = table.name;
    let columns = shown::columns(table);
    let columns: Vec<_> = columns
        .iter()
        .map(|column| format!("    {} AS {}", column.stands_for.sql(&column.raw), column.name))
        .collect();
    format!(
        "\nCREATE VIEW {name}_view AS\nSELECT\n{}\nFROM {name} AS t\nJOIN run ON run.id = t.run;\n",
        columns.join(",\n")
    )
}

/// The numbers in a blob, as rows of `n` and `value`, in the way of a common table expression.
fn varints(name: &str, blob: &str) -> String {
    format!(
        "    {name}_step (seen, part, shift, value, whole) AS (
        SELECT 0, 0, 0, 0, 0
        UNION ALL
        SELECT
            seen + 1,
            iif(byte.value < 128, 0, part + ((byte.value & 127) << shift)),
            iif(byte.value < 128, 0, shift + 7),
            part + ((byte.value & 127) << shift),
            byte.value < 128
        FROM {name}_step JOIN byte ON byte.raw = substr({blob}, seen + 1, 1)
    ),
    {name} (n, value) AS (SELECT row_number() OVER (ORDER BY seen) - 1, value FROM {name}_step WHERE whole)"
    )
}

/// A difference, of the number that stands for it.
const fn unzigzag() -> &'static str {
    "iif(value & 1, -(value >> 1) - 1, value >> 1)"
}

fn list_view(table: &Table, view: &ListView) -> String {
    let column = view.column.name;
    let (entries, columns, from) = match view.list {
        List::Addresses => addresses(table, column),
        List::Fates => fates(),
        List::Prefixes => prefixes(column),
        List::Peers => peers(column),
    };
    let about = table.has_subject().then(|| "(SELECT peer_id FROM peer WHERE id = t.peer)".to_owned());
    let values = std::iter::once("t.id".to_owned()).chain(about).chain(columns);
    let shown: Vec<_> =
        values.zip(&view.columns).map(|(value, column)| format!("    {value} AS {}", column.name)).collect();
    format!(
        "\nCREATE VIEW {}_view AS\nSELECT\n{}\nFROM {} AS t{from}\nJOIN json_each((WITH RECURSIVE\n{entries})) \
         AS listed;\n",
        view.name,
        shown.join(",\n"),
        table.name
    )
}

/// What is read from a blob, as JSON; the columns of it; and what is joined before that.
type Reading = (String, Vec<String>, &'static str);

fn addresses(table: &Table, column: &str) -> Reading {
    let is_described = table.has_encounter && !table.columns.iter().any(|own| own.name == column);
    let (blob, from) = if is_described {
        ("description.listen_addrs".to_owned(), "\nJOIN description ON description.id = t.description")
    } else {
        (format!("t.{column}"), "")
    };
    let entries = format!(
        "{},\n    id (value) AS (SELECT sum({}) OVER (ORDER BY n) FROM number)\n    SELECT json_group_array(value) FROM id",
        varints("number", &blob),
        unzigzag()
    );
    let address = "(SELECT multiaddr FROM address_text WHERE id = listed.value)".to_owned();
    (entries, vec!["listed.key".to_owned(), address], from)
}

fn prefixes(column: &str) -> Reading {
    let entries = format!(
        "{}\n    SELECT json_group_array(value) FROM number",
        varints("number", &format!("t.{column}"))
    );
    let columns = [
        "listed.key",
        "CASE WHEN listed.value = 0 THEN 'not_asked' WHEN listed.value = 1 THEN 'saved' \
         WHEN listed.value % 2 = 0 THEN 'answered' ELSE 'failed' END",
        "iif(listed.value >= 2 AND listed.value % 2 = 0, (listed.value - 2) / 2, NULL)",
        "iif(listed.value >= 3 AND listed.value % 2 = 1, \
         (SELECT name FROM name WHERE id = (listed.value - 3) / 2), NULL)",
    ];
    (entries, columns.map(str::to_owned).to_vec(), "")
}

fn peers(column: &str) -> Reading {
    let entries = format!(
        "{},\n    peer (value) AS (SELECT sum(value) OVER (ORDER BY n) FROM number)\n    \
         SELECT json_group_array(value) FROM peer",
        varints("number", &format!("t.{column}"))
    );
    let peer_id = shown::StandsFor::PeerOfRun.sql("listed.value");
    (entries, vec!["listed.value".to_owned(), peer_id], "")
}

fn fates() -> Reading {
    let third = |n: u8| format!("max(value) FILTER (WHERE n % 3 = {n})");
    let entries = format!(
        "{list},\n{times},
    fate (entry, value, code, cause) AS (
        SELECT n / 3, {first}, {second}, {last} FROM number GROUP BY n / 3
    ),
    timed (gap, after, took) AS (
        SELECT sum({first} + 1) OVER (ORDER BY n / 3) - 1, {second}, {last} FROM time GROUP BY n / 3
    ),
    address (entry, id, code, cause, position) AS (
        SELECT entry, sum({zigzag}) OVER (ORDER BY entry), code, cause, sum(code & 1 = 0) OVER (ORDER BY entry) - 1 FROM fate
    )
    SELECT json_group_array(json_array(
        position, iif(code & 1, place, NULL), id, code >> 1, cause, nullif(after, 0) - 1, nullif(took, 0) - 1))
    FROM (
        SELECT *, row_number() OVER (PARTITION BY position ORDER BY entry) - 2 AS place FROM address
        LEFT JOIN timed ON timed.gap = address.entry ORDER BY entry
    )",
        list = varints("number", "fates.list"),
        times = varints("time", "t.times"),
        first = third(0),
        second = third(1),
        last = third(2),
        zigzag = unzigzag(),
    );
    let part = |n: u8| format!("listed.value ->> {n}");
    let outcome: Vec<_> =
        (0..).zip(OUTCOMES).map(|(code, name)| format!("WHEN {code} THEN '{name}'")).collect();
    let failure = |value: &str| {
        format!("iif({} = 4, (SELECT {value} FROM failure WHERE id = {}), NULL)", part(3), part(4))
    };
    let columns = vec![
        part(0),
        part(1),
        format!("(SELECT multiaddr FROM address_text WHERE id = {})", part(2)),
        format!("CASE {} {} END", part(3), outcome.join(" ")),
        format!("iif({} = 3, (SELECT name FROM name WHERE id = {}), NULL)", part(3), part(4)),
        failure("phase"),
        failure("class"),
        failure("detail"),
        part(5),
        part(6),
    ];
    (entries, columns, "\nJOIN fates ON fates.id = t.fates")
}
