//! Nodes: processes of the real binary on one database, that may be killed and started again at any time.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use payonce_simulator::{Courier, Delivery, Target};
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};

use crate::server::{Server, payonce};
use crate::shop::Shop;

/// Environment variables of one node, beside what all have in their configuration.
pub(super) type Variables = Vec<(&'static str, String)>;

/// Callbacks that are on their way at one time.
const CONNECTIONS: NonZeroUsize = NonZeroUsize::new(16).unwrap();

/// The nodes of a shop.
pub(super) struct Fleet {
    notify_path: String,
    nodes: Vec<Node>,
    restarts: Mutex<Vec<JoinHandle<()>>>,
}

struct Node {
    folder: PathBuf,
    variables: Variables,
    /// The one that runs, or ran last.
    server: Mutex<Arc<Server>>,
}

impl Node {
    fn launch(folder: &Path, variables: &Variables) -> Server {
        Server::launch(payonce(folder).arg("serve").envs(variables.iter().cloned()))
    }

    fn server(&self) -> MutexGuard<'_, Arc<Server>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fleet {
    /// Starts a node for each of these, all at the same time.
    pub(super) async fn start(shop: &Shop, nodes: Vec<Variables>) -> Arc<Self> {
        let mut starting = JoinSet::new();
        for variables in nodes {
            let folder = shop.folder().to_owned();
            starting.spawn_blocking(move || {
                let server = Mutex::new(Arc::new(Node::launch(&folder, &variables)));
                Node { folder, variables, server }
            });
        }
        let nodes = starting.join_all().await;
        Arc::new(Self { notify_path: shop.notify_path(), nodes, restarts: Mutex::default() })
    }

    /// Where a node listens, or did before it was killed.
    pub(super) fn addr(&self, node: usize) -> SocketAddr {
        self.nodes[node % self.nodes.len()].server().addr()
    }

    /// The node with this process id, if it still runs.
    pub(super) fn node_of(&self, process: u32) -> Option<usize> {
        let runs = |node: &Node| {
            let server = node.server();
            server.id() == process && server.is_alive()
        };
        self.nodes.iter().position(runs)
    }

    /// The processes that run, or ran last.
    pub(super) fn processes(&self) -> BTreeSet<u32> {
        self.nodes.iter().map(|node| node.server().id()).collect()
    }

    /// SIGKILL, and a new process at once. A node that is down already stays so until it is up; returns whether it
    /// was killed.
    pub(super) fn restart(self: &Arc<Self>, node: usize) -> bool {
        {
            let server = self.nodes[node].server();
            if !server.is_alive() {
                return false;
            }
            server.kill();
            server.wait();
        }
        let fleet = Arc::clone(self);
        let restart = spawn_blocking(move || {
            let node = &fleet.nodes[node];
            let server = Arc::new(Node::launch(&node.folder, &node.variables));
            *node.server() = server;
        });
        self.restarts.lock().unwrap_or_else(PoisonError::into_inner).push(restart);
        true
    }

    /// Waits until all are up that were killed.
    pub(super) async fn settle(&self) {
        let restarts = std::mem::take(&mut *self.restarts.lock().unwrap_or_else(PoisonError::into_inner));
        for restart in restarts {
            restart.await.unwrap();
        }
    }

    /// WeChat, and a load balancer that sends the copies of a volley to one node each, and what was not acknowledged to
    /// the next one. `place` tells a delivery's place in its volley.
    pub(super) fn courier(
        self: &Arc<Self>,
        place: impl Fn(&Delivery) -> usize + Send + Sync + 'static,
    ) -> Courier {
        let fleet = Arc::clone(self);
        let route = move |delivery: &Delivery, attempt: u32| {
            let node = delivery.notification + place(delivery) + attempt as usize;
            Target::new(fleet.addr(node), &fleet.notify_path).unwrap()
        };
        Courier::routed(Arc::new(route), CONNECTIONS)
    }

    /// Stops all nodes as an operator does.
    pub(super) async fn stop(&self) {
        self.settle().await;
        for node in &self.nodes {
            let server = Arc::clone(&node.server());
            server.terminate();
            let status = spawn_blocking(move || server.wait()).await.unwrap();
            assert_eq!(status.code(), Some(0));
        }
    }
}
