//! `kadscope crawl`: visits every peer of a network once.

use std::path::Path;

use schema::RunState;
use store::StoreUrl;

use crate::{
    args::{CrawlArgs, Policy},
    bootstrap,
    crawling::{Made, Order},
    enriching::Enriching,
    exit::{Code, Failed},
    output,
    outputs::InUse,
    place_files::PlaceFileArgs,
    render::{self, text::counted},
    staying::Staying,
};

pub(crate) async fn run(args: CrawlArgs, mut in_use: InUse) -> anyhow::Result<Code> {
    let (json, watch, files) = (args.json, args.watch.clone(), args.places.clone());
    note_inputs(&args, &mut in_use);
    let order = Order::of(args)?;
    check(&order)?;
    if let StoreUrl::Sqlite(path) = &order.store {
        in_use.refuse("the crawl", path)?;
    }
    let kept = order.store.clone();
    let enriching = enriching(&files, &kept)?;
    tell_contact(&order);
    let staying = Staying::begin(&watch, "no peer has answered yet")?;
    staying
        .around(async |staying| {
            let made = order.carry_out(staying).await?;
            let summary = &made.crawled.summary;
            if json {
                output::print_json(summary)?;
            } else if summary.state != RunState::Failed {
                let text = render::summary(summary, &place(&kept), output::Style::of_stdout());
                output::print_text(&text)?;
            }
            let code = end(made, staying.stop().is_cancelled(), &kept)?;
            if let (Some(enriching), Code::Done) = (enriching, code) {
                let enriched = enriching.carry_out(staying, &kept).await?;
                output::note(
                    render::enriched(&enriched, &place(&kept), output::Style::of_stderr()).trim_end(),
                );
            }
            Ok(code)
        })
        .await
}

/// What looks up where the addresses are once the crawl is over; `None` if nobody asked for that. Files that cannot be used are an error
/// before anything begins.
fn enriching(files: &PlaceFileArgs, kept: &StoreUrl) -> anyhow::Result<Option<Enriching>> {
    if files.is_empty() {
        return Ok(None);
    }
    if *kept == StoreUrl::None {
        let text = "--store none: where addresses are is kept in the store; name one, or leave out --city, --country, --asn, --clouds and --ranges";
        return Err(Failed::usage(text).into());
    }
    Ok(Some(Enriching::new(files.load()?, None)))
}

/// How the program ends by a crawl.
pub(crate) fn end(made: Made, is_stopped: bool, kept: &StoreUrl) -> anyhow::Result<Code> {
    let visits = made.crawled.summary.visits;
    let is_stopped = is_stopped && made.crawled.summary.state == RunState::Cancelled;
    if let Some(error) = made.error() {
        return Err(error);
    }
    if is_stopped {
        let visits = counted(visits.all(), "visit", "visits");
        let were = if visits.starts_with("1 ") { "was" } else { "were" };
        output::note(&format!("stopped; {visits} {were} kept ({})", place(kept)));
        return Ok(Code::Cancelled);
    }
    Ok(Code::Done)
}

fn note_inputs(args: &CrawlArgs, in_use: &mut InUse) {
    args.places.note_inputs(in_use);
    args.manners.opt_out.note(in_use);
    in_use.read("the network", Path::new(&args.network.network));
}

/// Where rows are, for people.
pub(crate) fn place(kept: &StoreUrl) -> String {
    match kept {
        StoreUrl::None => "nowhere (--store none)".to_owned(),
        StoreUrl::Sqlite(path) => path.display().to_string(),
        StoreUrl::Postgres(url) => url.to_string(),
    }
}

/// Says what operators who see the crawl are not told.
fn tell_contact(order: &Order) {
    match (&order.network.agent, &order.manners.contact) {
        (Some(agent), Some(_)) => output::note(&format!(
            "this network answers to the agent `{agent}` alone: peers are not told the contact"
        )),
        (None, None) if order.network.addresses == Policy::Public => output::note(
            "who sees this crawl cannot ask anybody about it; --contact EMAIL|URL tells them whom to ask",
        ),
        _ => {}
    }
}

fn check(order: &Order) -> anyhow::Result<()> {
    let policy = order.network.addresses;
    Ok(bootstrap::check_policy(&order.network.bootstrap, policy.into(), policy.name())?)
}
