//! Which peer does an operation, and with which connections.

use std::{sync::Arc, time::Duration};

use dht::Node;
use kad::fabric::{Fabric, Member};
use schema::ConnectionPolicy;
use tokio::{
    sync::{OwnedMutexGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock},
    time::timeout,
};

use super::PerfServer;

/// How long somebody waits who needs the connections for itself: as long as what is under way may take.
const TURN_TIME: Duration = super::MAX_DEADLINE;

/// How long a peer that is made for one operation may take to fill its table. What it knows by then is what it begins with.
const FILL_TIME: Duration = Duration::from_secs(60);

/// A peer that does one operation, and what keeps others from its connections meanwhile.
pub(super) struct Place<M: Member> {
    pub(super) node: Arc<Node<M>>,
    turn: Turn,
}

/// What is held until the operation is over.
#[derive(Debug)]
enum Turn {
    /// Beside others.
    Beside { _connections: OwnedRwLockReadGuard<()> },
    /// Alone: neither other operations nor the peer's own upkeep use connections.
    Alone { _connections: OwnedRwLockWriteGuard<()>, _upkeep: OwnedMutexGuard<()> },
    /// On a peer of its own.
    Apart,
}

impl<M: Member> Place<M> {
    /// The place for an operation, once it may begin. An error says why there is none.
    pub(super) async fn found<F: Fabric<Member = M>>(
        server: &PerfServer<F>,
        policy: ConnectionPolicy,
    ) -> Result<Self, String> {
        let shared = &*server.0;
        let node = Arc::clone(&shared.node);
        match policy {
            ConnectionPolicy::Warm => {
                let connections = Arc::clone(&shared.connections).read_owned().await;
                Ok(Self { node, turn: Turn::Beside { _connections: connections } })
            }
            ConnectionPolicy::Cold => {
                let alone = alone(&node, Arc::clone(&shared.connections));
                let turn = timeout(TURN_TIME, alone).await;
                let turn = turn.map_err(|_| "other operations did not end in time".to_owned())?;
                Ok(Self { node, turn })
            }
            ConnectionPolicy::Fresh => {
                let config = shared.config.fresh(shared.next_fresh()).ok_or("no key could be made")?;
                let node = Node::join(&shared.fabric, config).await.map_err(|error| error.to_string())?;
                // What it does not know by then it hears in the operation.
                timeout(FILL_TIME, node.refreshed(1)).await.ok();
                Ok(Self { node: Arc::new(node), turn: Turn::Apart })
            }
        }
    }

    /// The operation and all that went on after it are over.
    pub(super) async fn leave(self) {
        if matches!(self.turn, Turn::Apart) {
            self.node.retire().await;
        }
    }
}

/// Waits until nobody uses connections, and closes them.
async fn alone<M: Member>(node: &Node<M>, connections: Arc<RwLock<()>>) -> Turn {
    let connections = connections.write_owned().await;
    let upkeep = node.undisturbed().await;
    node.finder().pool().hang_up_on_all().await;
    Turn::Alone { _connections: connections, _upkeep: upkeep }
}
