//! NATS with JetStream.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use crate::process::find;
use crate::{Engine, Server, ServerError, environment};

/// A NATS server with JetStream.
pub type Nats = Server<NatsEngine>;

/// Where the program is, and how it is to run.
#[derive(Clone, Debug)]
pub struct NatsEngine {
    program: PathBuf,
    arguments: Vec<String>,
}

/// The URL of the NATS server that all tests of this run share: names of streams and subjects must differ from others'.
///
/// # Errors
/// When NATS is not installed, or does not start.
pub fn shared_url() -> Result<String, ServerError> {
    static OWN: Mutex<Option<Nats>> = Mutex::new(None);
    if let Some(port) = environment::shared_port(environment::NATS) {
        return Ok(url(port));
    }
    let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    let server = match own.as_mut() {
        Some(server) => server,
        None => own.insert(Nats::start(&[])?),
    };
    Ok(server.url())
}

/// Whether its program is there.
pub fn is_installed() -> bool {
    NatsEngine::find(&[]).is_ok()
}

impl Nats {
    /// Starts a server of its own, with further arguments such as `--user`.
    ///
    /// # Errors
    /// When NATS is not installed, or does not start.
    pub fn start(arguments: &[&str]) -> Result<Self, ServerError> {
        Self::launch(NatsEngine::find(arguments)?, |_, _| Ok(()))
    }

    /// Its URL: `nats://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        url(self.port())
    }
}

impl NatsEngine {
    fn find(arguments: &[&str]) -> Result<Self, ServerError> {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Ok(Self { program: find(Self::NAME, "nats-server", None)?, arguments })
    }
}

fn url(port: u16) -> String {
    format!("nats://127.0.0.1:{port}")
}

impl Engine for NatsEngine {
    const NAME: &'static str = "NATS";
    const ACCOUNT: Option<&'static str> = None;
    const READY: &'static str = "Server is ready";
    const STOP: &'static str = "TERM";
    const END: &'static str = "KILL";

    fn command(&self, folder: &Path, port: u16) -> Command {
        let mut server = Command::new(&self.program);
        server.args(["--addr", "127.0.0.1", "--port", &port.to_string(), "--jetstream", "--store_dir"]);
        server.arg(folder).args(&self.arguments);
        server
    }
}
