//! Looks up where the addresses of a store are that no run with the same files has looked up: read, looked up and written side by side.

mod summary;
mod tally;

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use kad::{Address, failure::Failure};
use net::{NameResolver, Names};
use places::{Place, PlaceSources, SourceError, Standing};
use schema::{AddressKind, AddressPlace, RunId, RunState, Tool};
use serde_json::json;
use store::{RunFilter, Store, StoreUrl};
use tokio::{
    sync::{mpsc, watch},
    task::{JoinHandle, JoinSet, spawn_blocking},
};

pub(crate) use self::summary::{Enriched, PlaceShare};
use self::tally::Tally;
use crate::{
    exit::Failed,
    keeping::{RunOrder, ToolRun},
    progress::EnrichProgress,
    staying::Staying,
};

/// Batches of addresses that wait to be looked up.
const QUEUED_BATCHES: usize = 2;

/// As which network a run is kept that is of the addresses of all of them.
const ANY_NETWORK: &str = "any";

/// By what addresses are looked up.
#[derive(Debug)]
pub(crate) struct Enriching {
    /// The files.
    sources: PlaceSources,
    /// Who is asked for names; `None` if nobody is.
    names: Option<Arc<NameResolver>>,
}

/// How far it is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct EnrichNow {
    /// How many addresses were there to be looked up when it began.
    pub(crate) total: u64,
    /// How many of them were.
    pub(crate) done: u64,
}

/// What is to be done in a store.
#[derive(Debug)]
struct Work {
    /// The runs that looked addresses up by the same files.
    known_by: Vec<RunId>,
    /// How many addresses they did.
    known: u64,
    /// How many are left.
    total: u64,
}

impl Enriching {
    /// By these files, and asking these for names.
    pub(crate) fn new(sources: PlaceSources, names: Option<Names>) -> Self {
        Self { sources, names: names.map(|names| Arc::new(NameResolver::new(names))) }
    }

    /// Looks up what is left to be looked up in a store, in a run of its own; where nothing is, there is no run.
    pub(crate) async fn carry_out(&self, staying: &Staying, url: &StoreUrl) -> anyhow::Result<Enriched> {
        let work = self.work(staying, url).await?;
        let mut enriched = Enriched::new(&self.sources, self.names.is_some(), work.known);
        if work.total == 0 {
            return Ok(enriched);
        }
        let run = ToolRun::begin(staying, url, self.order()?).await?;
        enriched.run_id = Some(run.id());
        let (now, shown) = watch::channel(EnrichNow { total: work.total, done: 0 });
        let display = staying.tell(EnrichProgress::new(shown));
        let (batches, reading) = read(url.clone(), work.known_by);
        let mut tally = Tally::default();
        let looked_up = self.look_up(&run, staying, batches, (&mut tally, &now)).await;
        display.end().await;
        tally.tell(&mut enriched);
        enriched.state = if looked_up.is_err() { RunState::Failed } else { staying.state() };
        run.end(enriched.state, &enriched).await?;
        looked_up.map_err(|error| Failed::usage(error.to_string()))?;
        reading.await??;
        Ok(enriched)
    }

    /// What is left: addresses of which no run has said the place by the same files, and has asked for names if that is wanted.
    async fn work(&self, staying: &Staying, url: &StoreUrl) -> anyhow::Result<Work> {
        let (url, version, names) = (url.clone(), self.sources.version(), self.names.is_some());
        let counted = spawn_blocking(move || {
            let store = Store::open_existing(&url)?;
            let runs = store.runs(&RunFilter::of(Tool::Enrich))?;
            let is_same = |parameters: &serde_json::Value| {
                parameters["version"] == version && (parameters["names"] == true || !names)
            };
            let same = runs.into_iter().filter(|run| is_same(&run.start.parameters));
            let known_by: Vec<RunId> = same.map(|run| run.start.id).collect();
            let (all, total) = (store.addresses(&[])?.total(), store.addresses(&known_by)?.total());
            Ok::<_, store::Error>(Work { known_by, known: all.saturating_sub(total), total })
        });
        Ok(staying.unless_stopped(counted).await???)
    }

    fn order(&self) -> serde_json::Result<RunOrder> {
        let mut parameters = serde_json::to_value(self.sources.list())?;
        parameters["version"] = json!(self.sources.version());
        parameters["names"] = json!(self.names.is_some());
        let network = ANY_NETWORK.to_owned();
        Ok(RunOrder { tool: Tool::Enrich, network, seed: 0, vantage: String::new(), parameters })
    }

    /// Looks up what comes, until nothing does, or it is to stop, or nothing can be kept any more.
    async fn look_up(
        &self,
        run: &ToolRun,
        staying: &Staying,
        mut batches: mpsc::Receiver<Vec<Address>>,
        (tally, now): (&mut Tally, &watch::Sender<EnrichNow>),
    ) -> Result<(), SourceError> {
        let is_closed = || run.rows().is_none_or(|rows| rows.is_closed());
        while let Some(batch) = batches.recv().await
            && !is_closed()
        {
            let addresses = batch.len() as u64;
            // Names that do not answer are waited for long.
            let Some(rows) = staying.stop().run_until_cancelled(self.rows(batch)).await else { break };
            let rows = rows?;
            tally.add(addresses, &rows);
            for row in rows {
                run.row(row).await;
            }
            now.send_modify(|now| now.done += addresses);
        }
        Ok(())
    }

    /// The rows of some addresses, those of each address together.
    async fn rows(&self, addresses: Vec<Address>) -> Result<Vec<AddressPlace>, SourceError> {
        let mut found = HashMap::new();
        let mut rows = Vec::with_capacity(addresses.len());
        let mut asked = JoinSet::new();
        for address in addresses {
            match (Standing::of(&address), &self.names) {
                (Standing::Ip(ip, kind), _) => rows.push(self.row(address, (ip, kind), &mut found)?),
                (Standing::Name, Some(resolver)) => {
                    let resolver = Arc::clone(resolver);
                    asked.spawn(async move { ask(&resolver, address).await });
                }
                (standing, _) => rows.push(AddressPlace::of_kind(address, standing.kind())),
            }
        }
        while let Some(answer) = asked.join_next().await {
            // A question that panics is none of ours.
            let Ok((address, answer)) = answer else { continue };
            rows.extend(self.led_to(address, answer, &mut found)?);
        }
        Ok(rows)
    }

    /// The rows of an address whose name led to these IPs, or nowhere.
    fn led_to(
        &self,
        address: Address,
        answer: Result<Vec<IpAddr>, Failure>,
        found: &mut HashMap<IpAddr, Place>,
    ) -> Result<Vec<AddressPlace>, SourceError> {
        let ips = match answer {
            Ok(ips) => ips,
            Err(failure) => {
                let nowhere = AddressPlace::of_kind(address, AddressKind::Name);
                return Ok(vec![AddressPlace { name_error: Some(failure), ..nowhere }]);
            }
        };
        let ips = ips.into_iter().map(|ip| (ip.to_canonical(), Standing::of_ip(ip).kind()));
        ips.map(|ip| self.row(address.clone(), ip, found)).collect()
    }

    /// The row of an address that has this IP, or whose name led to it. Most IPs stand in several addresses, one after the other.
    fn row(
        &self,
        address: Address,
        (ip, kind): (IpAddr, AddressKind),
        found: &mut HashMap<IpAddr, Place>,
    ) -> Result<AddressPlace, SourceError> {
        let bare = AddressPlace { ip: Some(ip), ..AddressPlace::of_kind(address, kind) };
        if kind != AddressKind::Public {
            return Ok(bare);
        }
        let place = match found.get(&ip) {
            Some(place) => place.clone(),
            None => found.entry(ip).or_insert(self.sources.place_of(ip)?).clone(),
        };
        let Place { continent, country, city, asn, organisation, cloud, cloud_by } = place;
        Ok(AddressPlace { continent, country, city, asn, organisation, cloud, cloud_by, ..bare })
    }
}

async fn ask(resolver: &NameResolver, address: Address) -> (Address, Result<Vec<IpAddr>, Failure>) {
    let ips = match address.multiaddr() {
        Some(multiaddr) => resolver.ips(multiaddr).await,
        None => Ok(Vec::new()),
    };
    (address, ips)
}

/// Reads the addresses of a store on a thread of its own, as long as somebody takes them.
fn read(
    url: StoreUrl,
    known_by: Vec<RunId>,
) -> (mpsc::Receiver<Vec<Address>>, JoinHandle<Result<(), store::Error>>) {
    let (sender, receiver) = mpsc::channel(QUEUED_BATCHES);
    let reading = spawn_blocking(move || {
        let store = Store::open_existing(&url)?;
        for batch in store.addresses(&known_by)? {
            if sender.blocking_send(batch?).is_err() {
                break;
            }
        }
        Ok(())
    });
    (receiver, reading)
}
