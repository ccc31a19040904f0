//! [`Server`]: one running server and what can happen to it. What differs between the kinds is an [`Engine`].
//!
//! Invariants: it keeps its port and its folder through every restart; where a method returns, what it says has
//! happened (the processes are gone, or the server answers).

use std::fmt;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::ServerError;
use crate::process::{self, Account, Keeper, until};

/// A start takes a second or two; ten builds on the same two cores make it many.
const START_WITHIN: Duration = Duration::from_secs(60);
const STOP_WITHIN: Duration = Duration::from_secs(60);
/// How often a port may be taken by somebody else between our look and the server's.
const PORTS_TRIED: usize = 5;
/// How much of a log an error shows, in bytes.
const LOG_SHOWN: usize = 4000;

/// A kind of server: which program it is, how it says that it is ready, how it is stopped.
pub trait Engine: fmt::Debug + Send + Sync + Sized + 'static {
    /// As people write it.
    const NAME: &'static str;
    /// The account that its Debian package makes, where the server refuses root.
    const ACCOUNT: Option<&'static str>;
    /// It logs this when it takes connections. Reading its own log leaves no doubt about whose answer it is.
    const READY: &'static str;
    /// The signal for an orderly stop.
    const STOP: &'static str;
    /// The signal that ends it when the process that started it has died.
    const END: &'static str;

    /// The command that runs it in the foreground, with everything it keeps below `folder`.
    fn command(&self, folder: &Path, port: u16) -> Command;

    /// Removes what a killed server leaves outside its folder.
    fn sweep(&self, _folder: &Path) {}
}

/// How a database server is configured.
#[derive(Clone, Debug)]
pub struct Options {
    /// `true`: the server's own defaults, a commit is on the disk. `false`: a commit survives that the server is
    /// killed, but not that the machine loses power. The second is several times faster, and right for most tests.
    pub durable: bool,
    /// How many connections it takes.
    pub max_connections: u32,
    /// Further settings, name and value; the last one wins.
    pub settings: Vec<(String, String)>,
}

impl Default for Options {
    /// Not durable, with connections for the pools of several nodes.
    fn default() -> Self {
        Self { durable: false, max_connections: 200, settings: Vec::new() }
    }
}

/// A server that was started here. Dropping it kills it and removes its folder.
#[derive(Debug)]
pub struct Server<E: Engine> {
    engine: E,
    account: Account,
    port: u16,
    /// `None`: it was killed or stopped.
    child: Mutex<Option<Child>>,
    keeper: Keeper,
}

impl<E: Engine> Server<E> {
    /// Makes a folder, lets `prepare` fill it, and starts the server on a free port.
    pub(crate) fn launch(
        engine: E,
        prepare: impl FnOnce(&Path, Account) -> Result<(), ServerError>,
    ) -> Result<Self, ServerError> {
        let account = Account::for_server(E::NAME, E::ACCOUNT)?;
        let folder = new_folder(E::NAME)?;
        let keeper = Keeper::of(folder, E::END)?;
        account.own(keeper.folder())?;
        prepare(keeper.folder(), account)?;
        let mut server = Self { engine, account, port: 0, child: Mutex::default(), keeper };
        for _ in 1..PORTS_TRIED {
            server.port = process::free_port()?;
            match server.start_again() {
                Err(ServerError::Ended { log, .. }) if log.contains("Address already in use") => {}
                Err(error) => return Err(error),
                Ok(()) => return Ok(server),
            }
        }
        server.port = process::free_port()?;
        server.start_again()?;
        Ok(server)
    }

    /// Its TCP port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its folder; gone when the server is dropped.
    pub fn folder(&self) -> &Path {
        self.keeper.folder()
    }

    /// Its process id; `None` while it is killed or stopped.
    pub fn process_id(&self) -> Option<u32> {
        self.child().as_ref().map(Child::id)
    }

    /// Kills it with all its children, as a crash would. The folder stays.
    pub fn kill(&self) {
        if let Some(mut child) = self.child().take() {
            process::kill_tree(child.id());
            // It has got SIGKILL, so this neither fails nor blocks.
            let _ = child.wait();
            self.keeper.watch(None);
        }
    }

    /// Asks it to stop, and waits until it has.
    ///
    /// # Errors
    /// When it does not stop within a minute; it is killed then.
    pub fn stop(&self) -> Result<(), ServerError> {
        let Some(id) = self.process_id() else { return Ok(()) };
        process::signal(E::STOP, &[id]);
        let ended = until(STOP_WITHIN, || {
            let mut child = self.child();
            child.as_mut().is_none_or(|child| child.try_wait().is_ok_and(|s| s.is_some())).then_some(())
        });
        let log = ended.is_none().then(|| self.log_since(0));
        // Also where it has ended: this forgets it, and ends what it may have left behind.
        self.kill();
        match log {
            None => Ok(()),
            Some(log) => Err(self.late("stopped", STOP_WITHIN, &log)),
        }
    }

    /// Starts it again after [`kill`](Self::kill) or [`stop`](Self::stop), on the same port and folder, and waits
    /// until it takes connections. While it runs this does nothing.
    ///
    /// # Errors
    /// When it ends early or takes more than a minute; the text shows the end of its log.
    pub fn start_again(&self) -> Result<(), ServerError> {
        if self.process_id().is_some() {
            return Ok(());
        }
        let path = self.log_path();
        let log = File::options().create(true).append(true).open(&path);
        let log = log.map_err(ServerError::file("open", &path))?;
        let earlier = log.metadata().map_err(ServerError::file("read", &path))?.len();
        let errors = log.try_clone().map_err(ServerError::file("open", &path))?;

        let mut command = self.engine.command(self.folder(), self.port);
        command.env("LC_ALL", "C").current_dir(self.folder());
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        // Of a group of its own, so that an interrupt from the terminal is for the tests alone.
        let command = self.account.run(&mut command).process_group(0);
        let child = command.spawn().map_err(ServerError::file("run", command.get_program()))?;
        self.keeper.watch(Some(child.id()));
        *self.child() = Some(child);
        self.until_ready(earlier)
    }

    /// Stops all its processes where they stand, as a machine does that hangs: connections stay open, nothing answers.
    pub fn pause(&self) {
        if let Some(id) = self.process_id() {
            // Order matters: what is stopped starts no further process while the list is made.
            process::signal("STOP", &[id]);
            process::signal("STOP", &process::tree(id));
        }
    }

    /// Lets it go on after [`pause`](Self::pause).
    pub fn resume(&self) {
        if let Some(id) = self.process_id() {
            process::signal("CONT", &process::tree(id));
        }
    }

    pub(crate) fn engine(&self) -> &E {
        &self.engine
    }

    /// It did not reach `state`; `log` is what it wrote meanwhile.
    pub(crate) fn late(&self, state: &'static str, limit: Duration, log: &str) -> ServerError {
        ServerError::Late { server: E::NAME, state, seconds: limit.as_secs(), log: end_of(log) }
    }

    /// What it wrote to its log after the first `earlier` bytes; empty where the log cannot be read.
    pub(crate) fn log_since(&self, earlier: u64) -> String {
        let read = || -> io::Result<Vec<u8>> {
            let mut log = File::open(self.log_path())?;
            log.seek(SeekFrom::Start(earlier))?;
            let mut text = Vec::new();
            log.read_to_end(&mut text)?;
            Ok(text)
        };
        String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
    }

    fn until_ready(&self, earlier: u64) -> Result<(), ServerError> {
        let answer = until(START_WITHIN, || {
            let status = self.child().as_mut().and_then(|child| child.try_wait().ok().flatten());
            if let Some(status) = status {
                let log = end_of(&self.log_since(earlier));
                return Some(Err(ServerError::Ended { server: E::NAME, status, log }));
            }
            let ready = self.log_since(earlier).contains(E::READY);
            (ready && TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok()).then_some(Ok(()))
        });
        let answer =
            answer.unwrap_or_else(|| Err(self.late("ready", START_WITHIN, &self.log_since(earlier))));
        if answer.is_err() {
            self.kill();
        }
        answer
    }

    fn log_path(&self) -> PathBuf {
        self.folder().join("log")
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E: Engine> Drop for Server<E> {
    fn drop(&mut self) {
        self.kill();
        self.engine.sweep(self.keeper.folder());
        // The keeper goes next, and the folder with it.
    }
}

/// A new folder below the system's one for temporary files, which every account may enter.
fn new_folder(server: &str) -> Result<PathBuf, ServerError> {
    static MADE: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("payonce-{}-{}-{number}", server.to_lowercase(), std::process::id());
        let folder = std::env::temp_dir().join(name);
        // An earlier process may have had the same id.
        match DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(ServerError::file("make", folder)(error)),
            Ok(()) => return fs::canonicalize(&folder).map_err(ServerError::file("read", folder)),
        }
    }
}

fn end_of(log: &str) -> String {
    let from = (log.len().saturating_sub(LOG_SHOWN)..).find(|at| log.is_char_boundary(*at));
    log[from.unwrap_or(log.len())..].trim_end().to_owned()
}
