//! An untouched Kubo daemon in a world: whether it learns that it can be reached, as it would on the internet.

use std::time::Duration;

use crate::{
    kubo::WORLD,
    program::{Network, kadscope, peer_program},
    world::World,
};

/// How long a daemon may take until it knows that it can be reached: go-libp2p asks by version 1 after 15 s at the latest, and
/// again after 90 s if it learned nothing.
const SERVES_WITHIN: Duration = Duration::from_secs(240);

/// Whether a peer says that it is a server, and is one.
fn is_server(world: &World, address: &str) -> bool {
    let mut ping = world.command(kadscope().get_program());
    ping.args(["ping", "--addresses", "public", "--json", "--bootstrap", &world.bootstrap().join(",")]);
    let output = ping.arg(address).output().expect("kadscope starts");
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    said["peers"][0]["server"] == true
}

#[test]
fn an_untouched_daemon_learns_in_our_world_that_it_can_be_reached_and_serves() {
    let world = World::of(WORLD);
    let home = tempfile::tempdir().expect("a directory");
    let mut run = world.command(peer_program("kubo/untouched.sh"));
    run.arg(home.path().join("daemon")).arg("18.1.0.1").args(world.bootstrap());
    let network = Network::start(&mut run);
    let [address] = &network.bootstrap()[..] else { panic!("one address: {network:?}") };
    let start = tokio::time::Instant::now();
    while !is_server(&world, address) {
        assert!(start.elapsed() < SERVES_WITHIN, "it stayed a client");
    }
}
