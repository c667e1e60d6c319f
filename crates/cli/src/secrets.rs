//! What must not be shown, whatever the text: passwords in URLs.

use std::borrow::Cow;

/// What stands in the place of a password.
const HIDDEN: &str = "***";

/// The text without the passwords of its URLs: what stands between `://USER:` and the last `@` before the host ends.
pub(crate) fn hidden(text: &str) -> Cow<'_, str> {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("://").map(|at| at + "://".len()) {
        let (before, behind) = rest.split_at(start);
        shown += before;
        let ends = |c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '\'' | '"' | '`' | '<' | '>');
        let (authority, behind) = behind.split_at(behind.find(ends).unwrap_or(behind.len()));
        match authority.rsplit_once('@').and_then(|(user, host)| Some((user.split_once(':')?.0, host))) {
            Some((user, host)) => shown.extend([user, ":", HIDDEN, "@", host]),
            None => shown += authority,
        }
        rest = behind;
    }
    if shown.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(shown + rest) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_hidden_and_nothing_else() {
        for (text, shown) in [
            ("", ""),
            ("nothing at all: a@b", "nothing at all: a@b"),
            ("postgres://me:hunter2@host/db?x", "postgres://me:***@host/db?x"),
            ("two http://a:b@c and 'http://d:e@f:1'.", "two http://a:***@c and 'http://d:***@f:1'."),
            ("an @ in it: http://a:b@c@d/", "an @ in it: http://a:***@d/"),
            ("http://me@host http://host:1/a:b@c", "http://me@host http://host:1/a:b@c"),
            ("\"http://ü:ö@ä\"", "\"http://ü:***@ä\""),
            ("http://a:b@", "http://a:***@"),
        ] {
            assert_eq!(hidden(text), shown);
        }
    }
}
