//! What visits say, as the page on sessions has it.

use kad::{
    Multiaddr,
    network::{Endpoint, Security, Transport},
};
use schema::{AddressVisit, ConnectionInfo, GapCause, PeerNumber};

use super::*;

/// The page whose table is the rule.
const PAGE: &str = include_str!("../../../../docs/methodology/sessions.md");

fn failed(phase: Phase, class: FailureClass) -> AddressOutcome {
    AddressOutcome::Failed(Failure::new(phase, class))
}

/// A visit to a peer of which these addresses are known, none of which connected.
fn visit(outcomes: &[AddressOutcome], kind: VisitKind) -> Visit {
    let address: Multiaddr = "/ip4/192.0.2.1/tcp/4001".parse().unwrap();
    let addresses = outcomes.iter().map(|outcome| AddressVisit {
        address: address.clone().into(),
        started_after: None,
        took: None,
        outcome: outcome.clone(),
        resolved: Vec::new(),
    });
    let mut visit = Visit::begun(PeerNumber(0), kind, Timestamp(1));
    visit.met.addresses = addresses.collect();
    visit.met.connect_error = furthest(outcomes.iter().filter_map(AddressOutcome::failure)).cloned();
    visit.met.ended_at = Timestamp(2);
    visit
}

/// A visit with a connection.
fn connected() -> Visit {
    let mut visit = visit(&[AddressOutcome::Connected], VisitKind::Scheduled);
    let socket = "192.0.2.1:4001".parse().unwrap();
    let endpoint = Endpoint {
        address: 0,
        transport: Transport::Tcp,
        security: Security::Noise,
        certificate: None,
        ip_version: 4,
        socket,
    };
    visit.met.connection = Some(ConnectionInfo::of(&endpoint, None));
    visit
}

/// The visit that a row of the table is about, without a connection; `None` for rows about connections.
fn met(name: &str, phase: Phase) -> Option<Visit> {
    use FailureClass::{Cancelled, ConnectionRefused, NetworkUnreachable, ResourceLimit, Timeout};
    let silent = failed(Phase::Connect, Timeout);
    let refused = failed(Phase::Connect, ConnectionRefused);
    let outcomes = match name {
        "fulfilled" | "not_asked" => return None,
        "nothing_dialled" => vec![],
        "only_relayed" => vec![AddressOutcome::Skipped(SkipReason::Relayed)],
        "untried_addresses" => {
            return Some(visit(&[silent, AddressOutcome::Skipped(SkipReason::OverLimit)], VisitKind::First));
        }
        "silent_and_refused" => vec![silent, refused],
        "silent_and_full" => vec![silent, failed(Phase::Secure, ResourceLimit)],
        "silent_and_no_route" => vec![silent, failed(Phase::Connect, NetworkUnreachable)],
        "refused_and_cancelled" => vec![refused, failed(Phase::Connect, Cancelled)],
        class => vec![failed(phase, FailureClass::from_name(class).unwrap())],
    };
    Some(visit(&outcomes, VisitKind::Scheduled))
}

/// The rows of the rule: what was met, in which phase if that matters, and what follows.
fn rows() -> Vec<(String, Option<Phase>, [String; 4])> {
    let section = PAGE.lines().skip_while(|line| *line != "### The rule").skip(1);
    let rows = section.take_while(|line| !line.starts_with('#')).filter(|line| line.starts_with("| `"));
    let cells = |line: &str| {
        let cells: Vec<_> = line.split('|').map(str::trim).map(str::to_owned).collect();
        let mut names = cells[1].split('`').skip(1).step_by(2).map(str::to_owned);
        let met = names.next().unwrap();
        let phase = names.next().map(|phase| Phase::from_name(&phase).unwrap());
        (met, phase, [cells[2].clone(), cells[3].clone(), cells[4].clone(), cells[5].clone()])
    };
    rows.map(cells).collect()
}

fn told(look: &PeerLook) -> [String; 3] {
    let word = |is: bool| if is { "yes" } else { "no" }.to_owned();
    [look.evidence.name().to_owned(), word(look.is_answered), word(look.is_sure)]
}

#[test]
fn every_class_has_its_row() {
    let rows = rows();
    for class in FailureClass::ALL {
        assert!(rows.iter().any(|(met, phase, _)| met == class.name() && phase.is_none()), "{class}");
    }
}

#[test]
fn a_visit_without_a_connection_says_what_the_page_says_by_every_criterion() {
    for (name, phase, [_, expected @ ..]) in rows() {
        let Some(visit) = met(&name, phase.unwrap_or(Phase::Secure)) else { continue };
        for &criterion in OnlineCriterion::ALL {
            assert_eq!(told(&evidence(&visit, criterion)), expected, "{name} by {criterion}");
        }
    }
}

#[test]
fn each_failure_says_what_the_page_says() {
    for (name, phase, [says, ..]) in rows() {
        let Some(class) = FailureClass::from_name(&name) else { continue };
        let failure = Failure::new(phase.unwrap_or(Phase::Secure), class);
        assert_eq!(FailureSays::of(&failure).name(), says, "{name}");
    }
}

#[test]
fn what_is_asked_over_a_connection_is_judged_by_the_same_rows_and_somebody_answered() {
    for (name, phase, [_, expected, _, sure]) in rows() {
        let Some(class) = FailureClass::from_name(&name) else { continue };
        if phase.is_some() {
            continue;
        }
        let mut visit = connected();
        visit.met.identify_error = Some(Failure::new(Phase::Identify, class));
        visit.crawl_error = Some(Failure::new(Phase::Request, class));
        for criterion in [OnlineCriterion::Identify, OnlineCriterion::Kad] {
            let look = evidence(&visit, criterion);
            assert_eq!(
                told(&look),
                [expected.clone(), "yes".to_owned(), sure.clone()],
                "{name} by {criterion}"
            );
        }
        assert_eq!(evidence(&visit, OnlineCriterion::Handshake).evidence, UptimeEvidence::Up);
    }
}

#[test]
fn a_criterion_is_fulfilled_or_was_not_asked() {
    let asked_nothing = connected();
    let mut all = connected();
    all.met.agent_version = Some("a".to_owned());
    all.prefixes[0] = PrefixOutcome::Answered { peers: 20 };
    let row = |wanted: &str| rows().into_iter().find(|(met, ..)| met == wanted).unwrap().2;
    let [_, fulfilled @ ..] = row("fulfilled");
    let [_, not_asked @ ..] = row("not_asked");
    for &criterion in OnlineCriterion::ALL {
        assert_eq!(told(&evidence(&all, criterion)), fulfilled, "{criterion}");
        let expected = if criterion == OnlineCriterion::Handshake { &fulfilled } else { &not_asked };
        assert_eq!(told(&evidence(&asked_nothing, criterion)), *expected, "{criterion}");
    }
}

#[test]
fn visits_of_crawls_and_of_monitors_that_met_the_same_say_the_same() {
    let silent = failed(Phase::Connect, FailureClass::Timeout);
    for &kind in VisitKind::ALL {
        let look = evidence(&visit(std::slice::from_ref(&silent), kind), OnlineCriterion::Handshake);
        assert_eq!(look.evidence, UptimeEvidence::Down, "{kind}");
    }
}

#[test]
fn only_a_visit_that_others_follow_may_leave_addresses_untried() {
    let silent = failed(Phase::Connect, FailureClass::Timeout);
    for untried in [AddressOutcome::NotTried, AddressOutcome::Skipped(SkipReason::OverLimit)] {
        let of =
            |kind| evidence(&visit(&[silent.clone(), untried.clone()], kind), OnlineCriterion::Handshake);
        assert_eq!(of(VisitKind::NewAddresses).evidence, UptimeEvidence::Unclear);
        assert_eq!(of(VisitKind::SecondPass).evidence, UptimeEvidence::Down);
        assert_eq!(of(VisitKind::Scheduled).evidence, UptimeEvidence::Down);
        assert!(!of(VisitKind::Scheduled).is_sure);
    }
}

#[test]
fn a_failed_look_within_a_gap_says_nothing_unless_an_answer_said_it() {
    let gap = ObserverGap { cause: GapCause::Stopped, from: Timestamp(10), until: Timestamp(20) };
    let silent = evidence(
        &visit(&[failed(Phase::Connect, FailureClass::Timeout)], VisitKind::Scheduled),
        OnlineCriterion::Handshake,
    );
    let at = |from: i64, until: i64| PeerLook {
        started_at: Timestamp(from),
        ended_at: Timestamp(until),
        ..silent.clone()
    };
    for (from, until, expected) in [
        (5, 10, UptimeEvidence::Down),
        (5, 11, UptimeEvidence::Unclear),
        (12, 12, UptimeEvidence::Unclear),
        (19, 30, UptimeEvidence::Unclear),
        (20, 30, UptimeEvidence::Down),
    ] {
        assert_eq!(at(from, until).beside(&gap).evidence, expected, "{from} to {until}");
    }
    let sure = PeerLook { is_sure: true, ..at(12, 13) };
    assert_eq!(sure.clone().beside(&gap), sure);
}

#[test]
fn a_look_has_no_text_of_strangers() {
    let text =
        AddressOutcome::Failed(Failure::with_detail(Phase::Secure, FailureClass::PeerIdMismatch, "12D3"));
    let look = evidence(&visit(&[text], VisitKind::Scheduled), OnlineCriterion::Handshake);
    assert_eq!(look.failure, Some(Failure::new(Phase::Secure, FailureClass::PeerIdMismatch)));
}

#[test]
fn somebody_else_at_one_of_the_addresses_is_noticed_whatever_the_others_say() {
    let other = failed(Phase::Secure, FailureClass::PeerIdMismatch);
    let silent = failed(Phase::Connect, FailureClass::Timeout);
    let met = |outcomes: &[AddressOutcome]| met_another(&visit(outcomes, VisitKind::Scheduled));
    assert!(met(&[silent.clone(), other.clone()]) && met(&[other, AddressOutcome::Connected]));
    assert!(!met(&[silent]) && !met_another(&connected()));
}
