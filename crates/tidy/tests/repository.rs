//! Applies the rules of the repository to the repository.

#![expect(clippy::expect_used, clippy::panic, reason = "a test ends at the first error")]

use std::{collections::BTreeSet, sync::LazyLock};

use kad::{
    Persistence,
    bitswap::HasBlock,
    failure::{FailureClass, Phase, SkipReason},
    lookup::{FollowUp, LookupKind, PeerState, RpcFate, Termination},
    network::{RttSource, WssCertificate},
    retrieval::{AddressOrigin, RetrievalVerdict},
};
use kadscope_tidy::{File, manifest, prose, source, tree};
use schema::{
    AddressKind, CloudEvidence, ConnectionPolicy, GapCause, HoardLookup, HolderAnswer, NatClass,
    OnlineCriterion, OperationKind, OperationOutcome, PublisherEnd, RequestPurpose, RoundEnd, SessionEnd,
    SessionState, StepCause, Strategy, VisitKind, Whereabouts,
};

static FILES: LazyLock<Vec<File>> =
    LazyLock::new(|| tree::files(&tree::root()).expect("the repository is readable"));

fn rust() -> impl Iterator<Item = &'static File> {
    FILES.iter().filter(|file| file.is_rust())
}

fn production() -> impl Iterator<Item = &'static File> {
    FILES.iter().filter(|file| file.is_production())
}

fn text(path: &str) -> &'static str {
    &FILES.iter().find(|file| file.path == path).unwrap_or_else(|| panic!("{path} does not exist")).text
}

/// Fails with all complaints at once.
#[track_caller]
fn none(problems: impl IntoIterator<Item = String>) {
    let problems: Vec<_> = problems.into_iter().collect();
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn the_repository_is_found() {
    assert!(production().count() > 50 && rust().count() > production().count());
}

#[test]
fn every_file_says_what_it_is_for() {
    none(rust().filter_map(source::opening));
}

#[test]
fn no_file_of_production_code_is_too_long() {
    none(production().filter_map(source::length));
}

#[test]
fn no_name_is_empty() {
    none(rust().filter_map(source::name));
}

#[test]
fn a_public_type_has_a_name_of_its_own() {
    none(source::names_that_stand_twice(production()));
}

#[test]
fn dependencies_go_one_way() {
    let manifests =
        FILES.iter().filter(|file| file.crate_name().is_some() && file.path.ends_with("/Cargo.toml"));
    none(manifests.flat_map(manifest::problems));
}

#[test]
fn only_net_names_transports() {
    // To a database and to servers of the web there is TLS, too: no peer is at its other end.
    let to_servers = [
        "crates/store/src/postgres/tls.rs",
        "crates/http/src/client/connect.rs",
        "crates/http/src/client/roots.rs",
    ];
    let to_peers = production().filter(|file| !to_servers.contains(&file.path.as_str()));
    none(to_peers.flat_map(|file| source::TRANSPORTS.in_production(file)));
}

#[test]
fn only_the_store_speaks_sql() {
    none(production().flat_map(|file| source::SQL.in_production(file)));
}

#[test]
fn only_the_program_prints() {
    none(production().flat_map(|file| source::TERMINAL.in_production(file)));
}

#[test]
fn wall_time_is_read_in_one_place() {
    none(production().flat_map(|file| source::WALL_CLOCK.in_production(file)));
}

#[test]
fn kad_does_no_io() {
    let kad = production().filter(|file| file.crate_name() == Some("kad"));
    none(kad.flat_map(|file| source::WORLD.in_production(file)));
}

#[test]
fn estimates_do_no_io() {
    let estimates = || production().filter(|file| file.crate_name() == Some("estimate"));
    assert!(estimates().count() > 0);
    none(estimates().flat_map(|file| source::WORLD.in_production(file)));
}

#[test]
fn the_session_and_the_frontier_do_no_io() {
    let decides = |file: &&File| {
        let path = file.path.as_str();
        path.starts_with("crates/net/src/session")
            || path.starts_with("crates/crawl/src/frontier")
            || ["crates/net/src/yamux.rs", "crates/net/src/multistream.rs"].contains(&path)
    };
    assert!(production().filter(decides).count() >= 5);
    none(production().filter(decides).flat_map(|file| source::WORLD.in_production(file)));
}

#[test]
fn a_life_hangs_on_its_seed_alone() {
    let lives = |file: &&File| {
        let path = file.path.as_str();
        (path == "crates/testnet/src/life.rs" || path.starts_with("crates/testnet/src/life/"))
            && !path.ends_with("tests.rs")
    };
    assert!(production().filter(lives).count() >= 8);
    none(production().filter(lives).flat_map(|file| source::SEEDED.in_production(file)));
}

#[test]
fn nothing_is_unfinished() {
    none(rust().flat_map(|file| source::UNFINISHED.anywhere(file)));
}

#[test]
fn every_name_is_documented() {
    const PAGE: &str = "docs/methodology/visit.md";
    fn owned<'a>(names: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
        names.map(str::to_owned).collect()
    }
    let page = text(PAGE);
    for (heading, known) in [
        ("### Phases", owned(Phase::ALL.iter().map(|phase| phase.name()))),
        ("### Classes", owned(FailureClass::ALL.iter().map(|class| class.name()))),
        ("### Skip reasons", owned(SkipReason::ALL.iter().map(|reason| reason.name()))),
        ("### Behind address translation", owned(NatClass::ALL.iter().map(|class| class.name()))),
        ("### Round trips", owned(RttSource::ALL.iter().map(|source| source.name()))),
        (
            "## Certificates of secure WebSocket",
            owned(WssCertificate::ALL.iter().map(|certificate| certificate.name())),
        ),
        ("## Which peers have visits", owned(VisitKind::ALL.iter().map(|kind| kind.name()))),
        ("### Steps of the wall clock", owned(StepCause::ALL.iter().map(|cause| cause.name()))),
    ] {
        none(prose::differences(heading, &prose::names_in_table(page, heading), &known));
    }
}

/// Compares the tables of a page, each below its heading, with the closed names that they define.
macro_rules! documented {
    ($page:ident: $($heading:literal $names:ty)*) => {$({
        let known: BTreeSet<String> = <$names>::ALL.iter().map(|name| name.name().to_owned()).collect();
        none(prose::differences($heading, &prose::names_in_table($page, $heading), &known));
    })*};
}

#[test]
fn every_name_of_a_lookup_is_documented() {
    let page = text("docs/methodology/lookup.md");
    documented! {
        page:
        "## What a lookup looks for" LookupKind
        "## How a lookup stands with a peer" PeerState
        "## Why a search ends" Termination
        "## Follow-ups" FollowUp
        "## What becomes of a request" RpcFate
        "### Verdicts" RetrievalVerdict
        "### Whether a provider has the block" HasBlock
        "### From where an address is known" AddressOrigin
    }
}

#[test]
fn every_name_of_a_measurement_is_documented() {
    let page = text("docs/methodology/perf.md");
    documented! {
        page:
        "## What a server was to do" OperationKind
        "## Strategies" Strategy
        "## Persistence" Persistence
        "## Connections" ConnectionPolicy
        "## What came of it" OperationOutcome
        "## What a request was for" RequestPurpose
    }
}

#[test]
fn every_name_of_a_study_is_documented() {
    let page = text("docs/methodology/hoard.md");
    documented! {
        page:
        "## What becomes of a publisher" PublisherEnd
        "## Where a holder is" Whereabouts
        "## What a holder says" HolderAnswer
        "## Lookups of a round" HoardLookup
        "## How a round ends" RoundEnd
    }
}

#[test]
fn every_name_of_a_place_is_documented() {
    let page = text("docs/methodology/places.md");
    documented! {
        page:
        "## Kinds of addresses" AddressKind
        "## What says that an address is a cloud's" CloudEvidence
    }
}

#[test]
fn every_name_of_a_session_is_documented() {
    let page = text("docs/methodology/sessions.md");
    documented! {
        page:
        "## What counts as up" OnlineCriterion
        "### How a session stands" SessionState
        "### Why a session is over" SessionEnd
        "### Gaps" GapCause
    }
}

#[test]
fn every_crate_has_its_place_in_the_architecture() {
    let crates: BTreeSet<_> = FILES.iter().filter_map(File::crate_name).collect();
    let page = text("ARCHITECTURE.md");
    let missing = crates.into_iter().filter(|name| !page.contains(&format!("`crates/{name}`")));
    none(missing.map(|name| format!("ARCHITECTURE.md says nothing of crates/{name}")));
}

#[test]
fn links_lead_somewhere() {
    let root = tree::root();
    let documents = FILES.iter().filter(|file| file.has_extension("md"));
    none(documents.flat_map(|file| prose::links(file, |path| root.join(path).exists())));
}

#[test]
fn the_glossary_has_one_line_for_each_word() {
    none(prose::glossary_order(text("docs/glossary.md")));
}

#[test]
fn text_has_no_loose_ends_and_no_paths_of_one_machine() {
    let ends = ["rs", "md", "toml", "sql", "sh"];
    let written = FILES.iter().filter(|file| ends.iter().any(|extension| file.has_extension(extension)));
    none(written.flat_map(prose::whitespace));
    none(FILES.iter().flat_map(prose::machine_paths));
}
