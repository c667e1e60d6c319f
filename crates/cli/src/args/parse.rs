//! From words to what is asked for, the words of `@FILE` among them.

use clap::{
    ArgAction, CommandFactory as _, FromArgMatches as _,
    builder::BoolishValueParser,
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::Cli;
use crate::flags_file::{self, Expanded, Word};

/// Reads the command line.
pub(crate) fn parse() -> Result<Cli, clap::Error> {
    let expanded = flags_file::expand(std::env::args_os())
        .map_err(|problem| clap::Error::raw(ErrorKind::Io, problem + "\n"))?;
    let has_file = !expanded.words.is_empty();
    // What a file says can be said otherwise behind it.
    let mut command = command().mut_subcommands(|sub| sub.args_override_self(has_file));
    let Expanded { args, words } = expanded;
    let matches = command.try_get_matches_from_mut(args).map_err(|error| located(error, &words))?;
    Cli::from_arg_matches(&matches).map_err(|error| located(error.format(&mut command), &words))
}

/// The command line with what holds for all options: their variables are named without their values, and a switch can
/// be set by a variable that says 1, true, yes or on.
pub(crate) fn command() -> clap::Command {
    Cli::command().mut_subcommands(|command| {
        let command = with_peers_apart(command);
        command.mut_args(|arg| match arg.get_action() {
            ArgAction::SetTrue => arg.hide_env_values(true).value_parser(BoolishValueParser::new()),
            _ => arg.hide_env_values(true),
        })
    })
}

/// Where a command takes words of its own, `--bootstrap` takes the one behind it and no more: the next may be a key.
fn with_peers_apart(command: clap::Command) -> clap::Command {
    let has_words = command.get_positionals().next().is_some();
    let has_bootstrap = command.get_arguments().any(|arg| arg.get_id() == "bootstrap");
    if has_words && has_bootstrap { command.mut_arg("bootstrap", |arg| arg.num_args(1)) } else { command }
}

/// The same error; if it is about a word of a file, with file and line.
fn located(error: clap::Error, words: &[Word]) -> clap::Error {
    let said = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    // `--limit <N>`, of which a file may have `--limit` or `--limit=N`.
    let option = said(ContextKind::InvalidArg).and_then(|option| option.split_whitespace().next());
    let by_value = said(ContextKind::InvalidValue).filter(|value| !value.is_empty()).and_then(|value| {
        words.iter().find(|word| word.text == value || word.text.ends_with(&format!("={value}")))
    });
    let by_option = || {
        let option = option?;
        words.iter().find(|word| word.text.split('=').next() == Some(option))
    };
    match by_value.or_else(by_option) {
        Some(word) => {
            let place =
                format!("{}\nIt stands in the flags file {}.\n", error.to_string().trim_end(), word.place());
            clap::Error::raw(error.kind(), place.strip_prefix("error: ").unwrap_or(&place))
        }
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn every_option_has_an_environment_variable_of_ours() {
        for sub in command().get_subcommands() {
            for arg in sub.get_arguments().filter(|arg| arg.get_long().is_some() && !arg.is_hide_set()) {
                let variable = arg.get_env().and_then(|name| name.to_str()).unwrap_or("none");
                assert!(variable.starts_with("KADSCOPE_"), "{}: {variable}", arg.get_id());
            }
        }
    }
}
