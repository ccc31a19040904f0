//! The real binary as a process: started, listened to, killed.
//!
//! Invariants: it hears nothing of this process's environment; it is waited for by its log, its answers and its end,
//! never by time; it does not outlive its [`Server`].

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use crate::shop::Shop;

/// What a process has not said by then it never says.
const NEVER: Duration = Duration::from_secs(60);

/// `payonce`, in a folder of its own (where a core dump would go as well).
pub(crate) fn payonce(folder: &Path) -> Command {
    command(env!("CARGO_BIN_EXE_payonce"), folder)
}

/// A program that starts `payonce` in the end.
pub(crate) fn command(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().current_dir(folder).stdin(Stdio::null());
    command
}

/// What a command that ends by itself had to say.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Said {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { code: status.code(), out: text(stdout), err: text(stderr) }
}

/// A process of `payonce` that serves.
pub(crate) struct Server {
    child: Mutex<Child>,
    addr: SocketAddr,
    log: Arc<Log>,
}

/// What a process had to say since it listens.
#[derive(Default)]
struct Log {
    lines: Mutex<Vec<String>>,
    more: Condvar,
}

impl Log {
    fn add(&self, line: String) {
        self.lines.lock().unwrap().push(line);
        self.more.notify_all();
    }
}

impl Server {
    /// Starts the shop's server and waits until it listens.
    pub(crate) fn start(shop: &Shop) -> Self {
        Self::launch(payonce(shop.folder()).arg("serve"))
    }

    /// Starts it by this command. The configuration is the folder's `payonce.toml`.
    pub(crate) fn launch(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        // Printed, so that a test that fails shows what the server had to say.
        let mut lines = BufReader::new(child.stderr.take().unwrap())
            .lines()
            .map_while(Result::ok)
            .inspect(|line| println!("payonce: {line}"));
        let line =
            lines.find(|line| line.contains("payonce listens")).expect("payonce ended before it listened");
        let server = Self::adopt(child, line.split_once("addr=").unwrap().1.parse().unwrap());
        let log = Arc::clone(&server.log);
        // A pipe that nobody reads would stop the server once it is full.
        std::thread::spawn(move || lines.for_each(|line| log.add(line)));
        server
    }

    /// A process that listens already.
    pub(crate) fn adopt(child: Child, addr: SocketAddr) -> Self {
        Self { child: Mutex::new(child), addr, log: Arc::default() }
    }

    /// Waits until it has said this so often since it listens.
    pub(crate) fn says(&self, text: &str, times: usize) {
        let said = |lines: &Vec<String>| lines.iter().filter(|line| line.contains(text)).count();
        let lines = self.log.lines.lock().unwrap();
        let waiting = self.log.more.wait_timeout_while(lines, NEVER, |lines| said(lines) < times);
        let (lines, _) = waiting.unwrap();
        assert_eq!(said(&lines), times, "{text}: {lines:#?}");
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.lock().unwrap().id()
    }

    /// SIGKILL: the process gets no chance to do anything more.
    pub(crate) fn kill(&self) {
        self.child.lock().unwrap().kill().unwrap();
    }

    /// SIGTERM.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends a signal, by its name without `SIG`.
    pub(crate) fn signal(&self, name: &str) {
        signal(self.id(), name);
    }

    /// Whether it has not ended yet.
    pub(crate) fn is_alive(&self) -> bool {
        self.child.lock().unwrap().try_wait().unwrap().is_none()
    }

    /// Waits for its end.
    pub(crate) fn wait(&self) -> ExitStatus {
        self.child.lock().unwrap().wait().unwrap()
    }
}

/// The standard library sends SIGKILL only; every shell has `kill`.
pub(crate) fn signal(process: u32, name: &str) {
    let pid = process.to_string();
    let sent = Command::new("sh").args(["-c", r#"kill -s "$0" "$1""#, name, &pid]).status().unwrap();
    assert!(sent.success(), "SIG{name} was not sent");
}

impl Drop for Server {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Both fail only if it has ended already.
        let _ = child.kill();
        let _ = child.wait();
    }
}
