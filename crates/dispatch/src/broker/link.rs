//! The one connection to a broker.
//!
//! Invariants: one is being opened at a time; who waited for that meanwhile shares what came of it, so that a dead broker
//! is asked once and not by everybody in turn.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use payonce_core::delivery::Fault;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout_at},
};

use crate::failure::Failure;

use super::Broker;

pub(super) struct Link<B: Broker> {
    state: Mutex<State<B::Connection>>,
    /// How many connections did not come about.
    failed: AtomicU64,
}

struct State<C> {
    current: Option<Arc<C>>,
    /// Why the last one did not come about, and the how manieth that was.
    failed: Option<(u64, Failure)>,
}

impl<B: Broker> Default for Link<B> {
    fn default() -> Self {
        Self { state: Mutex::new(State { current: None, failed: None }), failed: AtomicU64::new(0) }
    }
}

impl<B: Broker> Link<B> {
    /// The connection, opened before `until` if there is none.
    pub(super) async fn connection(&self, broker: &B, until: Instant) -> Result<Arc<B::Connection>, Failure> {
        let late = || Failure::new(Fault::NotConnected, "the broker did not let us in in time");
        let failed_before = self.failed.load(Ordering::Acquire);
        let mut state = timeout_at(until, self.state.lock()).await.map_err(|_| late())?;
        if let Some(connection) = state.current.as_ref().filter(|current| B::is_alive(current)) {
            return Ok(Arc::clone(connection));
        }
        if let Some((_, failure)) = state.failed.as_ref().filter(|(number, _)| *number > failed_before) {
            return Err(failure.clone());
        }
        state.current = None;
        let opened = timeout_at(until, broker.connect(until)).await.unwrap_or_else(|_| Err(late()));
        match opened {
            Ok(connection) => {
                let connection = Arc::new(connection);
                state.current = Some(Arc::clone(&connection));
                Ok(connection)
            }
            Err(failure) => {
                let number = self.failed.fetch_add(1, Ordering::AcqRel) + 1;
                state.failed = Some((number, failure.clone()));
                Err(failure)
            }
        }
    }

    /// Forgets a connection; who uses it still may do so to the end.
    pub(super) async fn give_up(&self, connection: &Arc<B::Connection>) {
        let mut state = self.state.lock().await;
        if state.current.as_ref().is_some_and(|current| Arc::ptr_eq(current, connection)) {
            state.current = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering::SeqCst},
        time::Duration,
    };

    use async_trait::async_trait;
    use payonce_core::store::MessageView;
    use tokio::sync::Semaphore;

    use super::*;

    /// Lets in whoever gets a permit, and fails if it is closed.
    struct Door {
        asked: AtomicUsize,
        open: Semaphore,
    }

    #[async_trait]
    impl Broker for Door {
        type Connection = usize;

        async fn connect(&self, _: Instant) -> Result<usize, Failure> {
            let number = self.asked.fetch_add(1, SeqCst);
            let permit = self.open.acquire().await;
            permit.map(|permit| permit.forget()).map_err(|_| Failure::new(Fault::LoginFailed, "closed"))?;
            Ok(number)
        }

        fn is_alive(connection: &usize) -> bool {
            *connection != 0
        }

        async fn publish(&self, _: &usize, _: &MessageView) -> Result<(), Failure> {
            Ok(())
        }
    }

    fn door() -> (Arc<Door>, Arc<Link<Door>>) {
        (Arc::new(Door { asked: AtomicUsize::new(1), open: Semaphore::new(0) }), Arc::default())
    }

    fn until() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_share_one_connection_and_one_failure() {
        for is_open in [true, false] {
            let (door, link) = door();
            let ask = || {
                let (door, link) = (Arc::clone(&door), Arc::clone(&link));
                tokio::spawn(async move { link.connection(&door, until()).await.map(|number| *number) })
            };
            let asked = [ask(), ask(), ask()];
            while door.asked.load(SeqCst) == 1 {
                tokio::task::yield_now().await;
            }
            tokio::task::yield_now().await;
            if is_open {
                door.open.add_permits(1)
            } else {
                door.open.close()
            }
            for asked in asked {
                let found = asked.await.expect("no panic").map_err(|failure| failure.fault);
                assert_eq!(found, if is_open { Ok(1) } else { Err(Fault::LoginFailed) });
            }
            assert_eq!(door.asked.load(SeqCst), 2, "one attempt");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_door_that_stays_shut_is_left_in_time_and_tried_again_later() {
        let (door, link) = door();
        let failure = link.connection(&door, until()).await.expect_err("shut");
        assert_eq!(failure.fault, Fault::NotConnected);
        door.open.add_permits(1);
        assert_eq!(*link.connection(&door, until()).await.expect("open"), 2);
    }

    #[tokio::test]
    async fn a_connection_that_is_given_up_or_dead_is_replaced() {
        let (door, link) = door();
        door.open.add_permits(9);
        let first = link.connection(&door, until()).await.expect("open");
        assert!(Arc::ptr_eq(&first, &link.connection(&door, until()).await.expect("open")));
        link.give_up(&first).await;
        let second = link.connection(&door, until()).await.expect("open");
        assert_eq!((*first, *second), (1, 2));
        link.give_up(&first).await;
        assert_eq!(
            *link.connection(&door, until()).await.expect("open"),
            2,
            "only what was meant is given up"
        );
        door.asked.store(0, SeqCst);
        link.give_up(&second).await;
        assert_eq!(*link.connection(&door, until()).await.expect("open"), 0);
        assert_eq!(*link.connection(&door, until()).await.expect("open"), 1, "what is dead is not used");
    }
}
