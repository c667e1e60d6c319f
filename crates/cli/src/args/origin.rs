//! Which options have their values from the environment, so that errors can say so.

use std::{
    env,
    ffi::{OsStr, OsString},
};

use clap::Command;
use store::StoreUrl;

use super::list::entries;

/// The shortest value that is looked for in the text of an error: a single digit stands in many.
const SHORTEST: usize = 3;

/// The variables that decide something in this run: those whose options are not on the command line.
#[derive(Debug, Default)]
pub(crate) struct Variables(Vec<Variable>);

#[derive(Debug)]
struct Variable {
    name: String,
    /// `--store`.
    option: String,
    value: OsString,
}

impl Variables {
    /// Those of the command that these arguments ask for.
    pub(super) fn of(command: &Command, args: &[OsString]) -> Self {
        let Some(asked) = args.iter().skip(1).find_map(|arg| command.find_subcommand(arg)) else {
            return Self::default();
        };
        let given = |option: &str| {
            let is_it = |arg: &&OsString| arg.to_str().and_then(|arg| arg.split('=').next()) == Some(option);
            args.iter().take_while(|arg| *arg != "--").any(|arg| is_it(&arg))
        };
        let variable = |arg: &clap::Arg| {
            let (option, name) = (format!("--{}", arg.get_long()?), arg.get_env()?);
            let value = env::var_os(name).filter(|_| !given(&option))?;
            Some(Variable { name: name.to_str()?.to_owned(), option, value })
        };
        // Those of the program hold for every command.
        Self(asked.get_arguments().chain(command.get_arguments()).filter_map(variable).collect())
    }

    /// Adds to the text of an error the variable that it is about: whose option it names as wrong, or whose value it
    /// shows.
    pub(crate) fn explain(&self, text: &str) -> Option<String> {
        let is_about = |variable: &&Variable| {
            let names_option = text.contains(&format!("for '{}", variable.option));
            let shows = |entry: &OsString| {
                entry.to_str().is_some_and(|entry| entry.len() >= SHORTEST && text.contains(entry))
            };
            names_option || entries(&variable.value).iter().any(shows)
        };
        let found = self.0.iter().find(is_about)?;
        Some(format!("it stands in the environment: {}={}", found.name, shown(&found.value)))
    }
}

/// A value without the password that stands in the name of a database.
fn shown(value: &OsStr) -> String {
    let text = value.to_string_lossy();
    match StoreUrl::parse(&text) {
        Ok(url @ StoreUrl::Postgres(_)) => url.to_string(),
        _ => crate::render::text::escaped(&text),
    }
}
