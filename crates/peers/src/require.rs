//! What a test does with an SDK that is not there: it says so and ends, or fails where CI promises it.

use payonce_test_servers::ci_promises_servers;

use crate::{Peer, StartError};

/// The peer; `None`, with a word on standard error, where its SDK is not installed. The test then returns.
///
/// # Panics
/// When the SDK is installed and did not start, and, with `CI=true`, also when it is not installed.
pub fn require(peer: Result<Peer, StartError>) -> Option<Peer> {
    match peer {
        Ok(peer) => Some(peer),
        Err(absent @ StartError::Absent { .. }) if !ci_promises_servers() => {
            eprintln!("did not run: {absent}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}
