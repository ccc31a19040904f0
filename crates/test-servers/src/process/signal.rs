//! Signals to a server and to the processes that it started.
//!
//! They are sent by the shell's own `kill`: sending them from Rust would take `unsafe` or another dependency.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::until;

/// How long processes may take to vanish after SIGKILL. Only a kernel that waits for a disk makes them take any.
const GONE_WITHIN: Duration = Duration::from_secs(30);

/// Sends a signal (`KILL`, `STOP`, …). Processes that are gone do not matter.
pub(crate) fn signal(name: &str, processes: &[u32]) {
    let ids = processes.iter().map(u32::to_string);
    let mut kill = Command::new("sh");
    kill.args(["-c", "for id in \"$@\"; do kill \"-$0\" \"$id\"; done", name]).args(ids);
    let _ = kill.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
}

/// The process and all that descend from it, parents first.
pub(crate) fn tree(root: u32) -> Vec<u32> {
    let all: Vec<Process> = processes().collect();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(all.iter().filter(|process| process.parent == parent).map(|process| process.id));
        next += 1;
    }
    found
}

/// Kills the process and all that descend from it; returns when the descendants are gone. The process itself remains
/// for its parent to wait for.
pub(crate) fn kill_tree(root: u32) {
    // Order matters: what is stopped starts no further process while the list is made.
    signal("STOP", &[root]);
    let doomed = tree(root);
    signal("KILL", &doomed);
    let _ = until(GONE_WITHIN, || doomed[1..].iter().all(|id| !lives(*id)).then_some(()));
}

fn lives(id: u32) -> bool {
    Process::read(id).is_some_and(|process| !process.dead)
}

struct Process {
    id: u32,
    parent: u32,
    /// It has ended, and nobody has waited for it yet.
    dead: bool,
}

impl Process {
    /// `None`: there is no such process.
    fn read(id: u32) -> Option<Self> {
        Self::parse(id, &fs::read_to_string(format!("/proc/{id}/stat")).ok()?)
    }

    /// `id (name) state parent …`; the name may contain anything, parentheses too.
    fn parse(id: u32, stat: &str) -> Option<Self> {
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let dead = matches!(fields.next()?, "Z" | "X");
        Some(Self { id, parent: fields.next()?.parse().ok()?, dead })
    }
}

fn processes() -> impl Iterator<Item = Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| Process::read(entry.file_name().to_str()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_dies_with_its_root() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "exec 3<&0; cat <&3 & cat; wait"]).stdin(Stdio::piped());
        let mut shell = shell.spawn().unwrap();
        let grown = until(GONE_WITHIN, || Some(tree(shell.id())).filter(|tree| tree.len() == 3)).unwrap();
        kill_tree(shell.id());
        assert!(!shell.wait().unwrap().success());
        assert!(grown.iter().all(|id| !lives(*id)));
    }

    #[test]
    fn a_name_with_parentheses_does_not_confuse() {
        let process = Process::parse(7, "7 (a) Z 9) S 1 7 7 0").unwrap();
        assert_eq!((process.id, process.parent, process.dead), (7, 1, false));
        assert!(Process::parse(7, "7 (a) Z 1 7").unwrap().dead);
    }
}
