//! Scenario files: refused with a line, or a network that can be made.

use testnet::Scenario;

/// The most text that a person would write.
const MAX_BYTES: usize = 16 * 1024;

/// Reads the bytes as a scenario.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if text.len() > MAX_BYTES {
        return;
    }
    match Scenario::parse(text, "fuzzed") {
        Ok(scenario) => assert!(scenario.peers >= 1 && (1..=scenario.peers).contains(&scenario.bootstrap)),
        Err(error) => assert!(error.to_string().starts_with("fuzzed"), "{error}"),
    }
}
