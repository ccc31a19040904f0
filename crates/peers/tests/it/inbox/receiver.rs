//! A receiver as a process, and requests that a test makes to it.

use std::{
    io::{BufRead as _, BufReader, Read},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
};

use super::program::Program;

/// How it tells its address: our programs' own words, and those of PHP's server.
const LISTENING: [&str; 2] = ["listening on ", "(http://"];

pub(super) struct Receiver {
    child: Child,
    addr: String,
}

impl Receiver {
    /// Starts it and waits until it listens.
    pub(super) fn start(program: Program, shop: &super::shop::Shop, secrets: &str) -> Self {
        Self::run(program.command(shop.folder()), shop.database(), secrets)
    }

    /// Starts it with what it may refuse; where it does, it ends, and this is how.
    pub(super) fn start_or_end(
        program: Program,
        shop: &super::shop::Shop,
        secrets: &str,
    ) -> Result<Self, ExitStatus> {
        Self::try_run(program.command(shop.folder()), shop.database(), secrets)
    }

    /// Starts one that ends before its first answer.
    pub(super) fn start_dying(program: Program, shop: &super::shop::Shop, secrets: &str) -> Self {
        Self::run(program.dying(), shop.database(), secrets)
    }

    fn run(command: Command, database: &Path, secrets: &str) -> Self {
        Self::try_run(command, database, secrets).unwrap_or_else(|ended| {
            panic!("the receiver ended before it listened ({ended}); it says why above")
        })
    }

    fn try_run(mut command: Command, database: &Path, secrets: &str) -> Result<Self, ExitStatus> {
        command.env("INBOX_SECRETS", secrets).env("INBOX_DATABASE", database).env("INBOX_PORT", "0");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (told, addr) = mpsc::channel();
        read(child.stdout.take().unwrap(), told.clone());
        read(child.stderr.take().unwrap(), told);
        match addr.recv() {
            Ok(addr) => Ok(Self { child, addr }),
            Err(mpsc::RecvError) => Err(child.wait().unwrap()),
        }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/payonce", self.addr)
    }

    /// What it answers to this body and these headers.
    pub(super) async fn post(&self, headers: &[(&str, &str)], body: &[u8]) -> u16 {
        let mut request = reqwest::Client::new().post(self.url()).body(body.to_vec());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap().status().as_u16()
    }

    /// Waits for its end.
    pub(super) fn wait(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Passes on what it writes, and tells the address that is among it. A pipe that nobody reads would stop it once it is full.
fn read(output: impl Read + Send + 'static, told: mpsc::Sender<String>) {
    let mut told = Some(told);
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let addr = LISTENING.iter().find_map(|words| line.split_once(words));
            let addr = addr.map(|(_, rest)| rest.split([')', ' ']).next().unwrap_or_default().to_owned());
            match (addr, told.take()) {
                (Some(addr), Some(told)) => drop(told.send(addr)),
                (_, still) => {
                    told = still;
                    eprintln!("{line}");
                }
            }
        }
    });
}
