//! Every reason why a network's file cannot be used, not only the first: whoever mends a file wants to mend it once.
//!
//! Each key, and each address to begin with, is judged by the one parser of such files: in a copy of the text where all
//! others are right, and everything stands on the line where it stood.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::NetworkFile;
use crate::bootstrap;

/// What must be in a file, with a value that is right.
const REQUIRED: [(&str, &str); 3] =
    [("name", "\"x\""), ("protocols", "[\"/x\"]"), ("bootstrap", "[\"/dnsaddr/x\"]")];

/// An address that is right.
const RIGHT: &str = "\"/dnsaddr/x\"";

/// The most reasons that are given.
const MOST: usize = 20;

/// A key and its value, by where they stand.
struct Entry {
    key: String,
    place: Range<usize>,
    /// The elements, of a list.
    elements: Vec<Range<usize>>,
}

/// The reasons, in the order of the text; `first` is the one that the parser of the whole has found.
pub(super) fn all(text: &str, first: String) -> Vec<String> {
    let Some(entries) = entries(text) else { return vec![first] };
    let missing = REQUIRED.iter().filter(|(key, _)| entries.iter().all(|entry| entry.key != *key));
    let missing = missing.map(|(key, _)| format!("missing field `{key}`"));
    let present = entries.iter().flat_map(|entry| copies(text, &entries, entry));
    let wrong = present.filter_map(|copy| NetworkFile::parse(&copy).err());
    let mut reasons: Vec<String> = wrong.chain(missing).take(MOST).collect();
    reasons.extend(policy(text, &entries));
    reasons.dedup();
    if reasons.is_empty() { vec![first] } else { reasons }
}

/// Where everything stands; `None` if that is not known: the text is no TOML, or has tables.
fn entries(text: &str) -> Option<Vec<Entry>> {
    let table = DeTable::parse(text).ok()?;
    let mut entries = Vec::new();
    for (key, value) in table.get_ref() {
        let elements = match value.get_ref() {
            DeValue::Table(_) => return None,
            DeValue::Array(elements) => elements.iter().map(toml::Spanned::span).collect(),
            _ => Vec::new(),
        };
        let place = key.span().start..value.span().end;
        entries.push(Entry { key: key.get_ref().to_string(), place, elements });
    }
    entries.sort_by_key(|entry| entry.place.start);
    Some(entries)
}

/// Copies in which a key alone is as it stands; of the addresses to begin with, one for each.
fn copies(text: &str, entries: &[Entry], judged: &Entry) -> Vec<String> {
    let alone = copy(text, entries, |entry| entry.key == judged.key);
    if judged.key != "bootstrap" || judged.elements.len() < 2 {
        return vec![alone];
    }
    let one = |kept: usize| {
        let others = judged.elements.iter().enumerate().rev().filter(|(index, _)| *index != kept);
        others.fold(alone.clone(), |mut copy, (_, place)| {
            let width = place.len();
            copy.replace_range(place.clone(), &format!("{RIGHT:<width$}"));
            copy
        })
    };
    (0..judged.elements.len()).map(one).collect()
}

/// The text without the keys that are not kept, and with what must be there.
fn copy(text: &str, entries: &[Entry], keep: impl Fn(&Entry) -> bool) -> String {
    let mut copy = text.to_owned();
    for entry in entries.iter().filter(|entry| !keep(entry)) {
        let blank: String =
            copy[entry.place.clone()].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
        copy.replace_range(entry.place.clone(), &blank);
    }
    let kept = |key: &str| entries.iter().any(|entry| entry.key == key && keep(entry));
    for (key, value) in REQUIRED.iter().filter(|(key, _)| !kept(key)) {
        copy.extend(["\n", key, " = ", value]);
    }
    copy
}

/// That none of the addresses may be dialled, if both are right for themselves.
fn policy(text: &str, entries: &[Entry]) -> Option<String> {
    let copy = copy(text, entries, |entry| ["addresses", "bootstrap"].contains(&entry.key.as_str()));
    let NetworkFile { addresses, bootstrap, .. } = NetworkFile::parse(&copy).ok()?;
    bootstrap::check_policy(&bootstrap, addresses.into(), addresses.name())
        .err()
        .map(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_given_with_its_line() {
        let text = "name = \"Lab\"\n# mine\nprotocol = \"/lab/kad\"\nbootstrap = [\n  \"/ip4/127.0.0.1/tcp/1\",\n  \
                    \"/dnsaddr/x\",\n  \"nonsense\",\n]\naddresses = \"publik\"\n";
        let reasons = all(text, NetworkFile::parse(text).unwrap_err());
        let said = [
            ("line 1", "`name` is `Lab`"),
            ("line 3", "unknown field `protocol`"),
            ("line 5", "which peer is there"),
            ("line 7", "no multiaddress"),
            ("line 9", "unknown variant `publik`"),
            ("", "missing field `protocols`"),
        ];
        assert_eq!(reasons.len(), said.len(), "{reasons:#?}");
        for (reason, (line, problem)) in reasons.iter().zip(said) {
            assert!(reason.contains(line) && reason.contains(problem), "{line}: {reason}");
        }
    }

    #[test]
    fn a_policy_that_forbids_all_addresses_stands_beside_the_others() {
        let peer = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
        let text =
            format!("name = \"\"\nprotocols = [\"/x\"]\nbootstrap = [\"/ip4/127.0.0.1/tcp/1/p2p/{peer}\"]\n");
        let reasons = all(&text, NetworkFile::parse(&text).unwrap_err());
        assert!(reasons.len() == 2 && reasons[1].contains("--addresses public"), "{reasons:#?}");
    }

    #[test]
    fn what_is_no_toml_has_one_reason() {
        let text = "name = \nprotocols = 3";
        assert_eq!(all(text, NetworkFile::parse(text).unwrap_err()).len(), 1);
        let text = "[network]\nname = \"Lab\"";
        assert_eq!(all(text, NetworkFile::parse(text).unwrap_err()).len(), 1);
    }
}
