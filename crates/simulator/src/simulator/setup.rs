//! What a simulation starts from. Deliberately absent: files and command lines.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::Error;
use crate::books::Account;
use crate::clock::{Clock, Pace};
use crate::deliver::ANSWER_LIMIT;
use crate::keys::Mode;
use crate::trouble::{Scenario, ScenarioError};

use super::{Folder, FolderError, Known, StateError};

/// What a simulation starts from.
pub struct Setup {
    /// Where it listens; port 0 is any free one.
    pub listen: SocketAddr,
    /// Where it listens with TLS as well, for calls that need the merchant's certificate: APIv2's refunds.
    pub listen_tls: Option<SocketAddr>,
    /// Whether whoever asks too often is refused, by the limits that WeChat publishes.
    pub limits: bool,
    /// Names the run: numbers, nonces and secrets come from it.
    pub seed: u64,
    /// Whether a reset begins the seed anew, so that the same calls get the same numbers again; else the numbers go on, and
    /// none of WeChat's ever comes twice.
    pub reset_repeats: bool,
    /// The wall clock, which signatures carry. Business time starts with it.
    pub wall: Clock,
    /// How business time goes.
    pub pace: Pace,
    /// Who is on file at WeChat. Where there is nobody, one ordinary merchant is made up.
    pub merchants: Vec<Enrolment>,
    /// Who was on file before, with the keys that they had.
    pub known: Option<Known>,
    /// Where the files of the keys are kept up to date.
    pub folder: Option<Folder>,
    /// The file in which all of it is kept, and from which it goes on where there is one; then who is on file and with
    /// which keys is what stands there, and [`Self::known`] and [`Self::pace`] are not heeded.
    pub state: Option<PathBuf>,
    /// Where all notices go instead of the host in their URL, which is still named in `Host`; over plain HTTP also for
    /// `https` URLs.
    pub detour: Option<SocketAddr>,
    /// The trouble that there is from the start, in place of what a state has.
    pub scenario: Scenario,
    /// Roots in PEM whose certificates are believed of receivers, beside those of this machine and the simulation's own.
    pub trust: Vec<String>,
    /// How long a receiver has for its whole answer, in real time.
    pub answer_limit: Duration,
    /// Further names by which the page and the control API are reached; addresses, `localhost`, and names that no public
    /// DNS has need not be named.
    pub hosts: Vec<String>,
}

/// A merchant that is new at WeChat.
#[derive(Clone, Debug)]
pub struct Enrolment {
    /// What the books say of it.
    pub account: Account,
    /// Which keys WeChat makes for it.
    pub mode: Mode,
}

/// Why a simulation did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The port cannot be had.
    #[error("cannot listen on {addr}; choose another port with --listen")]
    Listen {
        /// Where it should have been.
        addr: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// What should be believed of receivers is no certificate.
    #[error("a root to trust cannot be read: {reason}; give a PEM file with CERTIFICATE blocks")]
    Trust {
        /// What is wrong with it.
        reason: String,
    },
    /// The keys cannot be written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The state cannot be had, or cannot be kept.
    #[error(transparent)]
    State(#[from] StateError),
    /// A rule of trouble has a value out of its range.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// There are no keys.
    #[error(transparent)]
    Keys(#[from] Error),
}

impl Setup {
    /// One ordinary merchant in public-key mode, on any free port of the loopback, in real time.
    #[must_use]
    pub fn new(wall: Clock) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            listen_tls: None,
            limits: false,
            seed: 1,
            reset_repeats: true,
            wall,
            pace: Pace::REAL,
            merchants: Vec::new(),
            known: None,
            folder: None,
            state: None,
            detour: None,
            scenario: Scenario::default(),
            trust: Vec::new(),
            answer_limit: ANSWER_LIMIT,
            hosts: Vec::new(),
        }
    }

    /// The same with this merchant on file, too.
    #[must_use]
    pub fn with(mut self, account: Account, mode: Mode) -> Self {
        self.merchants.push(Enrolment { account, mode });
        self
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("listen", &self.listen)
            .field("listen_tls", &self.listen_tls)
            .field("limits", &self.limits)
            .field("seed", &self.seed)
            .field("reset_repeats", &self.reset_repeats)
            .field("pace", &self.pace)
            .field("merchants", &self.merchants)
            .field("detour", &self.detour)
            .finish_non_exhaustive()
    }
}
