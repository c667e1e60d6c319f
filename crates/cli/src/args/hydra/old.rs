//! The flags and variables of hydra-booster under their old names: each became an option of ours, or one line says what became of it.
//!
//! The words of the command line are turned before they are parsed ([`modernised`]), by a table with a row for each flag
//! ([`table::TABLE`]): what it is called, what it takes, what it became. The page `docs/hydra.md` has the same table, which a test holds.
//! A flag beats a variable, always; of variables ours beat the old ones.

mod check;
mod go;
mod said;
mod table;
mod turning;
mod words;

use std::ffi::OsString;

use clap::{
    Command,
    error::{Error, ErrorKind},
};

use self::{said::Said, table::OldFlag};

/// The name of the command whose old flags are read.
const COMMAND: &str = "hydra";

/// What may be said by a variable that has no option, since everybody could read it there.
pub(crate) const SEED_VARIABLE: &str = "KADSCOPE_HYDRA_SEED";

/// A command line in our own words.
#[derive(Debug, Default)]
pub(crate) struct Modernised {
    /// All arguments, the program's name first.
    pub(crate) args: Vec<OsString>,
    /// What is to be said about flags that became something else than an option of ours.
    pub(crate) notes: Vec<String>,
    /// Which option of ours was said by which old name.
    origins: Vec<(&'static str, &'static OldFlag, String)>,
}

impl Modernised {
    /// By which old name the option was said that an error is about.
    pub(crate) fn explain(&self, text: &str) -> Option<String> {
        let is_about = |option: &str| text.contains(&format!("'--{option}"));
        let (_, flag, by) = self.origins.iter().find(|(option, ..)| is_about(option))?;
        Some(format!("It was said by {by}, which became: {}.", flag.became.replace('`', "")))
    }
}

/// Turns old flags, and the variables that `variable` reads, into options of ours. Command lines of other commands stay as they are.
pub(crate) fn modernised(
    args: Vec<OsString>,
    command: &Command,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Modernised, Error> {
    let is_command = |arg: &OsString| command.find_subcommand(arg).is_some();
    let at = args.iter().skip(1).position(is_command).map(|at| at + 1);
    let Some((at, hydra)) = at.filter(|&at| args[at] == COMMAND).zip(command.find_subcommand(COMMAND)) else {
        return Ok(Modernised { args, ..Modernised::default() });
    };
    let wrong = |text: String| Error::raw(ErrorKind::ValueValidation, text + "\n");
    let (before, behind) = args.split_at(at + 1);
    let options = words::Options::of(hydra, command);
    let (rest, mut said) = words::parted(behind, &options).map_err(wrong)?;
    let is_given = |option: &str| words::has(&rest, option);
    for (flag, said) in said.iter() {
        if let Some(option) = flag.options.iter().find(|option| is_given(option)) {
            return Err(wrong(format!("{} and --{option} say the same thing: give one of them", said.by)));
        }
    }
    said.add_variables(&variable, |flag| {
        let ours = |option: &str| {
            is_given(option) || options.variable(option).is_some_and(|name| variable(name).is_some())
        };
        flag.options.iter().any(|option| ours(option))
            || (flag.is_seed() && variable(SEED_VARIABLE).is_some())
    });
    check::together(&mut said).map_err(wrong)?;
    let mut modern = Modernised { args: before.to_vec(), ..Modernised::default() };
    for (flag, said) in said.iter() {
        let turned = flag.turned(said).map_err(wrong)?;
        modern.notes.extend(turned.note.map(|note| format!("{}: {note}", said.by)));
        for (option, value) in turned.options {
            modern.args.push(format!("--{option}={value}").into());
            modern.origins.push((option, flag, said.by.clone()));
        }
    }
    modern.args.extend(rest);
    Ok(modern)
}

#[cfg(test)]
mod tests;
