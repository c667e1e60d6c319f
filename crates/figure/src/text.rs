//! Texts in a figure: what may stand in a file, how wide they are, how they break, and how numbers are written.

/// The longest name of a category or a series that is drawn, in characters.
pub(crate) const MAX_NAME: usize = 28;

/// The longest file name, in characters.
const MAX_STEM: usize = 80;

/// What XML may not hold is left out, and what it reads as its own is written otherwise.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(|c| is_printable(*c)) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Neither control characters nor what turns the direction of reading around, nor what XML does not know.
pub(crate) fn is_printable(c: char) -> bool {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !(c.is_control() || turns || matches!(c, '\u{fffe}' | '\u{ffff}'))
}

/// A text in the letters `a` to `z`, digits and `-`.
pub(crate) fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().take(MAX_STEM) {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "figure".to_owned() } else { slug.to_owned() }
}

/// A name as it is drawn: cut where it is too long.
pub(crate) fn shortened(name: &str) -> String {
    if is_long(name) { name.chars().take(MAX_NAME - 1).chain(['…']).collect() } else { name.to_owned() }
}

/// The longest name that is told to who asks for it, in characters.
const MAX_TOLD: usize = 120;

/// A name as it is told to who asks for it: whole, unless nobody would read it.
pub(crate) fn told(name: &str) -> String {
    if name.chars().nth(MAX_TOLD).is_some() {
        name.chars().take(MAX_TOLD - 1).chain(['…']).collect()
    } else {
        name.to_owned()
    }
}

/// Whether a name is cut.
pub(crate) fn is_long(name: &str) -> bool {
    name.chars().nth(MAX_NAME).is_some()
}

/// How wide a text is in a type without serifs of that size, in pixels: rather too much than too little. Widths are those of
/// Helvetica's metrics (Adobe, "Font Metrics", 1997), by classes.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    let ems: f64 = text.chars().map(em).sum();
    ems * size
}

/// How wide a character is, in ems.
const fn em(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '\'' => 0.23,
        '.' | ',' | ':' | ';' | '|' | '!' | 'f' | 't' | 'I' | ' ' | '/' | '[' | ']' | '·' => 0.29,
        'r' | '(' | ')' | '-' | '"' | '`' => 0.35,
        'm' | 'M' | 'W' | '%' | '@' | '…' | '—' => 1.0,
        'w' | 'G' | 'O' | 'Q' | 'C' | 'D' | 'H' | 'N' | 'R' | 'U' => 0.79,
        'A'..='Z' | '&' => 0.68,
        '\u{1100}'.. => 1.05,
        '\u{80}'.. => 0.62,
        _ => 0.565,
    }
}

/// A text in lines no wider than that. A word that is wider on its own is cut.
pub(crate) fn wrapped(text: &str, size: f64, most: f64) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let word = fitted(word, size, most);
        let longer = if line.is_empty() { word.clone() } else { format!("{line} {word}") };
        if line.is_empty() || width(&longer, size) <= most {
            line = longer;
        } else {
            lines.push(std::mem::replace(&mut line, word));
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// As much of a text as fits.
pub(crate) fn fitted(text: &str, size: f64, most: f64) -> String {
    if width(text, size) <= most {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut taken = em('…') * size;
    for c in text.chars() {
        taken += em(c) * size;
        if taken > most {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
    kept
}

/// A number as a reader wants it: three digits that count, thousands apart.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let size = value.abs();
    if size == 0.0 {
        return "0".to_owned();
    }
    if !(1e-4..1e12).contains(&size) {
        return format!("{value:.1e}").replace('-', "−");
    }
    let digits = whole(2.0 - size.log10().floor());
    let text = trimmed(&format!("{value:.digits$}"));
    grouped(&text)
}

/// A number with so many digits behind the point.
pub(crate) fn fixed(value: f64, digits: usize) -> String {
    grouped(&format!("{value:.digits$}"))
}

/// A value as a whole number from 0 on: cut, and as near as numbers reach.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, which is what is wanted: nothing is drawn beyond"
)]
pub(crate) const fn whole(value: f64) -> usize {
    value as usize
}

/// A count with its thousands apart.
pub fn count(n: u64) -> String {
    grouped(&n.to_string())
}

/// Without zeros at the end of a fraction.
fn trimmed(text: &str) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text.to_owned()
    }
}

/// With commas between thousands, and a minus as long as a plus is wide.
fn grouped(text: &str) -> String {
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |rest| ("−", rest));
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut out = String::from(if text.bytes().any(|b| (b'1'..=b'9').contains(&b)) { sign } else { "" });
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out + fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_that_count() {
        for (value, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (0.5, "0.5"),
            (1234.5, "1,234"),
            (1_234_567.0, "1,234,567"),
            (0.01234, "0.0123"),
            (12.34, "12.3"),
            (-0.25, "−0.25"),
            (1e-7, "1.0e−7"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(number(value), text);
        }
        assert_eq!(fixed(-0.001, 1), "0.0");
    }

    #[test]
    fn no_text_can_be_more_than_text() {
        assert_eq!(
            escaped("<script>a&b\u{0}\u{202e}'\"</script>"),
            "&lt;script&gt;a&amp;b&#39;&quot;&lt;/script&gt;"
        );
        assert_eq!(slug("../Etc/pass wd<"), "etc-pass-wd");
        assert_eq!(slug("…"), "figure");
        assert!(slug(&"x/".repeat(500)).len() <= MAX_STEM);
    }

    #[test]
    fn lines_are_no_wider_than_they_may_be() {
        for text in ["a few words that need more than one line", &"x".repeat(200), "", "  "] {
            for line in wrapped(text, 10.0, 90.0) {
                assert!(width(&line, 10.0) <= 90.0, "{line}");
            }
        }
    }
}
