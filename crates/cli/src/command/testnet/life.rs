//! What happens in a network whose peers come and go: where it is written, and how addresses are taken away.

use std::{fs::File, sync::Arc};

use jail::{NamespaceError, Routes};
use testnet::wire::{LifeOutlets, PacketFate, Rerouted, RouteChange};
use tokio::time::Instant;

use crate::clock;

/// Events go to a file, if there is one, and change routes, if there are any to be changed.
pub(super) fn outlets(log: Option<File>, routes: Option<Arc<Routes>>) -> LifeOutlets {
    let mut outlets = LifeOutlets { calendar: (Instant::now(), clock::unix_ms()), ..LifeOutlets::default() };
    outlets.log = log.map(|file| -> Box<dyn std::io::Write + Send> { Box::new(file) });
    outlets.routes = routes.map(|routes| -> Box<dyn FnMut(RouteChange) -> Rerouted + Send> {
        Box::new(move |change| Ok(reroute(&routes, change)?))
    });
    outlets
}

fn reroute(routes: &Routes, RouteChange { ip, reach }: RouteChange) -> Result<(), NamespaceError> {
    match reach {
        PacketFate::Local => routes.restore(ip),
        PacketFate::Dropped => routes.drop_attempts(ip),
        PacketFate::Unreachable => routes.unreachable(ip),
    }
}
