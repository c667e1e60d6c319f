//! `@FILE` on the command line: the flags that stand in a file, as if they stood there.
//!
//! A line holds one flag or several. Words are parted by blanks; `'...'` and `"..."` keep blanks, within `"..."` a
//! backslash stands before `"` and `\`; a word that begins with `#` begins a comment. Nothing is expanded.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use crate::{input, render::text::escaped};

/// The longest file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// The most words of all files together.
const MAX_WORDS: usize = 100_000;

/// The command line with its files put in.
#[derive(Debug, Default)]
pub(crate) struct Expanded {
    /// All arguments, the program's name first.
    pub(crate) args: Vec<OsString>,
    /// Where those from files stand.
    pub(crate) words: Vec<Word>,
    /// The files.
    pub(crate) files: Vec<PathBuf>,
}

/// A word of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// What it says.
    pub(crate) text: String,
    /// The file.
    file: String,
    /// The number of its line, from 1.
    line: usize,
}

impl Word {
    /// Its file and line, for people.
    pub(crate) fn place(&self) -> String {
        format!("{}, line {}", escaped(&self.file), self.line)
    }
}

/// Puts the words of files in the places of `@FILE`; not behind `--`. The error names file and line.
pub(crate) fn expand(args: impl IntoIterator<Item = OsString>) -> Result<Expanded, String> {
    let mut expanded = Expanded::default();
    let mut is_over = false;
    for (index, arg) in args.into_iter().enumerate() {
        is_over |= arg == "--";
        match arg.to_str().and_then(|text| text.strip_prefix('@')) {
            Some(file) if index > 0 && !is_over => {
                let words = read(file)?;
                expanded.args.extend(words.iter().map(|word| word.text.clone().into()));
                expanded.words.extend(words);
                expanded.files.push(file.into());
                if expanded.words.len() > MAX_WORDS {
                    return Err(format!("flags files hold more than {MAX_WORDS} words"));
                }
            }
            _ => expanded.args.push(arg),
        }
    }
    Ok(expanded)
}

fn read(file: &str) -> Result<Vec<Word>, String> {
    let text =
        input::read(Path::new(file), "the flags file", MAX_FILE_BYTES).map_err(|error| error.to_string())?;
    let mut words = Vec::new();
    for (index, content) in text.lines().enumerate() {
        let line = index + 1;
        let failed = |problem| format!("cannot use the flags file {}: line {line}: {problem}", escaped(file));
        let of_line = split(content).map_err(failed)?;
        if let Some(nested) = of_line.iter().find(|word| word.starts_with('@')) {
            let problem = format!("`{}`: a flags file cannot name another one", escaped(nested));
            return Err(format!("cannot use the flags file {}: line {line}: {problem}", escaped(file)));
        }
        words.extend(of_line.into_iter().map(|text| Word { text, file: file.to_owned(), line }));
    }
    Ok(words)
}

/// The words of a line.
fn split(line: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match c {
            '#' if word.is_none() => break,
            '\'' | '"' => quoted(c, &mut rest, word.get_or_insert_default())?,
            c if c.is_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Takes what stands until the quote ends.
fn quoted(quote: char, rest: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), &'static str> {
    while let Some(c) = rest.next() {
        match c {
            c if c == quote => return Ok(()),
            '\\' if quote == '"' => match rest.next() {
                Some(escaped @ ('"' | '\\')) => word.push(escaped),
                Some(other) => word.extend(['\\', other]),
                None => break,
            },
            c => word.push(c),
        }
    }
    Err("a quote has no end on its line")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand_texts(args: &[&str]) -> Result<Vec<String>, String> {
        let expanded = expand(args.iter().map(|&arg| arg.into()))?;
        Ok(expanded.args.into_iter().map(|arg| arg.into_string().unwrap()).collect())
    }

    #[test]
    fn words_are_parted_as_in_a_shell() {
        for (line, words) in [
            ("", &[] as &[&str]),
            ("  --a 1\t--b=2  # why", &["--a", "1", "--b=2"]),
            ("# --a", &[]),
            ("a#b '#c'", &["a#b", "#c"]),
            (r#"--x "a b" 'c "d' e" f"g"#, &["--x", "a b", "c \"d", "e fg"]),
            (r#""a\"b\\c\d" 'e\f' g\h"#, &["a\"b\\c\\d", "e\\f", "g\\h"]),
            ("'' \"\"", &["", ""]),
        ] {
            assert_eq!(split(line).unwrap(), words, "{line}");
        }
        assert!(split("--a 'b").is_err() && split("\"b\\").is_err());
    }

    #[test]
    fn the_words_of_a_file_stand_in_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("night.flags");
        std::fs::write(&file, "# every night\n--limit 10\n\n--vantage 'my desk' # here\n").unwrap();
        let at = format!("@{}", file.display());
        let args = expand_texts(&["kadscope", "crawl", &at, "--json", "--", &at]).unwrap();
        assert_eq!(args, ["kadscope", "crawl", "--limit", "10", "--vantage", "my desk", "--json", "--", &at]);
        assert_eq!(expand_texts(&[&at, "--vantage=@home"]).unwrap(), [&at, "--vantage=@home"]);
        let words = expand([OsString::new(), at.into()]).unwrap().words;
        assert_eq!(words[2].place(), format!("{}, line 4", file.display()));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.flags");
        let at = format!("@{}", file.display());
        for (text, problem) in [
            ("--a\n--b 'c\n", "x.flags: line 2: a quote has no end"),
            ("--a\n\n@other", "x.flags: line 3: `@other`: a flags file cannot name another one"),
        ] {
            std::fs::write(&file, text).unwrap();
            let error = expand_texts(&["kadscope", &at]).unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
        std::fs::write(&file, b"--a\n\xff").unwrap();
        assert!(expand_texts(&["kadscope", &at]).unwrap_err().contains("line 2 is no UTF-8"));
        let missing = expand_texts(&["kadscope", "@/nonexistent/x"]).unwrap_err();
        assert!(missing.contains("/nonexistent/x: No such file"), "{missing}");
    }
}
