//! Which program a holder runs, from the agent version that it gives.

/// The most bytes of a name of a program with its version.
const MAX_NAME: usize = 64;

/// Without an agent version.
const UNKNOWN: &str = "unknown";

/// The program and its version, as `kubo/0.30.0`: the first two parts between slashes, without what follows a `+` or `-` in the version.
/// `unknown` without an agent version. What is not printable is left out, and a long one cut.
pub fn program_of(agent: Option<&str>) -> String {
    let mut parts = agent.unwrap_or_default().split('/');
    let program = parts.next().unwrap_or_default().trim();
    let version =
        parts.next().and_then(|version| version.split(['+', '-']).next()).unwrap_or_default().trim();
    let name = if version.is_empty() { program.to_owned() } else { format!("{program}/{version}") };
    let name: String = name.chars().filter(|letter| !letter.is_control()).collect();
    let fits =
        name.char_indices().map(|(at, letter)| at + letter.len_utf8()).take_while(|end| *end <= MAX_NAME);
    let end = fits.last().unwrap_or(0);
    if end == 0 { UNKNOWN.to_owned() } else { name.get(..end).unwrap_or_default().to_owned() }
}

/// The same without the version, as `kubo`.
pub fn program_name_of(agent: Option<&str>) -> String {
    let mut name = program_of(agent);
    name.truncate(name.find('/').unwrap_or(name.len()));
    if name.is_empty() { UNKNOWN.to_owned() } else { name }
}
