//! RabbitMQ: one node, with a port mapper of its own beside it, so that nothing is left behind and nothing is shared.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use crate::process::{find, free_port};
use crate::{Engine, Server, ServerError, environment};

/// A RabbitMQ server. Account `guest` with the password `guest` may do everything.
pub type RabbitMq = Server<RabbitMqEngine>;

/// Where the programs are, and which ports they take beside the server's own.
#[derive(Clone, Debug)]
pub struct RabbitMqEngine {
    program: PathBuf,
    epmd: PathBuf,
    epmd_port: u16,
    nodes_port: u16,
}

/// Where Debian keeps the script without a wrapper that wants to be root.
const HOME: &str = "/usr/lib/rabbitmq/bin";

/// Erlang would start its port mapper as a daemon that outlives everything; here it is a child that dies with the server.
/// The server takes the place of the shell, and with it the process id that signals go to.
const SCRIPT: &str = r#"setpriv --pdeathsig KILL "$1" -address 127.0.0.1 & exec "$2""#;

/// The URL of the RabbitMQ that all tests of this run share: names of exchanges and queues must differ from others'.
///
/// # Errors
/// When RabbitMQ is not installed, or does not start.
pub fn shared_url() -> Result<String, ServerError> {
    static OWN: Mutex<Option<RabbitMq>> = Mutex::new(None);
    if let Some(port) = environment::shared_port(environment::RABBITMQ) {
        return Ok(url(port));
    }
    let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    let server = match own.as_mut() {
        Some(server) => server,
        None => own.insert(RabbitMq::start()?),
    };
    Ok(server.url())
}

/// Whether its program is there.
pub fn is_installed() -> bool {
    RabbitMqEngine::find().is_ok()
}

impl RabbitMq {
    /// Starts a server of its own.
    ///
    /// # Errors
    /// When RabbitMQ is not installed, or does not start.
    pub fn start() -> Result<Self, ServerError> {
        Self::launch(RabbitMqEngine::find()?, |_, _| Ok(()))
    }

    /// Its URL: `amqp://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        url(self.port())
    }
}

impl RabbitMqEngine {
    fn find() -> Result<Self, ServerError> {
        let program = find(Self::NAME, "rabbitmq-server", Some(Path::new(HOME)))?;
        let epmd = find(Self::NAME, "epmd", None)?;
        Ok(Self { program, epmd, epmd_port: free_port()?, nodes_port: free_port()? })
    }
}

fn url(port: u16) -> String {
    format!("amqp://127.0.0.1:{port}")
}

impl Engine for RabbitMqEngine {
    const NAME: &'static str = "RabbitMQ";
    const ACCOUNT: Option<&'static str> = None;
    const READY: &'static str = "Server startup complete";
    const STOP: &'static str = "TERM";
    const END: &'static str = "TERM";

    fn command(&self, folder: &Path, port: u16) -> Command {
        let mut server = Command::new("sh");
        server.args(["-c", SCRIPT, "payonce-rabbitmq"]).arg(&self.epmd).arg(&self.program);
        server.env("HOME", folder).env("ERL_EPMD_PORT", self.epmd_port.to_string());
        server.env("RABBITMQ_NODENAME", "payonce@localhost");
        server.env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1").env("RABBITMQ_NODE_PORT", port.to_string());
        server.env("RABBITMQ_DIST_PORT", self.nodes_port.to_string());
        server.env("RABBITMQ_MNESIA_BASE", folder.join("mnesia"));
        server.env("RABBITMQ_LOG_BASE", folder.join("logs")).env("RABBITMQ_LOGS", "-");
        server.env("RABBITMQ_PID_FILE", folder.join("pid"));
        // What the machine's own RabbitMQ is configured with does not concern this one.
        server.env("RABBITMQ_CONF_ENV_FILE", folder.join("no-env.conf"));
        server.env("RABBITMQ_CONFIG_FILE", folder.join("no-rabbitmq.conf"));
        server.env("RABBITMQ_ENABLED_PLUGINS_FILE", folder.join("no-plugins"));
        // Without a process in between that would pass signals on.
        server.env("RABBITMQ_ALLOW_INPUT", "1").env("RABBITMQ_SERVER_START_ARGS", "-noinput");
        // With so few channels that who publishes a hundred messages at once has to wait for one.
        let erlang = "+S 2:2 -kernel inet_dist_use_interface {127,0,0,1} -rabbit channel_max 24";
        server.env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", erlang);
        server
    }
}
