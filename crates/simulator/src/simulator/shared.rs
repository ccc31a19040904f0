//! What the API and the sender share: books, keys, clocks, randomness.
//!
//! Invariants: books and their randomness are behind one lock, which nobody holds while signing or sending. Every change
//! is announced, and nothing that is none.

use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tokio::sync::watch;
use wechatpay::UnixSeconds;

use super::limits::{Limited, Limits};
use super::{Folder, StateError};
use crate::books::{Books, Refusal};
use crate::clock::{BusinessClock, Clock};
use crate::deliver::{NoCertificate, Trust};
use crate::keys::{Authority, Ring, Rings};
use crate::random::{Stream, stream};
use crate::trouble::Troubles;

pub(crate) struct Shared {
    desk: Mutex<(Books, StdRng)>,
    /// For what needs randomness outside of the books.
    answers: Mutex<StdRng>,
    keys: Mutex<StdRng>,
    pub(crate) rings: Rings,
    /// One at a time writes the files of the keys, so that the last one has all of them.
    pub(super) keeping: Mutex<()>,
    /// Steps of business time come one after another.
    pub(super) stepping: tokio::sync::Mutex<()>,
    pub(crate) authority: Authority,
    pub(crate) clock: BusinessClock,
    /// Order matters: whoever needs the books as well opens them first.
    troubles: Mutex<Troubles>,
    stopping: watch::Sender<bool>,
    /// How many of the changes are in the state file.
    pub(super) saved: watch::Sender<u64>,
    /// For how many of them somebody waits.
    pub(super) save_wanted: watch::Sender<u64>,
    /// Why the last ones are not.
    pub(super) unsaved: Mutex<Option<Arc<StateError>>>,
    /// How it was set up.
    setting: Setting,
    /// Made for the first `https` receiver: to read a machine's roots takes a while.
    trusted: OnceLock<Trust>,
    limits: Mutex<Limits>,
    changes: watch::Sender<u64>,
}

/// The books, open at one moment.
pub(crate) struct Desk<'a> {
    pub(crate) books: Open<'a>,
    pub(crate) rng: &'a mut StdRng,
    /// Business time.
    pub(crate) now: UnixSeconds,
}

/// Books that know whether somebody wrote in them, or only read.
pub(crate) struct Open<'a> {
    books: &'a mut Books,
    written: bool,
}

impl Deref for Open<'_> {
    type Target = Books;

    fn deref(&self) -> &Books {
        self.books
    }
}

impl DerefMut for Open<'_> {
    fn deref_mut(&mut self) -> &mut Books {
        self.written = true;
        self.books
    }
}

/// What a simulation consists of when it starts.
pub(super) struct Parts {
    pub(super) books: Books,
    /// Names the three streams of randomness.
    pub(super) stream_seed: u64,
    /// The stream of keys, of which something was drawn already.
    pub(super) keys: StdRng,
    pub(super) rings: Rings,
    pub(super) authority: Authority,
    pub(super) clock: BusinessClock,
    pub(super) troubles: Troubles,
}

/// What stays as it is while it runs.
pub(crate) struct Setting {
    pub(crate) wall: Clock,
    pub(crate) seed: u64,
    /// Whether a reset begins it anew.
    pub(super) reset_repeats: bool,
    /// Where the keys' files are.
    pub(crate) folder: Option<Folder>,
    /// The file in which all of it is kept.
    pub(crate) state: Option<PathBuf>,
    /// How often it was started with this state.
    pub(crate) starts: u64,
    pub(crate) detour: Option<SocketAddr>,
    pub(crate) answer_limit: Duration,
    /// Further roots, in PEM.
    pub(crate) trust: Vec<String>,
    /// Further names by which the page and the control API are reached.
    pub(crate) hosts: Vec<String>,
}

/// So that a setting reads as a part of the whole.
impl Deref for Shared {
    type Target = Setting;

    fn deref(&self) -> &Setting {
        &self.setting
    }
}

impl Shared {
    pub(super) fn of(parts: Parts, setting: Setting) -> Self {
        let Parts { books, stream_seed, keys, rings, authority, clock, troubles } = parts;
        Self {
            desk: Mutex::new((books, stream(stream_seed, Stream::Books))),
            answers: Mutex::new(stream(stream_seed, Stream::Answers)),
            keys: Mutex::new(keys),
            rings,
            keeping: Mutex::default(),
            stepping: tokio::sync::Mutex::default(),
            authority,
            clock,
            troubles: Mutex::new(troubles),
            limits: Mutex::default(),
            stopping: watch::Sender::new(false),
            saved: watch::Sender::new(0),
            save_wanted: watch::Sender::new(0),
            unsaved: Mutex::new(None),
            setting,
            trusted: OnceLock::new(),
            changes: watch::Sender::new(0),
        }
    }

    /// Opens the books for a moment, and announces what was written.
    pub(crate) fn at_desk<T>(&self, work: impl FnOnce(&mut Desk<'_>) -> T) -> T {
        let (done, written) = self.open(work);
        if written {
            self.announce();
        }
        done
    }

    /// The same where the books may refuse: what is refused changes nothing.
    pub(crate) fn try_at_desk<T, E>(&self, work: impl FnOnce(&mut Desk<'_>) -> Result<T, E>) -> Result<T, E> {
        let (done, written) = self.open(work);
        if written && done.is_ok() {
            self.announce();
        }
        done
    }

    /// The same without an announcement.
    pub(crate) fn at_desk_quietly<T>(&self, work: impl FnOnce(&mut Desk<'_>) -> T) -> T {
        self.open(work).0
    }

    /// Does the work, and says whether it wrote.
    fn open<T>(&self, work: impl FnOnce(&mut Desk<'_>) -> T) -> (T, bool) {
        let mut desk = self.desk();
        let (books, rng) = &mut *desk;
        // Order matters: the time is read under the lock, so that the books see it go forward only.
        let mut desk = Desk { books: Open { books, written: false }, rng, now: self.clock.now() };
        let done = work(&mut desk);
        (done, desk.books.written)
    }

    /// Reads the books.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&Books, UnixSeconds) -> T) -> T {
        let desk = self.desk();
        look(&desk.0, self.clock.now())
    }

    /// A generator of its own for an answer.
    pub(crate) fn fork_rng(&self) -> StdRng {
        // Whoever panicked had drawn, or had not.
        StdRng::from_rng(&mut *self.answers.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A generator of its own for merchants and their secrets.
    pub(crate) fn keys_rng(&self) -> StdRng {
        StdRng::from_rng(&mut *self.keys.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets numbers and answers come again as the seed says; not merchants and keys, which are there still.
    pub(super) fn seed_anew(&self, desk: &mut Desk<'_>) {
        *desk.rng = stream(self.seed, Stream::Books);
        *self.answers.lock().unwrap_or_else(PoisonError::into_inner) = stream(self.seed, Stream::Answers);
    }

    /// Switches the limits on or off.
    pub(crate) fn set_limits(&self, on: bool) {
        *self.limits() = Limits { on, ..Limits::default() };
        self.at_desk(|desk| desk.books.space_refunds(on));
    }

    /// Counts a call of a merchant's that is about to be made, where it is of a kind that is limited.
    pub(crate) fn admit(&self, mchid: &str, kind: Option<Limited>) -> Result<(), Refusal> {
        let mut limits = self.limits();
        match kind.filter(|_| limits.on) {
            Some(kind) => limits.admit(mchid, kind, (self.wall)()),
            None => Ok(()),
        }
    }

    /// Counts a call of a merchant's that failed.
    pub(crate) fn count_failure(&self, mchid: &str, kind: Option<Limited>) {
        let mut limits = self.limits();
        if let Some(kind) = kind.filter(|_| limits.on) {
            limits.failed(mchid, kind, (self.wall)());
        }
    }

    fn limits(&self) -> MutexGuard<'_, Limits> {
        // Counts are whole at any time.
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys of a merchant.
    pub(crate) fn ring(&self, mchid: &str) -> Option<Arc<Ring>> {
        self.rings.ring(mchid)
    }

    /// Whose certificates are believed of receivers: this machine's roots, the simulation's own, and those named.
    pub(crate) fn trust(&self) -> Result<&Trust, NoCertificate> {
        if let Some(trusted) = self.trusted.get() {
            return Ok(trusted);
        }
        let further = self.trust.iter().map(String::as_str).chain([self.authority.certificate_pem()]);
        let made = Trust::machine_and(&further.collect::<Vec<_>>())?;
        Ok(self.trusted.get_or_init(|| made))
    }

    /// Asks or changes the rules of trouble.
    pub(crate) fn with_troubles<T>(&self, work: impl FnOnce(&mut Troubles) -> T) -> T {
        // As for the books: what was done when code panicked is what a simulation goes on with.
        work(&mut self.troubles.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until the simulation is asked to end.
    pub(crate) async fn stopping(&self) {
        // An error means that it is gone already.
        let _ = self.stopping.subscribe().wait_for(|stopping| *stopping).await;
    }

    /// Lets those go who wait for an answer that never comes.
    pub(super) fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Sees every announcement from now on.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Says that something is different: books, clock or keys.
    pub(crate) fn announce(&self) {
        self.changes.send_modify(|changes| *changes = changes.wrapping_add(1));
    }

    fn desk(&self) -> MutexGuard<'_, (Books, StdRng)> {
        // Where code panicked with the books open, they show what it had done so far; a simulation goes on with that.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
