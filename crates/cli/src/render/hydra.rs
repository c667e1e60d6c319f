//! Who the heads of a hydra are and where, for people.

use super::text::escaped;
use crate::{
    command::{HeadRow, PlanRow},
    output::Style,
};

/// What they have in common, and a line for each address of each head.
pub(crate) fn hydra(plan: &PlanRow, style: Style) -> String {
    let line = |label: &str, value: &str| format!("{label:<9}{}\n", escaped(value));
    let seed = match (&plan.seed_fingerprint, plan.choices) {
        (Some(seed), Some(choices)) => format!("fingerprint {seed}, each head the best of {choices}"),
        _ => "none: keys are random".to_owned(),
    };
    let mut text = line("network", &plan.network) + &line("seed", &seed);
    text += &line("state", plan.state.as_deref().unwrap_or("none: nothing is kept"));
    text += &line("belly", &plan.belly);
    text.extend(plan.heads.iter().map(|head| of_head(head, style)));
    text
}

fn of_head(head: &HeadRow, style: Style) -> String {
    let name = format!("\n{}  {}\n", style.dim(&format!("{:>7}", head.index)), style.bold(&head.peer_id));
    name + &head.addrs.iter().map(|addr| format!("{:>9}{}\n", "", escaped(addr))).collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_listed_with_what_they_have_in_common() {
        let head = |index: u64| HeadRow {
            index,
            peer_id: format!("12D3KooWExample{index}"),
            addrs: vec![
                format!("/ip4/127.0.0.1/tcp/400{index}"),
                format!("/ip4/127.0.0.1/udp/400{index}/quic-v1"),
            ],
        };
        let plan = PlanRow {
            network: "ipfs".to_owned(),
            seed_fingerprint: Some("0011223344556677".to_owned()),
            choices: Some(2),
            state: None,
            belly: "memory".to_owned(),
            heads: vec![head(1), head(3)],
        };
        insta::assert_snapshot!(hydra(&plan, Style::plain()));
    }
}
