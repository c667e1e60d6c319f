//! Lines of the file of passwords that PostgreSQL's programs share: any text is a line, and what is escaped is found whole.

use store::decoders::password_of_line;

/// Reads the text as a line, and as the fields of one.
pub fn check(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let mut fields = text.split('\n');
    let mut next = || fields.next().unwrap_or_default();
    let (line, host, database, user, password) = (next(), next(), next(), next(), next());
    let found = password_of_line(line, (host, 5432), database, user);
    assert!(found.is_none_or(|found| found.len() <= line.len()), "more than stands in the line");
    let escaped = |field: &str| field.replace('\\', "\\\\").replace(':', "\\:");
    let of = |host: &str| format!("{host}:5432:{}:*:{}", escaped(database), escaped(password));
    let is_comment = host.starts_with('#');
    if !is_comment {
        let found = password_of_line(&of(&escaped(host)), (host, 5432), database, user);
        assert_eq!(found.as_deref(), Some(password), "what is escaped is not found");
    }
    assert_eq!(password_of_line(&of("*"), (host, 5433), database, user), None, "another port fits");
}
