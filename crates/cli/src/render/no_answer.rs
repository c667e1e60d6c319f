//! Why none of the peers to begin with was reached: each peer, and each of its addresses.

use crawl::BootstrapOutcome;
use kad::network::AddressOutcome;

use super::text::{duration, escaped};

/// The most addresses of one peer that are listed.
const MOST_ADDRESSES: usize = 16;

/// Several lines, the last one with advice.
pub(crate) fn no_answer(outcomes: &[BootstrapOutcome]) -> String {
    let mut lines = vec!["no bootstrap peer answered".to_owned()];
    for outcome in outcomes {
        lines.push(format!("  {}", outcome.id));
        let shown = outcome.addresses.iter().take(MOST_ADDRESSES);
        lines.extend(shown.map(|visit| {
            let took = visit.took.map(|took| format!(" after {}", duration(took.as_secs_f64())));
            let fate = describe(&visit.outcome);
            format!("    {}: {}{}", visit.address, escaped(&fate), took.unwrap_or_default())
        }));
        match outcome.addresses.len() {
            0 => lines.push("    none of its addresses was tried".to_owned()),
            all if all > MOST_ADDRESSES => lines.push(format!("    and {} more", all - MOST_ADDRESSES)),
            _ => {}
        }
    }
    lines.push(
        "check that these peers run and can be reached from here, or begin with others (--bootstrap)"
            .to_owned(),
    );
    lines.join("\n")
}

fn describe(outcome: &AddressOutcome) -> String {
    match outcome {
        AddressOutcome::Connected => "connected, then lost".to_owned(),
        AddressOutcome::NotTried => "not tried".to_owned(),
        AddressOutcome::Abandoned => "given up".to_owned(),
        AddressOutcome::Skipped(reason) => format!("not dialled ({reason})"),
        AddressOutcome::Failed(failure) => failure.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::{str::FromStr, time::Duration};

    use kad::failure::{Failure, FailureClass, Phase, SkipReason};
    use schema::AddressVisit;

    use super::*;

    #[test]
    fn every_address_has_its_outcome() {
        let visit = |address: &str, took: Option<u64>, outcome| AddressVisit {
            address: kad::Multiaddr::from_str(address).unwrap().into(),
            started_after: None,
            took: took.map(Duration::from_millis),
            outcome,
        };
        let refused = Failure::with_detail(Phase::Connect, FailureClass::ConnectionRefused, "\x1b[1m");
        let outcome = BootstrapOutcome {
            id: "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN".parse().unwrap(),
            error: Some(refused.clone()),
            reached: false,
            addresses: vec![
                visit("/ip4/1.1.1.1/tcp/1", Some(20), AddressOutcome::Failed(refused)),
                visit("/ip4/10.1.1.1/tcp/1", None, AddressOutcome::Skipped(SkipReason::Private)),
            ],
        };
        insta::assert_snapshot!(no_answer(&[outcome.clone(), BootstrapOutcome { addresses: vec![], ..outcome }]), @r"
        no bootstrap peer answered
          12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN
            /ip4/1.1.1.1/tcp/1: connection_refused while in phase connect (\u{1b}[1m) after 20 ms
            /ip4/10.1.1.1/tcp/1: not dialled (private)
          12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN
            none of its addresses was tried
        check that these peers run and can be reached from here, or begin with others (--bootstrap)
        ");
    }
}
