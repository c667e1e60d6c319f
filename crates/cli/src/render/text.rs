//! Numbers and strings as people read them.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// The characters that fill an eighth of a column and more.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// A count with its thousands apart: `1,018`.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with what is counted: `1 peer`, `1,018 peers`.
pub(crate) fn counted(count: u64, one: &str, several: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { several })
}

/// The share of `part` in `whole`: `86.6 %`; empty where there is no whole.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return String::new();
    }
    let share = part as f64 * 100.0 / whole as f64;
    // What is not all of it does not read as all of it, and what is something not as nothing.
    let shown = if part < whole { share.min(99.9) } else { share };
    let shown = if part > 0 { shown.max(0.1) } else { shown };
    format!("{shown:.1} %")
}

/// A time: `850 ms`, `4.2 s`, `1 min 12 s`, `2 h 05 min`.
pub(crate) fn duration(seconds: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates; times are not negative"
    )]
    let whole = seconds.round() as u64;
    match seconds {
        s if s <= 0.0 => "0 s".to_owned(),
        s if s < 0.001 => format!("{:.0} µs", s * 1e6),
        s if s < 0.9995 => format!("{:.0} ms", s * 1e3),
        s if s < 9.95 => format!("{s:.1} s"),
        _ if whole < 60 => format!("{whole} s"),
        _ if whole < 3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole / 60 % 60),
    }
}

/// An amount of data, in units of a thousand: `14.2 MB`.
pub(crate) fn bytes(count: u64) -> String {
    let mut amount = count as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if amount < 999.5 {
            let digits = usize::from(unit != "B" && amount < 99.95);
            return format!("{amount:.digits$} {unit}");
        }
        amount /= 1000.0;
    }
    format!("{amount:.1} TB")
}

/// A bar of blocks, `columns` long for a share of 1.
pub(crate) fn bar(share: f64, columns: usize) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a few hundred")]
    let eighths = (share.clamp(0.0, 1.0) * columns as f64 * 8.0).round() as usize;
    // What is there is seen.
    let eighths = if share > 0.0 { eighths.max(1) } else { eighths };
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

/// A string that a peer sent, so that it is only ever text: controls, escapes of terminals and characters that are not
/// seen or turn the direction of text are spelled out.
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\'' => safe.push(c),
            _ => safe.extend(c.escape_debug()),
        }
    }
    safe
}

/// How many columns a text takes: letters of East Asia two, marks on a letter none.
pub(crate) fn columns(text: &str) -> usize {
    text.width()
}

/// A text cut to so many columns, with an ellipsis where it was cut.
pub(crate) fn fit(text: &str, most: usize) -> String {
    if columns(text) <= most {
        return text.to_owned();
    }
    let mut fitting = String::new();
    let mut used = 0;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used >= most {
            break;
        }
        fitting.push(c);
    }
    fitting + "…"
}

/// A text in a cell of so many columns, flush left.
pub(crate) fn left(text: &str, width: usize) -> String {
    text.to_owned() + &" ".repeat(width.saturating_sub(columns(text)))
}

/// The same flush right.
pub(crate) fn right(text: &str, width: usize) -> String {
    " ".repeat(width.saturating_sub(columns(text))) + text
}

/// Lines that fit into so many columns: broken between words, never within one. What goes on stands below what it goes on
/// from.
pub(crate) fn wrapped(text: &str, most: usize) -> String {
    text.split_inclusive('\n').map(|line| wrapped_line(line, most)).collect()
}

fn wrapped_line(line: &str, most: usize) -> String {
    let (content, end) = line.strip_suffix('\n').map_or((line, ""), |content| (content, "\n"));
    if visible(content) <= most {
        return line.to_owned();
    }
    let indent = hanging(content).min(most / 2);
    let mut lines = String::new();
    let mut used = 0;
    for word in content.split_inclusive(' ') {
        let own = visible(word.trim_end());
        if used > indent && used + own > most && own > 0 {
            lines.truncate(lines.trim_end_matches(' ').len());
            lines.push('\n');
            lines += &" ".repeat(indent);
            used = indent;
        }
        lines += word;
        used += visible(word);
    }
    lines.truncate(lines.trim_end_matches(' ').len());
    lines + end
}

/// Where what goes on stands: behind the label if the line has one, else two columns further in.
fn hanging(line: &str) -> usize {
    let plain = without_paint(line);
    let margin = plain.len() - plain.trim_start_matches(' ').len();
    let label = plain.get(margin..).and_then(|rest| rest.find("  ").map(|gap| (gap, rest)));
    match label {
        Some((gap, rest)) => {
            let text = rest[gap..].len() - rest[gap..].trim_start_matches(' ').len();
            margin + columns(&rest[..gap]) + text
        }
        None => margin + 2,
    }
}

/// The columns of a text that may be painted.
fn visible(text: &str) -> usize {
    columns(&without_paint(text))
}

/// The text without the sequences that paint it, `ESC [ ... m`.
fn without_paint(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    first + &parts.map(|part| part.split_once('m').map_or(part, |(_, rest)| rest)).collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_shares() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(percent(1, 3), "33.3 %");
        assert_eq!([percent(99_999, 100_000), percent(1, 100_000)], ["99.9 %", "0.1 %"]);
        assert_eq!([percent(5, 5), percent(0, 5), percent(0, 0)], ["100.0 %", "0.0 %", ""]);
    }

    #[test]
    fn times_and_amounts() {
        let times = [0.0, 0.000_25, 0.85, 0.9996, 4.23, 9.96, 59.7, 72.0, 7500.0].map(duration);
        assert_eq!(
            times,
            ["0 s", "250 µs", "850 ms", "1.0 s", "4.2 s", "10 s", "1 min 00 s", "1 min 12 s", "2 h 05 min"]
        );
        let amounts = [0, 999, 1000, 14_200_000, 999_600, 5_000_000_000, 3_000_000_000_000].map(bytes);
        assert_eq!(amounts, ["0 B", "999 B", "1.0 kB", "14.2 MB", "1.0 MB", "5.0 GB", "3.0 TB"]);
    }

    #[test]
    fn bars_have_the_length_of_their_share() {
        assert_eq!(
            [bar(0.0, 4), bar(0.5, 4), bar(1.0, 4), bar(0.0001, 4), bar(7.0, 2)],
            ["", "██", "████", "▏", "██"]
        );
    }

    #[test]
    fn what_peers_send_is_only_text() {
        assert_eq!(escaped("kubo/0.29.0/'a' \"b\" ü 漢"), "kubo/0.29.0/'a' \"b\" ü 漢");
        assert_eq!(escaped("a\x1b[31mb\r\n\u{9b}2J"), "a\\u{1b}[31mb\\r\\n\\u{9b}2J");
        assert_eq!(escaped("\u{202e}gnp\u{200b}"), "\\u{202e}gnp\\u{200b}");
        assert_eq!(escaped("\\u{1b}"), "\\\\u{1b}");
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!([fit("abc", 3), fit("abcd", 3), fit("", 0)], ["abc", "ab…", ""]);
    }

    #[test]
    fn wide_letters_take_two_columns_and_marks_none() {
        assert_eq!([columns("漢字"), columns("e\u{301}"), columns("ü")], [4, 1, 1]);
        assert_eq!(
            [fit("漢字漢字", 8), fit("漢字漢字", 7), fit("漢字漢字", 6)],
            ["漢字漢字", "漢字漢…", "漢字…"]
        );
        assert_eq!([left("漢", 4), right("漢", 4)], ["漢  ", "  漢"]);
    }

    #[test]
    fn one_is_not_several() {
        let peers = [0, 1, 1018].map(|count| counted(count, "peer", "peers"));
        assert_eq!(peers, ["0 peers", "1 peer", "1,018 peers"]);
    }

    #[test]
    fn lines_are_broken_between_words() {
        let fact = "Visits          1,113, 113 of them repeated, which reached 3 more";
        assert_eq!(
            wrapped(&format!("a\n{fact}\n"), 40),
            "a\nVisits          1,113, 113 of them\n                repeated, which reached\n                3 more\n"
        );
        assert_eq!(wrapped(fact, 80), fact);
        assert_eq!(wrapped("  one two three", 8), "  one\n    two\n    three");
        assert_eq!(wrapped("12345678901234567890", 8), "12345678901234567890", "a word stays whole");
        let painted = "\x1b[1mCost\x1b[0m            1 s of CPU";
        assert_eq!(wrapped(painted, 26), painted, "paint takes no room");
    }
}
