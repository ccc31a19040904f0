//! Redis, without persistence: a server that starts again is empty.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use crate::process::find;
use crate::{Engine, Server, ServerError, environment};

/// A Redis server.
pub type Redis = Server<RedisEngine>;

/// Where the program is.
#[derive(Clone, Debug)]
pub struct RedisEngine {
    program: PathBuf,
}

/// The URL of the Redis that all tests of this run share. Others use it at the same time: no test may flush it, and
/// keys must differ from theirs, as those of payonce do, which carry the identity of its database.
///
/// # Errors
/// When Redis is not installed, or does not start.
pub fn shared_url() -> Result<String, ServerError> {
    static OWN: Mutex<Option<Redis>> = Mutex::new(None);
    if let Some(port) = environment::shared_port(environment::REDIS) {
        return Ok(url(port));
    }
    let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    let server = match own.as_mut() {
        Some(server) => server,
        None => own.insert(Redis::start()?),
    };
    Ok(server.url())
}

/// Whether its program is there.
pub fn is_installed() -> bool {
    RedisEngine::find().is_ok()
}

impl Redis {
    /// Starts a server of its own.
    ///
    /// # Errors
    /// When Redis is not installed, or does not start.
    pub fn start() -> Result<Self, ServerError> {
        Self::launch(RedisEngine::find()?, |_, _| Ok(()))
    }

    /// Its URL: `redis://127.0.0.1:PORT/`.
    pub fn url(&self) -> String {
        url(self.port())
    }

    /// Forgets everything.
    ///
    /// # Errors
    /// When it does not run.
    pub fn flush(&self) -> io::Result<()> {
        let answer = self.command_line("FLUSHALL")?;
        if answer == "+OK" { Ok(()) } else { Err(io::Error::other(answer)) }
    }

    /// Sends one command, words separated by spaces, and returns the first line of the answer as Redis writes it:
    /// `+OK`, `$-1`, `:1`, `-ERR …`.
    ///
    /// # Errors
    /// When it does not run.
    pub fn command_line(&self, command: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port()))?;
        stream.write_all(format!("{command}\r\n").as_bytes())?;
        let mut line = Vec::new();
        let mut byte = [0];
        while !line.ends_with(b"\r\n") {
            stream.read_exact(&mut byte)?;
            line.extend(byte);
        }
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }
}

impl RedisEngine {
    fn find() -> Result<Self, ServerError> {
        Ok(Self { program: find(Self::NAME, "redis-server", None)? })
    }
}

fn url(port: u16) -> String {
    format!("redis://127.0.0.1:{port}/")
}

impl Engine for RedisEngine {
    const NAME: &'static str = "Redis";
    const ACCOUNT: Option<&'static str> = None;
    const READY: &'static str = "Ready to accept connections";
    const STOP: &'static str = "TERM";
    const END: &'static str = "KILL";

    fn command(&self, folder: &Path, port: u16) -> Command {
        let mut server = Command::new(&self.program);
        server.args(["--bind", "127.0.0.1", "--port", &port.to_string()]);
        server.args(["--save", "", "--appendonly", "no", "--dir"]).arg(folder);
        server
    }
}
