//! What can go wrong with a peer: it is not there, it does not start, it does not answer, or it answers that it cannot.

use std::io;

use thiserror::Error;

/// A peer that cannot be asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The SDK, or the language that it runs in, is not installed, or not at the versions that are committed. [`require`](crate::require) lets tests end
    /// early on this one.
    #[error("the SDK {sdk} is not installed as it is pinned; `cargo xtask test --install` installs it")]
    Absent {
        /// Its package.
        sdk: &'static str,
    },
    /// Its process did not start.
    #[error(
        "the SDK {sdk} did not start ({source}); delete target/peers and run `cargo xtask test --install`"
    )]
    Process {
        /// Its package.
        sdk: &'static str,
        /// Why not.
        source: io::Error,
    },
}

/// A question without an answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AskError {
    /// The SDK, or the script around it, raised an error. Whether that is right is for the test to say.
    #[error("{sdk} refused: {text}")]
    Refused {
        /// Its package.
        sdk: &'static str,
        /// The error, in its language.
        text: String,
    },
    /// The process is gone, or writes what is no answer.
    #[error("{sdk} broke off ({source}); what it wrote to standard error says why")]
    Broken {
        /// Its package.
        sdk: &'static str,
        /// What was seen of it.
        source: io::Error,
    },
}
