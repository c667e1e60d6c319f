//! Aligned lines: a label, a count, its share and a bar; and small tables.

use crawl::Counts;

use super::text::{bar, columns, escaped, fit, grouped, left, percent, right};
use crate::output::Style;

/// Columns of a label with its indent.
pub(super) const LABEL: usize = 38;

/// Columns of a count.
const COUNT: usize = 10;

/// Columns of a share.
const SHARE: usize = 9;

/// Columns of a bar, at most: it has what the terminal leaves.
const BAR: usize = 20;

/// Columns that stand before a bar.
const BEFORE_BAR: usize = LABEL + COUNT + SHARE + 2;

/// What a bar means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Neutral,
    Good,
    Bad,
}

/// A count with its share of a whole.
#[derive(Debug, Clone)]
pub(super) struct ShareOfWhole<'a> {
    /// Escaped already.
    pub(super) label: &'a str,
    pub(super) count: u64,
    /// What 100 % is; 0 for a count without a share.
    pub(super) whole: u64,
    pub(super) tone: Tone,
}

impl ShareOfWhole<'_> {
    /// One line, without its end.
    pub(super) fn line(&self, style: Style) -> String {
        let label = left(&fit(self.label, LABEL), LABEL);
        let share = percent(self.count, self.whole);
        let length = if self.whole == 0 { 0.0 } else { self.count as f64 / self.whole as f64 };
        let bar = bar(length, style.columns().saturating_sub(BEFORE_BAR).min(BAR));
        let bar = match self.tone {
            Tone::Neutral => style.blue(&bar),
            Tone::Good => style.green(&bar),
            Tone::Bad => style.red(&bar),
        };
        format!("{label}{:>COUNT$}{share:>SHARE$}  {bar}", grouped(self.count)).trim_end().to_owned()
    }
}

/// A heading with a remark.
pub(super) fn heading(title: &str, remark: &str, style: Style) -> String {
    if remark.is_empty() {
        return style.bold(title);
    }
    format!("{}{}", style.bold(title), style.dim(&format!("  {remark}")))
}

/// A list of names that peers gave, the most frequent first, and the rest in one line.
pub(super) fn ranked(counts: &Counts, most: usize, whole: u64, style: Style) -> Vec<String> {
    let mut names: Vec<(&str, u64)> = counts.iter().map(|(name, &count)| (name.as_str(), count)).collect();
    // The map is in the order of names, and the sort keeps it among equals.
    names.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    // One left over gets its own line instead of a line about one other.
    let shown = if names.len() == most + 1 { names.len() } else { most.min(names.len()) };
    let (first, others) = names.split_at(shown);
    let line = |label: &str, count| ShareOfWhole { label, count, whole, tone: Tone::Neutral }.line(style);
    let mut lines: Vec<String> = first.iter().map(|&(name, count)| line(&listed(name), count)).collect();
    if !others.is_empty() {
        let count = others.iter().map(|(_, count)| count).sum();
        lines.push(line(&format!("  {} others", grouped(others.len() as u64)), count));
    }
    lines
}

fn listed(name: &str) -> String {
    let name = if name.is_empty() { "(none given)".to_owned() } else { escaped(name) };
    format!("  {name}")
}

/// A fact: a label and what there is to say.
pub(super) fn fact(label: &str, text: &str, style: Style) -> String {
    format!("{}{}{text}", style.bold(label), " ".repeat(16_usize.saturating_sub(columns(label))))
}

/// Lines of cells, each column as wide as its widest cell; columns from `flush_right` on are flush right.
pub(super) fn aligned(rows: &[Vec<String>], flush_right: usize) -> Vec<String> {
    let most = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| columns(cell)).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..most).map(width).collect();
    let cell = |(column, cell): (usize, &String)| {
        if column < flush_right { left(cell, widths[column]) } else { right(cell, widths[column]) }
    };
    let line = |row: &Vec<String>| row.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ");
    rows.iter().map(|row| line(row).trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_come_first_and_the_rest_is_summed() {
        let counts: Counts =
            [("a", 1), ("b", 5), ("\x1b[2J", 3), ("", 2), ("d", 1)].map(|(n, c)| (n.to_owned(), c)).into();
        insta::assert_snapshot!(ranked(&counts, 3, 12, Style::plain()).join("\n"), @r"
          b                                            5   41.7 %  ████████▍
          \u{1b}[2J                                    3   25.0 %  █████
          (none given)                                 2   16.7 %  ███▍
          2 others                                     2   16.7 %  ███▍
        ");
        assert_eq!(ranked(&counts, 4, 12, Style::plain()).len(), 5);
    }

    #[test]
    fn cells_are_aligned() {
        let rows = [vec!["a".to_owned(), "1".to_owned()], vec!["bcd".to_owned(), "100".to_owned()]];
        assert_eq!(aligned(&rows, 1), ["a      1", "bcd  100"]);
        let wide = [vec!["漢字".to_owned(), "1".to_owned()], vec!["a".to_owned(), "2".to_owned()]];
        assert_eq!(aligned(&wide, 1), ["漢字  1", "a     2"]);
    }
}
