//! A server whose strategy is an indexer: it joins nobody's network, and publishes and looks up at the indexer instead.

use ::perf::{
    PerfServer,
    indexer::{IndexerClient, IndexerError},
};
use http::HttpClientConfig;
use net::SocketFabric;
use schema::Strategy;

use crate::{args::PerfServerArgs, clock, exit::Failed, network::Network, output, roots};

/// The network that the server is in: without anybody to begin with where it asks an indexer, so that no peer is dialled.
pub(super) fn network(args: &PerfServerArgs) -> anyhow::Result<Network> {
    let is_given = args.indexer.indexer.is_some();
    if args.how.strategy() != Strategy::Indexer {
        if is_given {
            return Err(Failed::usage("--indexer: it is asked with --routing indexer alone").into());
        }
        return args.reach.network();
    }
    let useless = [
        (args.how.server_mode, "--server-mode: nobody's network is joined, so that nobody would ask it"),
        (args.how.ignore_peers.is_some(), "--ignore-peers: no peers are asked"),
    ];
    if let Some((_, text)) = useless.iter().find(|(is_said, _)| *is_said) {
        return Err(Failed::usage(format!("{text} (--routing indexer)")).into());
    }
    let network = Network::of(args.reach.network.clone())?;
    Ok(Network { bootstrap: Vec::new(), ..network })
}

/// Serves advertisements of a server that has joined, if its strategy is an indexer, and has it publish there from now on.
pub(super) fn begin(args: &PerfServerArgs, server: &PerfServer<SocketFabric>) -> anyhow::Result<()> {
    if args.how.strategy() != Strategy::Indexer {
        return Ok(());
    }
    let Some(config) = args.indexer.config(server.contact().addrs, clock::seed()) else {
        return Err(Failed::usage("--indexer URL: say which indexer is published to").into());
    };
    let node = &server.config().node;
    let agent = node.profile.agent.clone();
    let http = HttpClientConfig { roots: roots::of_services()?, agent, ..HttpClientConfig::default() };
    let place = config.publisher;
    let client = IndexerClient::open(http, node.keypair.clone(), config).map_err(|error| {
        let advice = match &error {
            IndexerError::Unspecified { .. } => " (--publisher-announce /ip4/IP/tcp/PORT/http)",
            IndexerError::Http(_) => "",
        };
        Failed::usage(format!("--publisher {place}: {error}{advice}"))
    })?;
    output::note(&format!("advertisements are at http://{}", client.publisher()));
    server.set_indexer(client);
    Ok(())
}
