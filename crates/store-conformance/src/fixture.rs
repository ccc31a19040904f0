//! What a store's crate gives to the suite: a way to open empty stores, and the same data again.

use async_trait::async_trait;
use payonce_core::Store;

/// Opens stores for one test. The suite opens as many as it needs, one after the other.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// A store on fresh, empty data.
    async fn open(&self) -> Box<dyn Store>;

    /// The data of the last [`open`](Self::open), after every handle to it was dropped. `None` if the data
    /// ends with the handle.
    async fn reopen(&self) -> Option<Box<dyn Store>>;

    /// One more handle to the data of the last [`open`](Self::open), as another node has it. `None` if there
    /// can be only one.
    async fn second_handle(&self) -> Option<Box<dyn Store>>;

    /// Makes the merchant's tables, [`shop_tables`](crate::shop_tables), in the data of the last [`open`](Self::open).
    async fn make_shop(&self);

    /// How many random sets of facts each property is held to. Fewer where a commit is slow.
    fn property_cases(&self) -> u32 {
        // A second or two on a store that commits in a millisecond.
        12
    }
}

/// Drives a test of the suite on a runtime with several threads, so that concurrent tasks truly meet.
pub fn run(test: impl Future<Output = ()>) {
    // More threads than the two that would do, so that a store that blocks one leaves others.
    const THREADS: usize = 4;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build();
    runtime.expect("a runtime starts").block_on(test);
}
