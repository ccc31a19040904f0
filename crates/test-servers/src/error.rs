//! What can go wrong with a throw-away server, split by what there is to do: install it, or read its log.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use thiserror::Error;

/// A server that did not start, or did not do what it was told.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServerError {
    /// A program is not installed. [`require`](crate::require) lets tests end early on this one.
    #[error(
        "{server} is not installed: there is no `{program}` on this machine; `cargo xtask test --install` installs it"
    )]
    Absent {
        /// The server's name.
        server: &'static str,
        /// The program that was looked for.
        program: &'static str,
    },
    /// The tests run as root, the server refuses root, and the account that its package makes is not there.
    #[error(
        "{server} refuses to run as root and there is no account `{account}`; install its package or run as a user"
    )]
    NoAccount {
        /// The server's name.
        server: &'static str,
        /// The account's name.
        account: &'static str,
    },
    /// A file or folder of the server could not be made or read.
    #[error("could not {doing} {}", path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// No loopback port between 10240 and 32767 could be bound.
    #[error("no free port on 127.0.0.1 between 10240 and 32767; end what holds them")]
    NoFreePort,
    /// A program that prepares or asks the server failed.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The server ended while it was starting.
    #[error("{server} ended while it was starting ({status}); the end of its log:\n{log}")]
    Ended {
        /// The server's name.
        server: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// The last lines it wrote.
        log: String,
    },
    /// The server did not reach the state that was waited for; it has been killed.
    #[error("{server} was not {state} after {seconds} s; the end of its log:\n{log}")]
    Late {
        /// The server's name.
        server: &'static str,
        /// The state that was waited for.
        state: &'static str,
        /// How long it was waited for.
        seconds: u64,
        /// The last lines it wrote.
        log: String,
    },
}

/// A program that was run to its end, and failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CommandError {
    /// It could not be started, or its output could not be read.
    #[error("`{command}` could not be run")]
    NotRun {
        /// The command line.
        command: String,
        /// Why not.
        source: io::Error,
    },
    /// It said that it failed.
    #[error("`{command}` ended with {status}: {stderr}")]
    Failed {
        /// The command line.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// What it wrote to standard error.
        stderr: String,
    },
}

impl ServerError {
    pub(crate) fn file(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { doing, path, source }
    }
}
