//! What an operator does with a simulation, by its handle or by the control API alike.
//!
//! Invariant: where the simulation has a folder of keys, its files say what the simulation believes.

use std::io;
use std::sync::Arc;

use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::Shared;
use crate::Error;
use crate::books::{Account, Books};
use crate::keys::{Mode, Own, Platform, Ring};
use crate::trouble::{KeyChange, Troubles};

impl Shared {
    /// Puts a merchant on file, with fresh keys.
    pub(crate) fn enrol(&self, account: Account, mode: Mode) -> Result<Arc<Ring>, Error> {
        let ring = Ring::generate(&account, mode, &self.authority, (self.wall)(), &mut self.fork_rng())?;
        let mchid = account.mchid.clone();
        self.set_ring(&mchid, ring.clone());
        self.at_desk(|desk| desk.books.enrol(account, desk.rng));
        Ok(Arc::new(ring))
    }

    /// A fresh platform certificate.
    pub(crate) fn new_certificate(&self) -> Result<Platform, Error> {
        Platform::certified(&self.authority, (self.wall)(), &mut self.fork_rng())
    }

    /// A fresh API certificate of a merchant's.
    pub(crate) fn new_own(&self, account: &Account) -> Result<Own, Error> {
        Own::generate(account, &self.authority, (self.wall)(), &mut self.fork_rng())
    }

    /// Does to a merchant's keys what a rule of trouble says.
    pub(crate) fn change_keys(&self, mchid: &str, change: KeyChange) -> Result<(), Error> {
        let Some(ring) = self.ring(mchid) else { return Ok(()) };
        let mut ring = Ring::clone(&ring);
        match change {
            KeyChange::NewCertificate => {
                ring.add_certificate(self.new_certificate()?);
                ring.grey.new_certificate_permille = 1000;
            }
            KeyChange::NewPublicKey => {
                ring.add_public_key(Platform::generate()?);
                ring.grey.public_key_permille = 1000;
            }
            KeyChange::Grey(public_key, new_certificate) => {
                let grey = &mut ring.grey;
                grey.public_key_permille = public_key.unwrap_or(grey.public_key_permille);
                grey.new_certificate_permille = new_certificate.unwrap_or(grey.new_certificate_permille);
            }
        }
        self.set_ring(mchid, ring);
        Ok(())
    }

    /// Writes the keys into the folder, where there is one.
    pub(crate) fn keep_keys(&self) -> io::Result<()> {
        self.folder.as_ref().map_or(Ok(()), |folder| folder.write_all(self))
    }

    /// Forgets all that anybody did. The same seed then makes the same numbers again.
    pub(crate) fn reset(&self) {
        self.at_desk(|desk| {
            *desk.books = desk.books.emptied();
            *desk.rng = StdRng::seed_from_u64(self.seed);
            self.with_troubles(Troubles::reset);
        });
    }

    /// Waits until no notice is on its way and none is due.
    pub(crate) async fn quiet(&self) {
        let mut changes = self.changes();
        let is_quiet = |books: &Books, now| {
            books.notices.sending() == 0 && books.notices.next_due().is_none_or(|at| at > now)
        };
        while !self.read(is_quiet) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }
}
