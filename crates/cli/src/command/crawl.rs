//! `kadscope crawl`: visits every peer of a network once.

use clap::ValueEnum as _;
use schema::RunState;
use store::StoreUrl;

use crate::{
    args::{CrawlArgs, Order},
    bootstrap,
    crawling::Made,
    exit::Code,
    output, render, signals,
};

pub(crate) async fn run(args: CrawlArgs) -> anyhow::Result<Code> {
    let CrawlArgs { order, json } = args;
    check(&order)?;
    let kept = order.store.clone();
    let stop = signals::stop_on_signal()?;
    let made = order.carry_out(&stop).await?;
    if json {
        output::print_json(&made.crawled.summary)?;
    } else if made.crawled.summary.state != RunState::Failed {
        let text = render::summary(&made.crawled.summary, &place(&kept), output::Style::of_stdout());
        output::print(&text)?;
    }
    end(made, stop.is_cancelled(), &kept)
}

/// How the program ends by a crawl.
pub(crate) fn end(made: Made, is_stopped: bool, kept: &StoreUrl) -> anyhow::Result<Code> {
    let visits = made.crawled.summary.visits;
    let is_stopped = is_stopped && made.crawled.summary.state == RunState::Cancelled;
    if let Some(error) = made.error() {
        return Err(error);
    }
    if is_stopped {
        let visits = visits.first + visits.new_addresses + visits.second_pass;
        output::note(&format!("stopped; {visits} visits were kept ({})", place(kept)));
        return Ok(Code::Cancelled);
    }
    Ok(Code::Done)
}

/// Where rows are, for people.
pub(crate) fn place(kept: &StoreUrl) -> String {
    match kept {
        StoreUrl::None => "nowhere (--store none)".to_owned(),
        StoreUrl::Sqlite(path) => path.display().to_string(),
    }
}

fn check(order: &Order) -> anyhow::Result<()> {
    let policy = order.network.addresses;
    let named = policy.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    Ok(bootstrap::check_policy(&order.bootstrap, policy.into(), &named)?)
}
