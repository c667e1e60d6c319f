//! Why none of the peers to begin with could be asked: each peer, each of its addresses, and what came of the requests.

use crawl::BootstrapOutcome;
use kad::{failure::FailureClass, network::AddressOutcome};

use super::text::{duration, escaped};

/// The most addresses of one peer that are listed.
const MOST_ADDRESSES: usize = 16;

/// Several lines, the last one with advice. `protocols` are the names by which the peers were asked.
pub(crate) fn no_answer(outcomes: &[BootstrapOutcome], protocols: &[String]) -> String {
    let mut lines = vec!["no bootstrap peer answered".to_owned()];
    for outcome in outcomes {
        lines.push(format!("  {}", outcome.id));
        if let Some(failure) = outcome.crawl_error.as_ref().filter(|_| outcome.reached) {
            lines.push(format!(
                "    reached, but not a request was answered: {}",
                escaped(&failure.to_string())
            ));
        }
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
    lines.push(advice(outcomes, protocols));
    lines.join("\n")
}

fn advice(outcomes: &[BootstrapOutcome], protocols: &[String]) -> String {
    let lacks_protocol = |outcome: &BootstrapOutcome| {
        outcome.crawl_error.as_ref().is_some_and(|f| f.class == FailureClass::ProtocolNotSupported)
    };
    if outcomes.iter().any(lacks_protocol) {
        let names = protocols.iter().map(|name| escaped(name)).collect::<Vec<_>>().join(", ");
        format!("check that {names} is how this network names its protocol (--network, --protocol)")
    } else {
        "check that these peers run and can be reached from here, or begin with others (--bootstrap)"
            .to_owned()
    }
}

fn describe(outcome: &AddressOutcome) -> String {
    match outcome {
        AddressOutcome::Connected => "connected".to_owned(),
        AddressOutcome::NotTried => "not tried".to_owned(),
        AddressOutcome::Abandoned => "given up".to_owned(),
        AddressOutcome::Skipped(reason) => format!("not dialled ({reason})"),
        AddressOutcome::Failed(failure) => failure.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kad::failure::{Failure, Phase, SkipReason};
    use schema::AddressVisit;

    use super::*;

    #[test]
    fn every_address_has_its_outcome() {
        let visit = |address: &str, took: Option<u64>, outcome| AddressVisit {
            address: address.parse().unwrap(),
            started_after: None,
            took: took.map(Duration::from_millis),
            outcome,
            resolved: Vec::new(),
        };
        let refused = Failure::with_detail(Phase::Connect, FailureClass::ConnectionRefused, "\x1b[1m");
        let outcome = BootstrapOutcome {
            id: "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN".parse().unwrap(),
            error: Some(refused.clone()),
            reached: false,
            crawl_error: None,
            addresses: vec![
                visit("/ip4/1.1.1.1/tcp/1", Some(20), AddressOutcome::Failed(refused)),
                visit("/ip4/10.1.1.1/tcp/1", None, AddressOutcome::Skipped(SkipReason::Private)),
            ],
        };
        insta::assert_snapshot!(no_answer(&[outcome.clone(), BootstrapOutcome { addresses: vec![], ..outcome }], &[]), @r"
        no bootstrap peer answered
          12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN
            /ip4/1.1.1.1/tcp/1: connection_refused while in phase connect (\u{1b}[1m) after 20 ms
            /ip4/10.1.1.1/tcp/1: not dialled (private)
          12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN
            none of its addresses was tried
        check that these peers run and can be reached from here, or begin with others (--bootstrap)
        ");
    }

    #[test]
    fn who_was_reached_and_did_not_answer_says_why() {
        let lacks = Failure::new(Phase::Stream, FailureClass::ProtocolNotSupported);
        let outcome = BootstrapOutcome {
            id: "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN".parse().unwrap(),
            error: None,
            reached: true,
            crawl_error: Some(lacks),
            addresses: vec![AddressVisit {
                address: "/ip4/1.1.1.1/tcp/1".parse().unwrap(),
                started_after: None,
                took: Some(Duration::from_millis(20)),
                outcome: AddressOutcome::Connected,
                resolved: Vec::new(),
            }],
        };
        insta::assert_snapshot!(no_answer(&[outcome], &["/ipfs/kad/9.9.9".to_owned()]), @r"
        no bootstrap peer answered
          12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN
            reached, but not a request was answered: protocol_not_supported while in phase stream
            /ip4/1.1.1.1/tcp/1: connected after 20 ms
        check that /ipfs/kad/9.9.9 is how this network names its protocol (--network, --protocol)
        ");
    }
}
