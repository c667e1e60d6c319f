//! What looking addresses up came to.

use super::{
    table::{ShareOfWhole, Tone, heading},
    text::{counted, escaped, grouped},
};
use crate::{
    enriching::{Enriched, PlaceShare},
    output::Style,
};

/// How many of which kind, in which countries, at which clouds.
pub(crate) fn enriched(enriched: &Enriched, place: &str, style: Style) -> String {
    let before = match enriched.known_before {
        0 => String::new(),
        known => format!("; {} were known by the same files before", grouped(known)),
    };
    let Some(run) = enriched.run_id else {
        return format!("nothing is left to look up in {place}{before}\n");
    };
    let addresses = counted(enriched.addresses, "address", "addresses");
    let mut lines = vec![format!("looked up {addresses} (run {run}, {place}){before}")];
    let share =
        |label: &str, count, whole| ShareOfWhole { label, count, whole, tone: Tone::Neutral }.line(style);
    lines.extend([
        String::new(),
        heading("Kinds", "an address whose name leads to several IPs counts for each", style),
    ]);
    let there = enriched.kinds.iter().filter(|(_, count)| **count > 0);
    lines.extend(there.map(|(kind, &count)| share(&format!("  {kind}"), count, enriched.rows)));
    let public = enriched.public();
    if public > 0 {
        lines.extend([
            String::new(),
            heading("Public addresses", "", style),
            share("  with a country", enriched.with_country, public),
            share("  with a network", enriched.with_network, public),
            share("  at a cloud", enriched.with_cloud, public),
        ]);
    }
    for (title, shares) in [("Countries", &enriched.countries), ("Clouds", &enriched.clouds)] {
        if !shares.is_empty() {
            lines.extend([String::new(), heading(title, "of public addresses", style)]);
            let line = |PlaceShare { name, addresses }: &PlaceShare| {
                share(&format!("  {}", escaped(name)), *addresses, public)
            };
            lines.extend(shares.iter().map(line));
        }
    }
    if enriched.names_led_nowhere > 0 {
        let names = counted(enriched.names_led_nowhere, "name", "names");
        lines.extend([String::new(), format!("{names} led nowhere.")]);
    }
    lines.join("\n") + "\n"
}
