//! The networks that are known by name, for people.

use super::text::{counted, escaped};
use crate::{command::Described, output::Style};

/// A few lines for each network, and what can be done with them.
pub(crate) fn networks(networks: &[Described], style: Style) -> String {
    let mut text = String::new();
    for network in networks {
        text += &block(network, style);
        text.push('\n');
    }
    text + "kadscope networks NAME shows one as a file; kadscope crawl --network NAME|FILE.toml crawls it\n"
}

/// That a file is right, and what a crawl of it begins with.
pub(crate) fn verdict(name: &str, network: &Described, style: Style) -> String {
    format!(
        "{} {}: `kadscope crawl --network` takes it\n\n{}",
        escaped(name),
        style.green("is right"),
        block(network, style)
    )
}

fn block(network: &Described, style: Style) -> String {
    let Described { file, bootstrap_peers } = network;
    let aliases = match file.aliases.as_slice() {
        [] => String::new(),
        aliases => format!(" ({})", aliases.join(", ")),
    };
    let peers = counted(*bootstrap_peers as u64, "bootstrap peer", "bootstrap peers");
    let mut lines = vec![
        format!("{}{aliases}  {}", style.bold(&file.name), style.dim(&peers)),
        format!("  {}", escaped(&file.description)),
        format!("  protocol  {}", file.protocols.join(", ")),
    ];
    lines.extend(file.source.as_deref().map(|source| format!("  source    {}", escaped(source))));
    let dates: Vec<String> = [("of", &file.source_date), ("read on", &file.retrieved)]
        .into_iter()
        .filter_map(|(label, date)| Some(format!("{label} {}", date.as_deref()?)))
        .collect();
    if !dates.is_empty() {
        lines.push(format!("  date      {}", dates.join(", ")));
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network;

    #[test]
    fn a_network_is_shown_with_its_source_and_date() {
        let (file, _) = network::load("amino").unwrap();
        let described = Described { bootstrap_peers: file.bootstrap_peers(), file };
        insta::assert_snapshot!(networks(&[described], Style::plain()));
    }
}
