//! What a simulation starts from. Deliberately absent: files and command lines.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use crate::Error;
use crate::books::Account;
use crate::clock::{Clock, Pace};
use crate::keys::Mode;

use super::Known;

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
    /// The wall clock, which signatures carry. Business time starts with it.
    pub wall: Clock,
    /// How business time goes.
    pub pace: Pace,
    /// Who is on file at WeChat. Where there is nobody, one ordinary merchant is made up.
    pub merchants: Vec<Enrolment>,
    /// Who was on file before, with the keys that they had.
    pub known: Option<Known>,
    /// Where all notices go instead of the host in their URL, which is still named in `Host`. Needed for `https` URLs:
    /// the simulator speaks plain HTTP.
    pub detour: Option<SocketAddr>,
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
    #[error("cannot listen on {addr}: {source}; choose another port with --listen")]
    Listen {
        /// Where it should have been.
        addr: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// There are no keys.
    #[error(transparent)]
    Keys(#[from] Error),
}

impl Setup {
    /// One ordinary merchant in public-key mode, on any free port of the loopback, in real time.
    #[must_use]
    pub fn new(wall: Clock) -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (merchants, known, detour, listen_tls) = (Vec::new(), None, None, None);
        Self { limits: false, listen, listen_tls, seed: 1, wall, pace: Pace::REAL, merchants, known, detour }
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
            .field("pace", &self.pace)
            .field("merchants", &self.merchants)
            .field("detour", &self.detour)
            .finish_non_exhaustive()
    }
}
