//! From words to what is asked for, the words of `@FILE` among them.

use std::path::PathBuf;

use clap::{
    ArgAction, CommandFactory as _, FromArgMatches as _,
    builder::{BoolishValueParser, PathBufValueParser, TypedValueParser as _},
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::{
    Cli, ListParser, Variables,
    hydra::old::{self, Modernised},
};
use crate::{
    flags_file::{self, Expanded, Word},
    manners::OptOutArgs,
};

/// What the command line says, and where it is from.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// What to do.
    pub(crate) cli: Cli,
    /// The flags files that were read.
    pub(crate) flags_files: Vec<PathBuf>,
    /// The variables that say the rest.
    pub(crate) variables: Variables,
    /// What is to be said about flags of another program.
    pub(crate) notes: Vec<String>,
}

/// Reads the command line.
pub(crate) fn parse() -> Result<Parsed, clap::Error> {
    let expanded = flags_file::expand(std::env::args_os())
        .map_err(|problem| clap::Error::raw(ErrorKind::Io, problem + "\n"))?;
    let has_file = !expanded.words.is_empty();
    // What a file says can be said otherwise behind it.
    let mut command = command().mut_subcommands(|sub| sub.args_override_self(has_file));
    let Expanded { args, words, files } = expanded;
    let said = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let modern = old::modernised(args, &command, said)?;
    let variables = Variables::of(&command, &modern.args);
    let parsed = command
        .try_get_matches_from_mut(&modern.args)
        .and_then(|matches| Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command)));
    let mut cli = parsed.map_err(|error| located(error, &words, &variables, &modern))?;
    add_standing_lists(&mut cli, &mut command)?;
    Ok(Parsed { cli, flags_files: files, variables, notes: modern.notes })
}

/// Whoever asked not to be measured stands on a list that the environment names, also where the command line has others.
fn add_standing_lists(cli: &mut Cli, command: &mut clap::Command) -> Result<(), clap::Error> {
    let Some(value) = std::env::var_os(OptOutArgs::VARIABLE) else { return Ok(()) };
    if let Some(lists) = cli.command.opt_out() {
        let standing = ListParser(PathBufValueParser::new()).parse_ref(command, None, &value)?;
        lists.add_standing(standing);
    }
    Ok(())
}

/// The command line with what holds for all options: their variables are named without their values, and a switch can
/// be set by a variable that says 1, true, yes or on.
pub(crate) fn command() -> clap::Command {
    with_hidden_values(Cli::command()).mut_subcommands(with_subcommands)
}

fn with_subcommands(command: clap::Command) -> clap::Command {
    with_hidden_values(with_peers_apart(command)).mut_subcommands(with_subcommands)
}

fn with_hidden_values(command: clap::Command) -> clap::Command {
    command.mut_args(|arg| match arg.get_action() {
        ArgAction::SetTrue => arg.hide_env_values(true).value_parser(BoolishValueParser::new()),
        _ => arg.hide_env_values(true),
    })
}

/// Where a command takes words of its own, `--bootstrap` takes the one behind it and no more: the next may be a key.
fn with_peers_apart(command: clap::Command) -> clap::Command {
    let has_words = command.get_positionals().next().is_some();
    let has_bootstrap = command.get_arguments().any(|arg| arg.get_id() == "bootstrap");
    if has_words && has_bootstrap { command.mut_arg("bootstrap", |arg| arg.num_args(1)) } else { command }
}

/// The same error; if it is about a word of a file, with file and line, and if about a variable, with its name.
fn located(error: clap::Error, words: &[Word], variables: &Variables, modern: &Modernised) -> clap::Error {
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
    let place = match by_value.or_else(by_option) {
        Some(word) => format!("It stands in the flags file {}.", word.place()),
        None if !error.use_stderr() => return error,
        None => match modern.explain(&error.to_string()).or_else(|| variables.explain(&error.to_string())) {
            Some(place) => place,
            None => return error,
        },
    };
    let text = format!("{}\n{place}\n", error.to_string().trim_end());
    clap::Error::raw(error.kind(), text.strip_prefix("error: ").unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    /// Options that mean the same in every command that has them.
    const SHARED: [&str; 28] = [
        "network",
        "bootstrap",
        "network-name",
        "protocol",
        "addresses",
        "dial-timeout",
        "tls-roots",
        "contact",
        "opt-out",
        "max-dials-per-s",
        "max-dials-per-s-per-ip",
        "max-dials-per-s-per-network",
        "store",
        "vantage",
        "json",
        "force",
        "log",
        "log-format",
        "metrics-addr",
        "metrics-token-file",
        "open",
        "profile",
        "memory-limit",
        "memory-report",
        "stop-timeout",
        "without-agents",
        "without-peers",
        "without-at",
    ];

    /// Every option of a command and of those below it, with the words that lead to it.
    fn options(command: &clap::Command, of: &str) -> Vec<(String, clap::Arg)> {
        let own = command.get_arguments().filter(|arg| arg.get_long().is_some() && !arg.is_hide_set());
        let own = own.map(|arg| (of.to_owned(), arg.clone()));
        let below = command.get_subcommands().flat_map(|sub| {
            let name =
                if of.is_empty() { sub.get_name().to_owned() } else { format!("{of}-{}", sub.get_name()) };
            options(sub, &name)
        });
        own.chain(below).collect()
    }

    #[test]
    fn variables_follow_one_rule_and_none_is_read_as_two_things() {
        let mut seen: BTreeMap<String, (String, String)> = BTreeMap::new();
        let all = options(&command(), "");
        let is_of_crawl =
            |option: &str| all.iter().any(|(of, arg)| of == "crawl" && arg.get_long() == Some(option));
        for (of, arg) in &all {
            let option = arg.get_long().unwrap_or_default().to_owned();
            // Whose runs are listed or exported is another question than which network is crawled.
            let is_of_runs =
                option == "network" && ["runs", "sessions", "export", "report"].contains(&of.as_str());
            // The same files say where addresses are, whoever asks.
            let is_of_places = ["city", "country", "asn", "clouds", "ranges"].contains(&option.as_str())
                && ["crawl", "enrich"].contains(&of.as_str());
            // Which store is followed is another question than where rows are kept.
            let is_followed = option == "store" && of == "watch";
            // How long a monitor goes on is another question than how long a walk does.
            let is_of_monitor = option == "for" && of == "monitor";
            let is_shared = SHARED.contains(&option.as_str()) && !is_of_runs && !is_followed;
            // The crawls of a monitor are crawls.
            let owner = match of.as_str() {
                _ if is_shared => "",
                _ if is_of_places => "places",
                "monitor" if is_of_crawl(&option) && !is_of_monitor => "crawl",
                of => of,
            };
            let words = [owner, &option].into_iter().filter(|word| !word.is_empty());
            let words = words.collect::<Vec<_>>().join("_").to_uppercase().replace('-', "_");
            let variable = arg.get_env().and_then(|name| name.to_str()).unwrap_or("none");
            assert_eq!(variable, format!("KADSCOPE_{words}"), "{of} --{option}");
            let takes = format!("{option} {:?} {:?}", arg.get_value_names(), arg.get_action());
            let (first, other) = seen.entry(variable.to_owned()).or_insert((of.clone(), takes.clone()));
            assert_eq!(*other, takes, "{variable} is read by {first} and {of}");
        }
        assert!(seen.len() > 40);
    }

    /// Every command that takes no commands, with the words that lead to it and its options.
    fn leaves(command: &clap::Command, of: &str) -> Vec<(String, Vec<String>)> {
        if command.get_subcommands().next().is_none() {
            let options = command.get_arguments().filter_map(|arg| Some(arg.get_long()?.to_owned()));
            return vec![(of.to_owned(), options.collect())];
        }
        let name = |sub: &clap::Command| format!("{of} {}", sub.get_name()).trim().to_owned();
        command.get_subcommands().flat_map(|sub| leaves(sub, &name(sub))).collect()
    }

    /// Commands that dial nobody and publish nothing, and why.
    const DIAL_NOBODY: &[(&str, &str)] = &[
        ("demo", "dials peers of its own alone, on this machine; who is left alone it knows"),
        ("testnet", "is dialled; what its peers dial is on this machine"),
        ("crawls", "reads a store"),
        ("runs", "reads a store"),
        ("sessions", "reads a store"),
        ("report", "reads a store"),
        ("enrich", "asks a name server alone"),
        ("store check", "reads a store"),
        ("store prune", "writes a store"),
        ("store backup", "reads a store"),
        ("store copy", "reads a store, and writes one"),
        ("export", "reads a store"),
        ("networks", "reads files"),
        ("health", "asks a program of the user's"),
        ("perf health", "asks a program of the user's"),
        ("perf scheduler", "asks servers of the user's"),
        ("perf fleet", "reads a store"),
        ("perf explain", "reads a store"),
        ("perf report", "reads a store"),
        ("perf demo", "has all of its peers in memory"),
        ("hoard report", "reads a store"),
        ("hoard savings", "reads a store"),
        ("hoard demo", "has all of its peers in memory"),
        ("completions", "prints a script"),
        ("inhabitant", "becomes another program"),
    ];

    #[test]
    fn who_dials_or_publishes_has_the_manners() {
        let manners = [
            "contact",
            "opt-out",
            "max-dials-per-s",
            "max-dials-per-s-per-ip",
            "max-dials-per-s-per-network",
        ];
        let leaves = leaves(&command(), "");
        let named = |name: &str| DIAL_NOBODY.iter().any(|(other, _)| *other == name);
        for (name, options) in &leaves {
            let has = |option: &str| options.iter().any(|own| own == option);
            let enters_networks = ["bootstrap", "network-name", "addresses"].into_iter().any(has);
            assert_eq!(manners.into_iter().all(has), !named(name), "{name}: has the manners, or a reason");
            assert_eq!(enters_networks, !named(name), "{name}: says which network it enters, or a reason");
        }
        for (name, _) in DIAL_NOBODY {
            assert!(leaves.iter().any(|(leaf, _)| leaf == name), "{name} is gone");
        }
    }

    #[test]
    fn who_stays_up_can_be_watched() {
        let watching =
            ["metrics-addr", "metrics-token-file", "open", "profile", "memory-limit", "stop-timeout"];
        for (name, options) in leaves(&command(), "") {
            let has = |option: &&str| options.iter().any(|own| own == option);
            let expected = match name.as_str() {
                "crawl" | "provide" | "hydra" | "testnet" | "perf server" | "perf scheduler"
                | "hoard run" | "hoard content" | "monitor" => &watching[..],
                "health" => &["metrics-token-file"],
                _ => &[],
            };
            assert_eq!(watching.into_iter().filter(has).collect::<Vec<_>>(), expected, "{name}");
        }
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
