//! The networks that are known by name: the files of `networks/`, compiled in.

use super::NetworkFile;

macro_rules! presets {
    ($($name:literal)*) => {
        /// Their names and texts, in the order in which they are listed.
        pub(crate) const PRESETS: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../../networks/", $name, ".toml"))),)*];
    };
}

presets! {
    "ipfs" "filecoin" "polkadot" "kusama" "westend" "rococo" "celestia" "mocha" "arabica" "blockspace-race"
    "avail-mainnet-fn" "avail-turing-fn" "avail-mainnet-lc" "avail-turing-lc" "pactus" "dria"
}

/// The text of the preset with this name or alias.
pub(super) fn text(name: &str) -> Option<&'static str> {
    let by_name = PRESETS.iter().find(|(known, _)| *known == name);
    let has_alias = |text: &str| {
        NetworkFile::parse(text).is_ok_and(|network| network.aliases.iter().any(|alias| alias == name))
    };
    by_name.or_else(|| PRESETS.iter().find(|(_, text)| has_alias(text))).map(|(_, text)| *text)
}
