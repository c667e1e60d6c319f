//! `kadscope enrich`: where the addresses are that a store knows.

use net::Names;
use store::StoreUrl;
use tokio::task::spawn_blocking;

use super::crawl::place;
use crate::{
    args::EnrichArgs,
    enriching::Enriching,
    exit::{Code, Failed},
    output,
    outputs::InUse,
    render,
    staying::Staying,
};

pub(crate) async fn run(args: EnrichArgs, in_use: &mut InUse) -> anyhow::Result<Code> {
    args.files.note_inputs(in_use);
    in_use.store(&args.store);
    if args.store == StoreUrl::None {
        return Err(Failed::usage("--store none: there are no addresses; name a store").into());
    }
    if args.files.is_empty() {
        return Err(Failed::usage(
            "there is nothing to look up in: name a database by --city, --country or --asn, or lists of clouds by --ranges",
        )
        .into());
    }
    let staying = Staying::unwatched()?;
    staying.around(async |staying| enrich(args, staying).await).await
}

async fn enrich(args: EnrichArgs, staying: &Staying) -> anyhow::Result<Code> {
    let files = args.files.clone();
    let sources = staying.unless_stopped(spawn_blocking(move || files.load())).await???;
    let names =
        args.names.then(|| args.name_server.map_or(Names::System, |server| Names::Servers(vec![server])));
    let enriched = Enriching::new(sources, names).carry_out(staying, &args.store).await?;
    if args.json {
        output::print_json(&enriched)?;
    } else {
        output::print_text(&render::enriched(&enriched, &place(&args.store), output::Style::of_stdout()))?;
    }
    Ok(staying.code(true))
}
