//! `kadscope demo`: a network, a crawl of it, and the truth beside it.

mod child;
mod churn;
mod heads;
mod judged;

use std::{fs, sync::Arc, time::Duration};

use anyhow::Context as _;
use net::Roots;
use schema::RunState;
use serde::Serialize;
use store::StoreUrl;
use testnet::Scenario;

use self::{child::Child, churn::Course, judged::Files};
pub(crate) use self::{
    churn::Churn,
    heads::{HeadAnswer, SharedRecord},
    judged::{During, Judged},
};
use super::{
    crawl::{end, place},
    testnet::Announcement,
};
use crate::{
    args::{DemoArgs, Policy},
    crawling::{Made, Order},
    exit::{Code, Failed},
    manners::Manners,
    network::Network,
    output, render,
    staying::Staying,
};

/// The scenarios that are shown: on loopback, and in a world.
const SCENARIO: &str = "demo";
const OF_WORLD: &str = "world";

pub(crate) async fn run(args: DemoArgs) -> anyhow::Result<Code> {
    let staying = Staying::unwatched()?;
    if args.hydra {
        return staying.around(async |staying| Box::pin(heads::demonstrate(args, staying)).await).await;
    }
    staying.around(async |staying| demonstrate(args, staying).await).await
}

async fn demonstrate(args: DemoArgs, staying: &Staying) -> anyhow::Result<Code> {
    // A list that cannot be read is said before anything is made.
    let opt_out = args.opt_out.load()?;
    let name = args.scenario.clone().unwrap_or_else(|| own_scenario(&args).to_owned());
    let scenario = Scenario::named_or_load(&name)?;
    fs::create_dir_all(&args.dir).map_err(|error| {
        Failed::usage(format!("cannot make the directory {}: {error}", args.dir.display()))
    })?;
    let files = Files::in_directory(&args.dir, scenario.life.is_some());
    let store = StoreUrl::Sqlite(files.store.clone());
    let peers = args.peers.unwrap_or(scenario.peers);
    output::note(&format!("starting a network of {}", render::text::counted(peers.into(), "peer", "peers")));
    let child = staying.unless_stopped(Child::start(&args, &name, &files)).await??;
    let course = course(&child).await?;
    if let Some(course) = &course {
        staying.unless_stopped(course.churn()).await?;
    }
    let made = Order { opt_out, ..order(&args, &child, &store)? }.carry_out(staying).await?;
    let announcement = child.end().await;
    let style = output::Style::of_stdout();
    let judged = match made.crawled.summary.state {
        RunState::Succeeded if made.kept.is_ok() => {
            Some(judged::judge(&files, &made, &announcement, course.as_ref())?)
        }
        _ => None,
    };
    if args.json {
        print_json(&made, judged.as_ref())?;
    } else if made.crawled.summary.state != RunState::Failed {
        let mut text = render::summary(&made.crawled.summary, &place(&store), style);
        if let Some(judged) = &judged {
            text += &render::truth(judged, style);
            text += &render::next(&files.store, &files.truth, (&name, args.ground.world), style);
        }
        output::print_text(&text)?;
    }
    end(made, staying.stop().is_cancelled(), &store)
}

/// The course of the network's life, made from the scenario once more; `None` where everybody stays.
async fn course(child: &Child) -> anyhow::Result<Option<Course>> {
    let announcement = child.announcement().clone();
    let Some(began) = announcement.life_began_unix_ms else { return Ok(None) };
    let world = tokio::task::spawn_blocking(move || judged::world(&announcement)).await??;
    Ok(Some(Course::new(world, began)))
}

const fn own_scenario(args: &DemoArgs) -> &'static str {
    if args.ground.world { OF_WORLD } else { SCENARIO }
}

fn order(args: &DemoArgs, child: &Child, store: &StoreUrl) -> anyhow::Result<Order> {
    let announcement = child.announcement();
    // A world is entered as public networks are: by a name.
    let begin = match &announcement.world {
        Some(world) => std::slice::from_ref(&world.bootstrap_name),
        None => announcement.bootstrap.as_slice(),
    };
    let bootstrap = begin.iter().map(|address| address.parse());
    let bootstrap = bootstrap.collect::<Result<_, String>>().map_err(anyhow::Error::msg);
    Ok(Order {
        network: Network {
            name: announcement.network.clone(),
            protocols: vec![announcement.protocol.clone()],
            bootstrap: bootstrap.context("of the testnet")?,
            addresses: if args.ground.world { Policy::Public } else { Policy::Loopback },
            agent: None,
        },
        dial_timeout: Duration::from_secs(5),
        manners: Manners { opt_out: args.opt_out.clone(), ..Manners::default() },
        config: crawl::CrawlConfig { neighbors: true, seed: args.seed, ..crawl::CrawlConfig::default() },
        store: store.clone(),
        tls_roots: None,
        roots: roots(announcement)?,
        opt_out: Arc::default(),
        vantage: "kadscope demo".to_owned(),
    })
}

/// The root of the names in a world.
fn roots(announcement: &Announcement) -> anyhow::Result<Roots> {
    let Some(world) = &announcement.world else { return Ok(Roots::default()) };
    let pem = fs::read(&world.roots)
        .with_context(|| format!("cannot read the root certificate in {}", world.roots.display()))?;
    Ok(Roots::from_pem(&pem)?)
}

/// The JSON of the demo.
#[derive(Serialize)]
struct Compared<'a> {
    #[serde(flatten)]
    summary: &'a crawl::Summary,
    /// `null` if the crawl was cut short or failed.
    truth: Option<&'a Judged>,
}

fn print_json(made: &Made, judged: Option<&Judged>) -> anyhow::Result<()> {
    output::print_json(&Compared { summary: &made.crawled.summary, truth: judged })
}
