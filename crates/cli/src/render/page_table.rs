//! A table of a report, on a terminal: names flush left, numbers flush right.

use figure::PageTable;

use super::text::{columns, escaped, left, right};
use crate::output::Style;

/// Between one column and the next.
const GAP: &str = "  ";

/// The table with its caption, and an empty line behind it.
pub(crate) fn page_table(table: &PageTable, style: Style) -> String {
    let rows: Vec<Vec<String>> = std::iter::once(&table.head)
        .chain(&table.rows)
        .map(|row| row.iter().map(|cell| escaped(cell)).collect())
        .collect();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| columns(cell)).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..table.head.len()).map(width).collect();
    let mut text = format!("{}\n", style.bold(&escaped(&table.caption)));
    for (number, row) in rows.iter().enumerate() {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            if column >= table.numbers_from { right(cell, *width) } else { left(cell, *width) }
        });
        let line = format!("{GAP}{}", cells.collect::<Vec<_>>().join(GAP));
        let line = line.trim_end();
        text += &if number == 0 { style.dim(line) } else { line.to_owned() };
        text.push('\n');
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let owned = |row: [&str; 2]| row.map(str::to_owned).to_vec();
        let rows = vec![owned(["default", "5.18 s"]), owned(["x\u{1b}[2J", "294 ms (1 ms–2 s)"])];
        let table =
            PageTable { caption: "T".to_owned(), head: owned(["fleet", "p50"]), rows, numbers_from: 1 };
        let text = page_table(&table, Style::plain());
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "T");
        assert!(lines[2].ends_with("           5.18 s") && !text.contains('\u{1b}'), "{text}");
        assert_eq!(columns(lines[2]), columns(lines[3]));
    }
}
