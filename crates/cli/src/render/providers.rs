//! The providers of content: where each is and who says so, what came of dialling it, and whether the content can be retrieved.

use kad::retrieval::{AddressOrigin, RetrievalVerdict};

use super::{
    lookup::{many, short},
    ping::address_lines,
    text::{escaped, grouped},
};
use crate::{
    command::{DialledRow, KnownAddress, ProviderRow, RetrievalRow},
    output::Style,
};

/// How many of those are named who gave an address.
const NAMED_GIVERS: usize = 3;

/// A provider.
pub(super) fn provider_lines(provider: &ProviderRow, style: Style) -> Vec<String> {
    let mut lines = vec![format!("  {}", provider.peer)];
    lines.push(style.dim(&format!(
        "    {} a record of it, {} with addresses",
        match provider.holders {
            1 => "1 peer has".to_owned(),
            holders => format!("{} peers have", grouped(holders as u64)),
        },
        provider.holders_with_addresses
    )));
    let Some(dialled) = &provider.dialled else {
        for known in &provider.addresses {
            lines.push(format!("    {}", escaped(&known.address)));
            lines.push(style.dim(&format!("        {}", origin(known))));
        }
        return lines;
    };
    let reached = if dialled.reachable { style.green("reachable") } else { style.red("unreachable") };
    let agent = dialled.agent.as_deref().map_or_else(String::new, |agent| format!(", {}", escaped(agent)));
    lines.push(format!("    {reached}{agent}"));
    lines.extend(block_line(dialled, style));
    if dialled.addresses.is_empty() {
        lines.push("    no address of it is known".to_owned());
    }
    for address in &dialled.addresses {
        lines.extend(address_lines(address, style).into_iter().map(|line| format!("    {line}")));
        let known = provider.addresses.iter().find(|known| known.address == address.address);
        lines.extend(known.map(|known| style.dim(&format!("        {}", origin(known)))));
    }
    lines
}

/// Who says that an address is one of the provider.
fn origin(known: &KnownAddress) -> String {
    if known.origin == AddressOrigin::PeerLookup.name() {
        return "found by looking the peer up: no record has an address".to_owned();
    }
    if known.origin == AddressOrigin::Answer.name() {
        return "said on the way: no record has an address".to_owned();
    }
    let named: Vec<String> = known.given_by.iter().take(NAMED_GIVERS).map(|id| short(id)).collect();
    let more = match known.given_by.len().saturating_sub(NAMED_GIVERS) {
        0 => String::new(),
        more => format!(" and {}", many(more, "other")),
    };
    format!("given by {}{more}", named.join(", "))
}

/// Whether the provider has the block, where it was asked.
fn block_line(dialled: &DialledRow, style: Style) -> Option<String> {
    let (evidence, protocol) = (dialled.evidence?, dialled.asked_by?);
    let said = match dialled.has_block {
        "yes" => style.green("has the block"),
        "no" => style.red("does not have the block"),
        _ => style.dim("does not say whether it has the block"),
    };
    Some(format!("    {said} ({protocol}: {evidence})"))
}

/// One plain sentence: whether the content can be retrieved, and if not, why.
pub(super) fn verdict(retrieval: &RetrievalRow, style: Style) -> String {
    let (all, has_it) = (retrieval.providers, retrieval.retrievable_from);
    let left = match retrieval.not_looked_at {
        0 => String::new(),
        left => format!(" ({} not looked at)", grouped(left as u64)),
    };
    let count = |count: usize| grouped(count as u64);
    if has_it > 0 {
        let have = match (has_it, all) {
            (_, 1) => "its provider has".to_owned(),
            (1, all) => format!("1 of its {} providers has", count(all)),
            (some, all) => format!("{} of its {} providers have", count(some), count(all)),
        };
        return style.bold(&style.green(&format!("Retrievable: {have} the block{left}")));
    }
    let error = retrieval.error.map_or_else(String::new, |error| format!(" ({error})"));
    let why = RetrievalVerdict::from_name(retrieval.verdict).map_or("", reason);
    let text = match all {
        0 => "Not retrievable: nobody who was asked has a record of it".to_owned(),
        1 => format!("Not retrievable: its provider {why}{error}{left}"),
        all => {
            format!(
                "Not retrievable from any of its {} providers: at best one {why}{error}{left}",
                count(all)
            )
        }
    };
    style.bold(&style.red(&text))
}

/// Why content cannot be retrieved from a provider, as what is said of it.
const fn reason(verdict: RetrievalVerdict) -> &'static str {
    match verdict {
        RetrievalVerdict::NoRecord => "is not known",
        RetrievalVerdict::NoAddresses => "has no address in any record, and nobody says where it is",
        RetrievalVerdict::OnlyPrivate => "has private addresses only",
        RetrievalVerdict::OnlyRelayed => "can be reached through a relay only",
        RetrievalVerdict::NotDialled => "has no address that is dialled from here",
        RetrievalVerdict::Refused => "was dialled and refused",
        RetrievalVerdict::Unreachable => "cannot be reached",
        RetrievalVerdict::OtherPeer => "has an address where another peer answers",
        RetrievalVerdict::NoContent => "can be reached, but this key is of no content",
        RetrievalVerdict::NoProtocol => "can be reached, but speaks neither bitswap nor HTTP",
        RetrievalVerdict::NoAnswer => "can be reached, but does not say whether it has the block",
        RetrievalVerdict::NoBlock => "can be reached, but does not have the block",
        RetrievalVerdict::Retrievable => "has the block",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(
        verdict_of: RetrievalVerdict,
        error: Option<&'static str>,
        providers: usize,
        retrievable: usize,
    ) -> String {
        let row = RetrievalRow {
            verdict: verdict_of.name(),
            error,
            retrievable_from: retrievable,
            providers,
            not_looked_at: 0,
        };
        verdict(&row, Style::plain())
    }

    #[test]
    fn the_verdict_is_one_sentence() {
        let all: Vec<String> =
            RetrievalVerdict::ALL.iter().map(|&verdict| said(verdict, None, 1, 0)).collect();
        assert!(all.iter().all(|line| !line.contains('\n') && line.len() <= 90), "{all:?}");
        assert_eq!(
            said(RetrievalVerdict::NoRecord, None, 0, 0),
            "Not retrievable: nobody who was asked has a record of it"
        );
        assert_eq!(
            said(RetrievalVerdict::Retrievable, None, 1, 1),
            "Retrievable: its provider has the block"
        );
        assert_eq!(
            said(RetrievalVerdict::Retrievable, None, 3, 2),
            "Retrievable: 2 of its 3 providers have the block"
        );
        assert_eq!(
            said(RetrievalVerdict::Retrievable, None, 3, 1),
            "Retrievable: 1 of its 3 providers has the block"
        );
        assert_eq!(
            said(RetrievalVerdict::Unreachable, Some("timeout"), 1, 0),
            "Not retrievable: its provider cannot be reached (timeout)"
        );
        assert_eq!(
            said(RetrievalVerdict::NoBlock, None, 2, 0),
            "Not retrievable from any of its 2 providers: at best one can be reached, but does not have the block"
        );
    }

    #[test]
    fn who_gave_an_address_is_named() {
        let known = |given_by: &[&str], origin: AddressOrigin| KnownAddress {
            address: "/ip4/127.0.0.1/tcp/1".to_owned(),
            origin: origin.name(),
            given_by: given_by.iter().map(|&id| id.to_owned()).collect(),
        };
        let ids = ["12D3KooWAAAAAAAAA", "12D3KooWBBBBBBBBB", "12D3KooWCCCCCCCCC", "12D3KooWDDDDDDDDD"];
        let all = origin(&known(&ids, AddressOrigin::Record));
        assert_eq!(all, "given by …AAAAAAAAA, …BBBBBBBBB, …CCCCCCCCC and 1 other");
        assert!(origin(&known(&[], AddressOrigin::PeerLookup)).starts_with("found by looking"));
    }
}
