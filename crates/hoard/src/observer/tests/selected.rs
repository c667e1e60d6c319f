//! Who is left out, at the result and at the query.

use std::collections::BTreeSet;

use super::*;
use crate::{FilterLevel, Filters};

const WORLD: &str = "peers = 150\nseed = 6\n[[agents]]\nname = 'kubo/0.40.0'\nshare = 0.7\n[[agents]]\nname = 'hydra-booster/0.7.4'\nshare = 0.3\n";

async fn walked(stage: &Stage, level: FilterLevel) -> (Vec<PeerId>, BTreeSet<PeerId>) {
    let mut config = stage.config();
    config.filters = Arc::new(Filters { agents: vec!["hydra".to_owned()], level, ..Filters::default() });
    config.walks.lookups = vec![HoardLookup::Closest];
    for peer in stage.world().peers() {
        config.agents.note(stage.world().peer_id(peer), stage.world().agent(peer));
    }
    let observer = stage.observer(config).await;
    let key = stage.watched(&multihash("content"), START, Vec::new());
    let mut round = observer.round(&key, &stage.due(1), &CancellationToken::new()).await;
    let walk = round.lookups.remove(0);
    let trace = &walk.found.trace;
    let asked = trace.rpcs.iter().filter_map(|rpc| trace.peer(rpc.peer)).collect();
    (walk.closest, asked)
}

#[tokio::test(start_paused = true)]
async fn at_the_result_walks_ask_those_who_are_left_out_and_at_the_query_nobody_does() {
    let stage = Stage::of(WORLD).await;
    let is_hydra = |peer: u32| stage.world().agent(peer).contains("hydra");
    let hydras: BTreeSet<PeerId> = stage
        .world()
        .peers()
        .filter(|&peer| is_hydra(peer))
        .map(|peer| stage.world().peer_id(peer))
        .collect();
    let mut others = stage.closest(&multihash("content"), |_| true);
    others.retain(|peer| !hydras.contains(peer));
    assert!(others.len() < 20, "some of the closest are left out");
    let (closest, asked) = walked(&stage, FilterLevel::Result).await;
    assert!(closest.starts_with(&others), "{closest:?}");
    assert!(asked.intersection(&hydras).count() > 0, "they take part in the walk");
    let (closest, asked) = walked(&stage, FilterLevel::Query).await;
    assert!(closest.starts_with(&others), "{closest:?}");
    assert_eq!(asked.intersection(&hydras).count(), 0, "they were never asked");
}
