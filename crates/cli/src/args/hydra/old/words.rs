//! The words of a command line: which of them are old flags.

use std::ffi::{OsStr, OsString};

use clap::Command;

use super::{
    said::{Said, SaidAll, takes_a_word},
    table::TABLE,
};

/// The options of the command, ours.
#[derive(Debug)]
pub(super) struct Options<'a>(Vec<&'a clap::Arg>);

impl<'a> Options<'a> {
    /// Those of the command, and those of the program.
    pub(super) fn of(command: &'a Command, program: &'a Command) -> Self {
        Self(command.get_arguments().chain(program.get_arguments()).collect())
    }

    fn find(&self, name: &str) -> Option<&'a clap::Arg> {
        self.0.iter().copied().find(|arg| arg.get_long() == Some(name))
    }

    /// The variable of an option.
    pub(super) fn variable(&self, name: &str) -> Option<&'a str> {
        self.find(name)?.get_env()?.to_str()
    }
}

/// The words that are no old flags, and what the old flags say. With one dash any long option of ours is taken, too.
pub(super) fn parted(words: &[OsString], options: &Options<'_>) -> Result<(Vec<OsString>, SaidAll), String> {
    let (mut rest, mut said) = (Vec::new(), SaidAll::default());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let Some(flag) = word.to_str().and_then(Flag::read) else {
            rest.push(word.clone());
            if word == "--" {
                break;
            }
            continue;
        };
        let row = TABLE.iter().position(|old| old.name == Some(flag.name));
        let is_ours = flag.name == "help" || flag.name == "version" || options.find(flag.name).is_some();
        match row {
            Some(row) if !(is_ours && flag.dashes == 2) => {
                let by = format!("-{}", flag.name);
                let value = match flag.value {
                    Some(value) => value.to_owned(),
                    None if takes_a_word(TABLE[row].takes) => match words.next().map(|word| word.to_str()) {
                        Some(Some(value)) => value.to_owned(),
                        Some(None) => return Err(format!("the value of {by} is no UTF-8")),
                        None => return Err(format!("{by} needs a value")),
                    },
                    None => "true".to_owned(),
                };
                said.put(row, Said { by, value });
            }
            _ if is_ours && flag.dashes == 1 => rest.push(format!("-{}", word.to_string_lossy()).into()),
            _ => rest.push(word.clone()),
        }
    }
    rest.extend(words.cloned());
    Ok((beginning_with_nobody(rest), said))
}

/// Whether an option is among the words.
pub(super) fn has(words: &[OsString], option: &str) -> bool {
    let is_it = |word: &OsStr| {
        let named = word.to_str().and_then(|word| word.strip_prefix("--"));
        named.is_some_and(|named| named.split('=').next() == Some(option))
    };
    words.iter().take_while(|word| *word != "--").any(|word| is_it(word))
}

/// `--bootstrap none` is `--alone`.
fn beginning_with_nobody(words: Vec<OsString>) -> Vec<OsString> {
    let mut turned: Vec<OsString> = Vec::new();
    for word in words {
        if word == "none" && turned.last().is_some_and(|last| last == "--bootstrap") {
            turned.pop();
            turned.push("--alone".into());
        } else if word == "--bootstrap=none" {
            turned.push("--alone".into());
        } else {
            turned.push(word);
        }
    }
    turned
}

/// A word that begins as a flag does.
struct Flag<'a> {
    dashes: usize,
    name: &'a str,
    value: Option<&'a str>,
}

impl<'a> Flag<'a> {
    /// `None` for everything else, and for short options.
    fn read(word: &'a str) -> Option<Self> {
        let one = word.strip_prefix('-')?;
        let (dashes, text) = one.strip_prefix('-').map_or((1, one), |text| (2, text));
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
        (begins && name.len() > 1).then_some(Self { dashes, name, value })
    }
}
