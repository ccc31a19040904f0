//! A server as a process: started, asked for its address, measured from outside, killed in the end.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, bail};

/// A tick of `/proc/<pid>/stat`: Linux reports 100 a second on every common architecture.
const TICK: Duration = Duration::from_millis(10);

/// A running server. Killed when dropped: what it acknowledged is durable.
pub(crate) struct Server {
    child: Child,
    addr: SocketAddr,
}

impl Server {
    /// Starts `program arguments… config` and waits until it logs (as JSON) the address on which it listens.
    pub(crate) fn start(program: &Path, arguments: &[&str], config: &Path) -> anyhow::Result<Self> {
        let mut child = Command::new(program)
            .args(arguments)
            .arg(config)
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let log = child.stderr.take().context("the server's log")?;
        let mut lines = BufReader::new(log).lines();
        let mut said = String::new();
        let addr = loop {
            let Some(line) = lines.next().transpose()? else {
                bail!("{} ended before it listened: {said}", program.display());
            };
            said.push_str(&line);
            let line: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            if let Some(addr) = line["fields"]["addr"].as_str() {
                break addr.parse()?;
            }
        };
        // A pipe that nobody reads would stop the server once it is full.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { child, addr })
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Processor time, user and system, so far.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        cpu(&self.child.id().to_string())
    }

    /// The most memory that was resident at one time.
    pub(crate) fn rss_peak_bytes(&self) -> anyhow::Result<u64> {
        rss_peak_bytes(&self.child.id().to_string())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processor time, user and system, of a process (or of `self`) so far.
pub(crate) fn cpu(process: &str) -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The second field, the name in brackets, may hold anything; utime and stime are the 14th and 15th.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |place: usize| -> anyhow::Result<u32> {
        fields.get(place).context("a field of /proc/<pid>/stat")?.parse().context("a number of ticks")
    };
    Ok(TICK * (ticks(11)? + ticks(12)?))
}

/// The most memory that a process (or `self`) had resident at one time.
pub(crate) fn rss_peak_bytes(process: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024)
}
