//! The keeper: removes a server's folder when its owner lets go of it, after ending the server where the owner could not.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::ServerError;

/// Reads process ids, an empty line meaning that no server runs, until the pipe closes; what then still runs has lost
/// its owner. It gets ten seconds to end by the gentler signal (PostgreSQL needs up to five for stubborn children). A
/// process that has ended counts as gone, even if whoever inherited it has not waited for it yet; it has when its last
/// thread has, which may be later than its first, and holds its port until then.
const SCRIPT: &str = r#"
while read -r line; do server=$line; done
if [ -n "$server" ]; then
    kill -CONT "$server"; kill "-$2" "$server"
    tries=0
    while grep -qs '^State:[[:space:]]*[^XZ[:space:]]' /proc/"$server"/task/*/status && [ $tries -lt 200 ]; do
        sleep 0.05; tries=$((tries + 1))
    done
    kill -KILL "$server"
fi
rm -rf "$1"
"#;

/// Owns a folder. Dropping it removes the folder and returns when that is done.
#[derive(Debug)]
pub(crate) struct Keeper {
    folder: PathBuf,
    shell: Child,
    pipe: Mutex<Option<ChildStdin>>,
}

impl Keeper {
    /// `signal` is what ends the server should its owner die.
    pub(crate) fn of(folder: PathBuf, signal: &str) -> Result<Self, ServerError> {
        let mut shell = Command::new("sh");
        shell.args(["-c", SCRIPT, "payonce-keeper"]).arg(&folder).arg(signal).current_dir("/");
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // Of a group of its own, so that an interrupt from the terminal does not end it before its work begins.
        let mut shell = shell.process_group(0).spawn().map_err(ServerError::file("run", "sh"))?;
        let pipe = Mutex::new(shell.stdin.take());
        Ok(Self { folder, shell, pipe })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Says which process is the server now; `None`: it is not running.
    pub(crate) fn watch(&self, server: Option<u32>) {
        let line = server.map(|id| id.to_string()).unwrap_or_default();
        if let Some(pipe) = self.pipe.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            // A keeper that is gone cannot be told; `Drop` of the server still ends it.
            let _ = writeln!(pipe, "{line}");
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.pipe.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        let _ = self.shell.wait();
    }
}
