//! Text that PostgreSQL can keep: it has no NUL, and texts that come from peers may have.
//!
//! NUL is written as U+E000 and `0`, and U+E000 itself, which nobody assigns, as U+E000 and `1`.

use std::borrow::Cow;

use serde_json::Value;

const ESCAPE: char = '\u{e000}';

/// Stands between the texts of a list, and in none of them.
pub(crate) const SEPARATOR: &str = "\u{e000}2";

/// The text as it is kept.
pub(crate) fn kept(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', ESCAPE]) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\0' => out.extend([ESCAPE, '0']),
            ESCAPE => out.extend([ESCAPE, '1']),
            c => out.push(c),
        }
    }
    out.into()
}

/// The text that [`kept`] was given; `None` for what it never makes.
pub(crate) fn read(text: String) -> Option<String> {
    if !text.contains(ESCAPE) {
        return Some(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            ESCAPE => match chars.next()? {
                '0' => '\0',
                '1' => ESCAPE,
                _ => return None,
            },
            c => c,
        });
    }
    Some(out)
}

/// A list of texts as one.
pub(crate) fn joined(texts: &[String]) -> String {
    let mut out = String::new();
    for text in texts {
        out += SEPARATOR;
        out += &kept(text);
    }
    out
}

/// JSON as it is kept: every text in it by the same rule.
pub(crate) fn kept_json(value: &Value) -> Value {
    each_text(value, &|text| kept(text).into_owned())
}

/// The JSON that [`kept_json`] was given. A text that it never makes is left as it is.
pub(crate) fn read_json(value: &Value) -> Value {
    each_text(value, &|text| read(text.to_owned()).unwrap_or_else(|| text.to_owned()))
}

/// JSON with every text in it changed, names as well.
pub(crate) fn each_text(value: &Value, change: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(change(text)),
        Value::Array(values) => values.iter().map(|value| each_text(value, change)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (change(name), each_text(value, change))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_text_is_read_back(text in "[\0\u{e000}a2é]{0,8}") {
            let kept = kept(&text).into_owned();
            prop_assert!(!kept.contains('\0') && !kept.contains(SEPARATOR));
            prop_assert_eq!(read(kept), Some(text));
        }
    }

    #[test]
    fn names_and_values_of_json_are_kept_alike() {
        let value = serde_json::json!({ "a\0": ["\u{e000}", 1, null, { "b": "\0" }] });
        let kept = kept_json(&value);
        assert!(!kept.to_string().contains("\\u0000"));
        assert_eq!(read_json(&kept), value);
    }
}
