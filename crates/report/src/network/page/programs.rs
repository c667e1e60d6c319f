//! What peers run and speak, and how they are reached.

use figure::PageSection;

use super::drawing::{bars, figure};
use crate::network::{NetworkSection, tables};

pub(super) fn section(network: &NetworkSection) -> PageSection {
    let mut section = PageSection::new("Programs, protocols, transports", 2);
    section.text.push(
        "Of peers that said so at any visit of the period; a peer counts once, by what it said last."
            .to_owned(),
    );
    section.tables.push(tables::shares("Programs", &network.agents));
    section.tables.extend(tables::round_trips(&network.rtt_ms));
    let how = "Whiskers are 95 % intervals.";
    if !network.agents.is_empty() {
        let panel = bars("", "share of peers", &network.agents);
        section.figures.push(figure(("agents-overall", "What peers run"), how, vec![panel]));
    }
    if !network.protocols.is_empty() {
        let panel = bars("", "share of peers", &network.protocols);
        section.figures.push(figure(
            ("protocols", "What peers speak"),
            "A peer speaks several. Whiskers are 95 % intervals.",
            vec![panel],
        ));
    }
    let reached = [("transports", &network.transports), ("IP versions", &network.ip_versions)];
    let panels: Vec<_> = reached
        .iter()
        .filter(|(_, shares)| !shares.is_empty())
        .map(|(title, shares)| bars(title, "share of peers", shares))
        .collect();
    if !panels.is_empty() {
        let how = "A peer can be reached by several. Whiskers are 95 % intervals.";
        section.figures.push(figure(("transports", "How peers were connected to"), how, panels));
    }
    section
}
