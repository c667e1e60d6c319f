//! What happens in a network whose peers come and go: where it is written, and how addresses are taken away.

use std::{fs::File, path::Path, sync::Arc};

use testnet::{
    namespace::Routes,
    wire::{LifeOutlets, Reach, Rerouted, RouteChange},
};
use tokio::time::Instant;

use crate::{clock, exit::Failed};

/// Events go to a file, if one is named, and change routes, if there are any to be changed.
pub(super) fn outlets(log: Option<&Path>, routes: Option<Arc<Routes>>) -> Result<LifeOutlets, Failed> {
    let mut outlets = LifeOutlets { calendar: (Instant::now(), clock::unix_ms()), ..LifeOutlets::default() };
    if let Some(path) = log {
        let failed = |error| Failed::usage(format!("cannot write the events to {}: {error}", path.display()));
        outlets.log = Some(Box::new(File::create(path).map_err(failed)?));
    }
    outlets.routes = routes.map(|routes| -> Box<dyn FnMut(RouteChange) -> Rerouted + Send> {
        Box::new(move |change| Ok(reroute(&routes, change)?))
    });
    Ok(outlets)
}

fn reroute(
    routes: &Routes,
    RouteChange { ip, reach }: RouteChange,
) -> Result<(), testnet::namespace::NamespaceError> {
    match reach {
        Reach::Local => routes.restore(ip),
        Reach::Dropped => routes.drop_attempts(ip),
        Reach::Unreachable => routes.unreachable(ip),
    }
}
