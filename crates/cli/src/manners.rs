//! How we behave towards people whose machines we dial: who we say we are, how fast we dial, and whom we leave alone.

use std::{path::PathBuf, str::FromStr, sync::Arc, time::Duration};

use clap::{Args, builder::PathBufValueParser};
use kad::opt_out::OptOut;
use net::{DialConfig, Pacing, Rate};
use serde::{Serialize, Serializer};

use crate::{
    args::{List, ListParser},
    exit::Failed,
    input,
    network::Network,
    outputs::InUse,
    render::text::escaped,
};

/// The longest contact, in bytes: peers keep agent strings, some cut them.
const MAX_CONTACT_BYTES: usize = 100;

/// The longest opt-out list that is read, in bytes: a million lines.
const MAX_LIST_BYTES: u64 = 64 << 20;

/// What we call ourselves.
const OURS: &str = concat!("kadscope/", env!("CARGO_PKG_VERSION"));

/// For the time of how many silent addresses a dial lasts at the most.
const ADDRESSES_OF_A_DIAL: u32 = 3;

/// So many seconds' worth of dials may be made at once before a limit of one host or neighbourhood counts.
const BURST_S: u32 = 5;

/// How to be a good citizen.
#[derive(Debug, Clone, Args, Serialize)]
#[command(next_help_heading = "Manners")]
pub(crate) struct Manners {
    /// How operators can reach you: an email address or a URL, told to every peer in the agent string
    #[arg(long, env = "KADSCOPE_CONTACT", value_name = "EMAIL|URL")]
    pub(crate) contact: Option<OperatorContact>,

    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) opt_out: OptOutArgs,

    /// Dials a second over all hosts. This limit and the next two are for public addresses: your own have none
    #[arg(long, env = "KADSCOPE_MAX_DIALS_PER_S", value_name = "N", default_value_t = Pacing::default().total.per_s,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) max_dials_per_s: u32,

    /// Dials a second to one IP address, after a burst of five times as many
    #[arg(long, env = "KADSCOPE_MAX_DIALS_PER_S_PER_IP", value_name = "N", default_value_t = Pacing::default().per_ip.per_s,
          value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) max_dials_per_s_per_ip: u32,

    /// Dials a second to one /24 of IPv4 or /48 of IPv6, after a burst of five times as many
    #[arg(long, env = "KADSCOPE_MAX_DIALS_PER_S_PER_NETWORK", value_name = "N",
          default_value_t = Pacing::default().per_network.per_s,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) max_dials_per_s_per_network: u32,
}

impl Default for Manners {
    /// The defaults of the command line.
    fn default() -> Self {
        let Pacing { total, per_ip, per_network } = Pacing::default();
        Self {
            contact: None,
            opt_out: OptOutArgs::default(),
            max_dials_per_s: total.per_s,
            max_dials_per_s_per_ip: per_ip.per_s,
            max_dials_per_s_per_network: per_network.per_s,
        }
    }
}

impl Manners {
    /// The limits. Over all hosts a fifth of a second's worth may be dialled at once.
    pub(crate) fn pacing(&self) -> Pacing {
        let host = |per_s: u32| Rate { per_s, burst: per_s.saturating_mul(BURST_S) };
        Pacing {
            total: Rate { per_s: self.max_dials_per_s, burst: (self.max_dials_per_s / BURST_S).max(1) },
            per_ip: host(self.max_dials_per_s_per_ip),
            per_network: host(self.max_dials_per_s_per_network),
        }
    }

    /// Our agent string in a network: the one that was given for it, else our own.
    pub(crate) fn agent(&self, network: &Network) -> String {
        network.agent.clone().unwrap_or_else(|| self.own_agent())
    }

    /// Our own agent string: with the contact, if there is one.
    fn own_agent(&self) -> String {
        match &self.contact {
            None => OURS.to_owned(),
            Some(OperatorContact(contact)) => format!("{OURS} (+{contact})"),
        }
    }

    /// How peers of a network are dialled, by each address for as long as `dial_timeout`; nobody of `opt_out` is.
    pub(crate) fn dials(
        &self,
        network: &Network,
        dial_timeout: Duration,
        opt_out: Arc<OptOut>,
    ) -> DialConfig {
        DialConfig {
            dial_timeout,
            total_timeout: dial_timeout * ADDRESSES_OF_A_DIAL,
            opt_out,
            pacing: self.pacing(),
            ..DialConfig::new(network.addresses.into())
        }
    }
}

/// An email address or a URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct OperatorContact(String);

impl FromStr for OperatorContact {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"()<>\"\\".contains(&byte));
        let is_url = ["https://", "http://"].into_iter().any(|scheme| {
            text.strip_prefix(scheme).is_some_and(|rest| rest.starts_with(char::is_alphanumeric))
        });
        let is_email = text.split_once('@').is_some_and(|(who, host)| {
            !who.is_empty() && host.contains('.') && !host.contains('@') && !host.starts_with('.')
        });
        if !is_plain || !(is_url || is_email) {
            return Err("write an email address, or a URL that begins with https://, without spaces, \
                        brackets or quotes"
                .to_owned());
        }
        if text.len() > MAX_CONTACT_BYTES {
            return Err(format!("it is longer than {MAX_CONTACT_BYTES} bytes"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// Who is left alone.
#[derive(Debug, Clone, Default, Args, Serialize)]
pub(crate) struct OptOutArgs {
    /// A list of who asked not to be measured: peer ids, IP addresses and ranges such as 192.0.2.0/24, one a line,
    /// `#` begins a comment. They are never dialled and never exported. All lists count: those after commas, of several
    /// of this option, of flags files and of the variable
    #[arg(long, env = OptOutArgs::VARIABLE, value_name = "FILE", value_parser = ListParser(PathBufValueParser::new()))]
    #[serde(serialize_with = "as_texts")]
    pub(crate) opt_out: Vec<List<PathBuf>>,
}

impl OptOutArgs {
    /// The variable whose lists count too, whatever the command line says.
    pub(crate) const VARIABLE: &str = "KADSCOPE_OPT_OUT";

    /// Adds the lists of the variable: a standing list is not dropped because there is another one.
    pub(crate) fn add_standing(&mut self, standing: List<PathBuf>) {
        if !self.opt_out.contains(&standing) {
            self.opt_out.insert(0, standing);
        }
    }

    /// All lists.
    fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.opt_out.iter().flat_map(|list| &list.0)
    }

    /// Remembers the lists as files that are read.
    pub(crate) fn note(&self, in_use: &mut InUse) {
        for path in self.paths() {
            in_use.read("an opt-out list", path);
        }
    }

    /// Reads the lists; all of them count. A broken line is an error: who asked must not be forgotten because of it.
    pub(crate) fn load(&self) -> Result<Arc<OptOut>, Failed> {
        let mut all = String::new();
        for path in self.paths() {
            let text = input::read(path, "the opt-out list", MAX_LIST_BYTES)?;
            OptOut::parse(&text).map_err(|bad| {
                Failed::usage(format!(
                    "cannot use the opt-out list {}: {}\nwrite a peer id (12D3..., Qm..., k51..., bafz...), an address (192.0.2.1, \
                     2001:db8::1) or a range (192.0.2.0/24) on each line; what follows a # is a comment",
                    path.display(),
                    escaped(&bad.to_string())
                ))
            })?;
            all += &text;
            all.push('\n');
        }
        // Each of them was read already.
        Ok(Arc::new(OptOut::parse(&all).map_err(|bad| Failed::usage(bad.to_string()))?))
    }
}

fn as_texts<S: Serializer>(lists: &[List<PathBuf>], serializer: S) -> Result<S::Ok, S::Error> {
    let paths = lists.iter().flat_map(|list| &list.0);
    serializer.collect_seq(paths.map(|path| path.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use clap::{Command, FromArgMatches as _};

    use super::*;

    fn parse(args: &[&str]) -> Manners {
        let matches = Manners::augment_args(Command::new("x").no_binary_name(true)).get_matches_from(args);
        Manners::from_arg_matches(&matches).unwrap()
    }

    #[test]
    fn the_defaults_are_those_of_the_network_layer() {
        assert_eq!(format!("{:?}", parse(&[])), format!("{:?}", Manners::default()));
        assert_eq!(Manners::default().pacing(), Pacing::default());
        assert_eq!(Manners::default().own_agent(), OURS);
    }

    #[test]
    fn a_slower_crawl_has_smaller_bursts() {
        let pacing = parse(&["--max-dials-per-s", "3", "--max-dials-per-s-per-ip", "2"]).pacing();
        assert_eq!(pacing.total, Rate { per_s: 3, burst: 1 });
        assert_eq!(pacing.per_ip, Rate { per_s: 2, burst: 10 });
        assert_eq!(pacing.per_network, Pacing::default().per_network);
    }

    #[test]
    fn a_contact_is_an_email_address_or_a_url() {
        for contact in ["me@example.org", "https://example.org/kadscope?a=b#c"] {
            let manners = parse(&["--contact", contact]);
            assert_eq!(manners.own_agent(), format!("{OURS} (+{contact})"));
        }
        let long = format!("https://example.org/{}", "x".repeat(100));
        for wrong in [
            "",
            "me",
            "me@",
            "@example.org",
            "me@host",
            "a b@c.d",
            "https://",
            "ftp://x",
            "me@ex.org)",
            &long,
        ] {
            assert!(wrong.parse::<OperatorContact>().is_err(), "{wrong}");
        }
        assert!(
            "mé@example.org".parse::<OperatorContact>().is_err()
                && "a@b.c\n".parse::<OperatorContact>().is_err()
        );
    }

    #[test]
    fn several_lists_are_one_and_a_broken_line_is_named_with_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let (first, second) = (dir.path().join("a.txt"), dir.path().join("b.txt"));
        std::fs::write(&first, "192.0.2.0/24").unwrap();
        std::fs::write(&second, "# mail of May\n198.51.100.1\n").unwrap();
        let mut args = OptOutArgs { opt_out: vec![List(vec![first, second.clone()])] };
        let list = args.load().unwrap();
        assert!(list.has_ip([192, 0, 2, 9].into()) && list.has_ip([198, 51, 100, 1].into()));
        assert!(!list.has_ip([198, 51, 100, 2].into()));
        std::fs::write(&second, "# mail of May\n198.51.100.1\n\u{9b}2J\n").unwrap();
        let error = args.load().unwrap_err().to_string();
        assert!(error.contains("b.txt: line 3: `\\u{9b}2J` is no peer id"), "{error}");
        args.opt_out = vec![List(vec![dir.path().join("missing")])];
        assert!(args.load().unwrap_err().to_string().contains("missing: No such file"));
    }
}
