//! Numbers and strings as people read them.

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

/// A text cut to so many characters, with an ellipsis where it was cut.
pub(crate) fn fit(text: &str, columns: usize) -> String {
    match text.char_indices().nth(columns) {
        None => text.to_owned(),
        Some(_) => text.chars().take(columns.saturating_sub(1)).chain(['…']).collect(),
    }
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
            ["0 µs", "250 µs", "850 ms", "1.0 s", "4.2 s", "10 s", "1 min 00 s", "1 min 12 s", "2 h 05 min"]
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
}
