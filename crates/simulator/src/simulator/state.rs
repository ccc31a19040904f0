//! A simulation in a file: books, notices and what became of them, keys, clock, rules of trouble. It is a secret.
//!
//! Invariants: the file is whole at any moment, since a new one is written beside it, brought to the disk, and renamed
//! over it; what is damaged is refused, never repaired. Numbers that come from the seed do not come again after a start.
//! Deliberately absent: a change is in the file a moment after it happened ([`super::keeper`]), not before it is answered.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wechatpay::UnixSeconds;

use super::Shared;
use crate::books::Books;
use crate::clock::{BusinessClock, Pace};
use crate::keys::{KeptAuthority, KeptRing, Ring};
use crate::trouble::Troubles;

/// What this version writes and reads.
const VERSION: u32 = 1;

/// All of a simulation.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    version: u32,
    /// How often it was started.
    pub(super) starts: u64,
    business: UnixSeconds,
    wall: UnixSeconds,
    pace: Pace,
    pub(super) authority: KeptAuthority,
    pub(super) rings: BTreeMap<String, KeptRing>,
    /// What trouble did to some of them.
    #[serde(default)]
    pub(super) troubled: BTreeMap<String, KeptRing>,
    pub(super) books: Books,
    pub(super) troubles: Troubles,
}

/// Only of the version, so that another one is told from damage.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

/// Why a file holds no simulation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The system says no.
    #[error("the state file {path:?} cannot be read or written; give another with --state")]
    File {
        /// Which.
        path: PathBuf,
        /// What it says.
        source: io::Error,
    },
    /// Two would write over each other.
    #[error(
        "another simulation keeps its state in {path:?}; end that one, or give another file with --state"
    )]
    InUse {
        /// Which.
        path: PathBuf,
    },
    /// It is not what was written.
    #[error(
        "the state file {path:?} is damaged ({reason}); bring back a copy, or remove it to begin with empty books \
         and new keys"
    )]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Another version wrote it.
    #[error(
        "the state file {path:?} was written as version {found}, and this one reads version {VERSION}; use the \
         payonce that wrote it, or remove it to begin with empty books and new keys"
    )]
    Version {
        /// Which.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
}

impl State {
    /// All of it, at one moment.
    fn of(shared: &Shared) -> Self {
        let kept = |rings: Vec<(String, Arc<Ring>)>| -> BTreeMap<_, _> {
            rings.into_iter().map(|(mchid, ring)| (mchid, KeptRing::of(&ring))).collect()
        };
        let (rings, troubled) = (kept(shared.rings.calm_rings()), kept(shared.rings.troubled_rings()));
        // A copy, since to write it out takes many times as long, and calls wait for the books meanwhile.
        let (books, troubles, business, wall) = shared.read(|books, business| {
            let troubles = shared.with_troubles(|troubles| troubles.clone());
            (books.clone(), troubles, business, (shared.wall)())
        });
        Self {
            version: VERSION,
            starts: shared.starts,
            business,
            wall,
            pace: shared.clock.pace(),
            authority: KeptAuthority::of(&shared.authority),
            rings,
            troubled,
            books,
            troubles,
        }
    }

    /// The clock goes on: with the time that went by meanwhile, or where it stood if it is stepped by hand.
    pub(super) fn clock(&self, wall: UnixSeconds) -> BusinessClock {
        let meanwhile = match self.pace {
            Pace::Times(_) => (wall.0 - self.wall.0).max(0),
            Pace::ByHand => 0,
        };
        BusinessClock::new(UnixSeconds(self.business.0 + meanwhile), self.pace)
    }
}

/// Reads a file; none where there is none yet.
pub(super) fn read(path: &Path) -> Result<Option<State>, StateError> {
    let json = match fs::read(path) {
        Ok(json) => json,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(StateError::File { path: path.to_owned(), source }),
    };
    let damaged = |error: serde_json::Error| damaged(path, &error.to_string());
    let Versioned { version } = serde_json::from_slice(&json).map_err(damaged)?;
    if version != VERSION {
        return Err(StateError::Version { path: path.to_owned(), found: version });
    }
    serde_json::from_slice(&json).map(Some).map_err(damaged)
}

pub(super) fn damaged(path: &Path, reason: &str) -> StateError {
    StateError::Damaged { path: path.to_owned(), reason: reason.to_owned() }
}

/// Keys that were written out, ready for use.
pub(super) fn rings(
    kept: BTreeMap<String, KeptRing>,
    path: &Path,
) -> Result<BTreeMap<String, Arc<Ring>>, StateError> {
    let rings = kept.into_iter().map(|(mchid, ring)| match ring.restore() {
        Ok(ring) => Ok((mchid, Arc::new(ring))),
        Err(error) => Err(damaged(path, &error.to_string())),
    });
    rings.collect()
}

/// Writes what there is now.
pub(super) fn write(shared: &Shared, path: &Path) -> Result<(), StateError> {
    let state = serde_json::to_vec(&State::of(shared));
    let state = state.expect("BUG: the keys of all maps are texts and numbers");
    replace(path, &state).map_err(|source| StateError::File { path: path.to_owned(), source })
}

/// Keeps others away from a file as long as what is returned is there. The file of this lock stays: whoever removed it would
/// take away another's.
pub(super) fn lock(path: &Path) -> Result<File, StateError> {
    let failed = |source| StateError::File { path: path.to_owned(), source };
    let lock = owners_only().create(true).open(beside(path, ".lock")).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StateError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Puts a new file in place of the old one, which only its owner may read.
pub(super) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let fresh = beside(path, ".new");
    let mut file = owners_only().create(true).truncate(true).open(&fresh)?;
    file.write_all(content)?;
    // Order matters: a name must not point to what is not on the disk yet.
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(ending);
    PathBuf::from(beside)
}

fn owners_only() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
