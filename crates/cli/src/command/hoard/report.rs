//! `kadscope hoard report`: the report of a study, from rows that are kept.

use std::{io::Write as _, path::Path};

use ::hoard::{
    Study, StudyDetail, StudyError, exchange_json,
    report::{CrawlTruth, HoardSection, ReportOrder},
    savings::{SavingsSection, SavingsTerms, StudySavings},
};
use kad::PeerId;
use places::Clouds;
use schema::{RunId, Timestamp, Tool};
use serde::Serialize;
use store::Store;

use crate::{
    args::HoardReportArgs,
    exit::{Code, Failed},
    input, output,
    outputs::{InUse, Kind, Output},
    render,
    report_directory::{self, MADE_BY},
};

/// What the report is called.
const TITLE: &str = "Provider records: who keeps them, and for how long";

/// The longest file of ranges that is read, in bytes: a million of them.
const MAX_RANGES_BYTES: u64 = 64 << 20;

/// What stands in `report.json`.
#[derive(Debug, Serialize)]
struct Numbers<'a> {
    /// Which program made it.
    made_by: &'static str,
    /// The crawl that is taken for the truth of who was closest.
    crawl: Option<RunId>,
    /// Everything that is drawn and tabled.
    #[serde(flatten)]
    section: &'a HoardSection,
}

pub(super) fn run(args: &HoardReportArgs, in_use: &mut InUse) -> anyhow::Result<Code> {
    report_directory::admit(&args.out)?;
    let clouds = args.clouds.as_deref().map(|path| clouds(path, in_use)).transpose()?.unwrap_or_default();
    let store = Store::open_existing(&args.store)?;
    in_use.store(&args.store);
    let (study, savings) = read(&store, args.run)?;
    let crawl = args.crawl.map(|crawl| reached(&store, crawl)).transpose()?;
    if let Some(path) = &args.holders {
        write_holders(&study, path, in_use)?;
    }
    let order = ReportOrder { apart: args.apart.clone(), clouds, crawl, savings };
    let section = HoardSection::of(&study, &order);
    let page = section.page(TITLE);
    let numbers = Numbers { made_by: MADE_BY, crawl: args.crawl, section: &section };
    report_directory::write(&args.out, &page, &serde_json::to_value(&numbers)?)?;
    if args.json {
        output::print_json(&numbers)?;
    } else {
        let style = output::Style::of_stdout();
        let tables = page.sections.iter().take(2).flat_map(|section| &section.tables);
        let text: String = tables.map(|table| render::page_table(table, style)).collect();
        let page = args.out.join("index.html");
        output::print_text(&format!("{text}{} is the page with all figures.\n", page.display()))?;
    }
    Ok(Code::Done)
}

/// Whose addresses are whose, by a file.
fn clouds(path: &Path, in_use: &mut InUse) -> Result<Clouds, Failed> {
    in_use.read("the ranges", path);
    let text = input::read(path, "the ranges", MAX_RANGES_BYTES)?;
    Clouds::parse(&path.display().to_string(), &text).map_err(|error| Failed::usage(error.to_string()))
}

/// Writes what another study can watch.
fn write_holders(study: &Study, path: &Path, in_use: &mut InUse) -> Result<(), Failed> {
    let output = Output { what: "the holders", path, kind: Kind::Holders, force: false };
    let written = in_use.create(output)?.write_all((exchange_json(study) + "\n").as_bytes());
    written.map_err(|error| Failed::usage(format!("cannot write the holders to {}: {error}", path.display())))
}

/// A study with the answers of its walks; where these are too many for the memory without them, but with what changes would save.
fn read(store: &Store, run: RunId) -> anyhow::Result<(Study, Option<SavingsSection>)> {
    let read = match Study::read(store, run, StudyDetail::Responses) {
        Err(StudyError::TooLarge { .. }) => {
            output::note("the answers of all walks are too many: what rounds kept of them is reported");
            Study::read(store, run, StudyDetail::Sights).and_then(|study| {
                let savings = StudySavings::read(&study, store, SavingsTerms::default())?.section();
                Ok((study, Some(savings)))
            })
        }
        read => read.map(|study| (study, None)),
    };
    read.map_err(|error| refused(store, error))
}

/// Why a study cannot be read.
pub(super) fn refused(store: &Store, error: StudyError) -> anyhow::Error {
    match error {
        StudyError::Store(error) => error.into(),
        error => Failed::usage(format!("{}: {error}", store.name())).into(),
    }
}

/// The peers that a crawl reached, and the middle of the time in which it did.
fn reached(store: &Store, crawl: RunId) -> anyhow::Result<CrawlTruth> {
    let tool = store.run(crawl)?.start.tool;
    let refused = |what: String| {
        anyhow::Error::from(Failed::usage(format!("{}: the run {crawl} {what}", store.name())))
    };
    if tool != Tool::Crawl {
        return Err(refused(format!("of --crawl is one of `{tool}`")));
    }
    let numbers = store.peers(crawl)?;
    let (mut peers, mut first, mut last): (Vec<PeerId>, _, _) = (Vec::new(), i64::MAX, i64::MIN);
    for visit in store.visits(crawl)? {
        let visit = visit?;
        if visit.is_reachable() {
            (first, last) = (first.min(visit.met.started_at.0), last.max(visit.met.started_at.0));
            peers.extend(numbers.get(visit.peer));
        }
    }
    if peers.is_empty() {
        return Err(refused("reached nobody: it says nothing of who is closest".to_owned()));
    }
    Ok(CrawlTruth::new(&peers, Timestamp(i64::midpoint(first, last))))
}
