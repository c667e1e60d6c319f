//! A page as Markdown, with figures as pictures from files.

use std::fmt::Write as _;

use crate::{Page, PageTable, text};

pub(super) fn file(page: &Page, directory: &str) -> String {
    let mut out = format!("# {}\n", plain(&page.title));
    for line in &page.preamble {
        // A string takes whatever is written.
        _ = write!(out, "\n{}\n", plain(line));
    }
    for section in &page.sections {
        let marks = "#".repeat(section.level.clamp(2, 6).into());
        _ = write!(out, "\n{marks} {}\n", plain(&section.title));
        for line in &section.text {
            _ = write!(out, "\n{}\n", plain(line));
        }
        section.tables.iter().for_each(|table| of_table(&mut out, table));
        for figure in &section.figures {
            let (title, stem) = (plain(&figure.title), figure.file_stem());
            _ = write!(
                out,
                "\n![{title}]({directory}/{stem}.svg)\n\nData: [CSV]({directory}/{stem}.csv), [JSON]({directory}/{stem}.json)\n"
            );
        }
    }
    out
}

fn of_table(out: &mut String, table: &PageTable) {
    _ = write!(out, "\n{}\n\n", plain(&table.caption));
    let line = |cells: &[String]| {
        format!("| {} |\n", cells.iter().map(|cell| plain(cell)).collect::<Vec<_>>().join(" | "))
    };
    out.push_str(&line(&table.head));
    let rules = (0..table.head.len()).map(|column| if column >= table.numbers_from { "--:" } else { "---" });
    _ = writeln!(out, "|{}|", rules.collect::<Vec<_>>().join("|"));
    table.rows.iter().for_each(|row| out.push_str(&line(row)));
}

/// A text that Markdown takes for nothing else.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(|c| text::is_printable(*c)) {
        match c {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '!' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}
