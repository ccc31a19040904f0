//! SDKs of WeChat Pay that others wrote in other languages, each a process that tests put questions to: what it signs
//! and seals is held against ours, and ours against it.
//!
//! An [`Installation`] is a [`Package`] in the target folder, put there by `cargo xtask test --install`; a [`Peer`] is an
//! SDK's process. A peer reads one JSON object a line and answers with one; the scripts `python/peer.py` and `node/peer.js`
//! say which questions they know. Tests go through [`require`], which lets them end early where the SDK is not there.
//!
//! Beside the SDKs there is `standardwebhooks`, with which the receivers of `examples/inbox` verify messages.
//!
//! Invariants: an SDK is there at exactly the versions that are committed here, or it is not there; nothing is written
//! into the source tree; a peer ends with the end of its input, hence also when the test dies.
//!
//! Deliberately absent: anything that ships; keys, which tests make and hand over.

mod error;
mod installation;
mod peer;
mod require;

pub use error::{AskError, StartError};
pub use installation::{Installation, Language, Package, Sdk};
pub use peer::Peer;
pub use require::require;
