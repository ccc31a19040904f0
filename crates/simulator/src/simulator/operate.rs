//! What an operator does with a simulation, by its handle or by the control API alike.
//!
//! Invariants: where the simulation has a folder of keys, its files say what the simulation believes, but for what trouble
//! does to keys, which is gone with the trouble; time that passes leaves no attempt out.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::{FolderError, Shared};
use crate::Error;
use crate::books::{Account, Books};
use crate::keys::{Mode, Own, Platform, Ring};
use crate::trouble::{KeyChange, Troubles};

impl Shared {
    /// Puts a merchant on file, with fresh keys.
    pub(crate) fn enrol(&self, account: Account, mode: Mode) -> Result<Arc<Ring>, Error> {
        let rng = &mut self.keys_rng();
        let ring = Arc::new(Ring::generate(&account, mode, &self.authority, (self.wall)(), rng)?);
        self.rings.add(&account.mchid, Arc::clone(&ring))?;
        self.at_desk(|desk| desk.books.enrol(account, rng));
        Ok(ring)
    }

    /// A fresh platform certificate.
    pub(crate) fn new_certificate(&self) -> Result<Platform, Error> {
        Platform::certified(&self.authority, (self.wall)(), &mut self.keys_rng())
    }

    /// A fresh API certificate of a merchant's.
    pub(crate) fn new_own(&self, account: &Account) -> Result<Own, Error> {
        Own::generate(account, &self.authority, (self.wall)(), &mut self.keys_rng())
    }

    /// Does to a merchant's keys what a rule of trouble says.
    pub(crate) fn trouble_keys(&self, mchid: &str, change: KeyChange) -> Result<(), Error> {
        match change {
            KeyChange::NewCertificate => {
                let certificate = self.new_certificate()?;
                self.rings.trouble(mchid, |ring| {
                    ring.add_certificate(certificate);
                    ring.grey.new_certificate_permille = 1000;
                });
            }
            KeyChange::NewPublicKey => {
                let public_key = Platform::generate()?;
                self.rings.trouble(mchid, |ring| {
                    ring.add_public_key(public_key);
                    ring.grey.public_key_permille = 1000;
                });
            }
            KeyChange::Grey(public_key, new_certificate) => {
                self.rings.trouble(mchid, |ring| ring.grey.set(public_key, new_certificate));
            }
        }
        Ok(())
    }

    /// Switches rules of trouble on or off. Keys are again what they were once a rule is gone that changed some.
    pub(crate) fn with_rules<T>(&self, work: impl FnOnce(&mut Troubles) -> T) -> T {
        let (done, is_calm) = self.with_troubles(|troubles| (work(troubles), troubles.take_calm()));
        if is_calm {
            self.rings.calm();
        }
        self.announce();
        done
    }

    /// Writes the keys into the folder, where there is one.
    pub(crate) fn keep_keys(&self) -> Result<(), FolderError> {
        // What one wrote who panicked meanwhile is written again.
        let _one = self.keeping.lock().unwrap_or_else(PoisonError::into_inner);
        self.folder.as_ref().map_or(Ok(()), |folder| folder.write_all(self))
    }

    /// Forgets all that anybody did. A seed that was named then makes the same numbers again; else they go on, since a
    /// backend's database knows those that were.
    pub(crate) fn reset(&self) {
        self.at_desk(|desk| {
            *desk.books = desk.books.emptied();
            if self.reset_repeats {
                self.seed_anew(desk);
            }
            self.with_troubles(Troubles::reset);
        });
        self.rings.calm();
        self.announce();
    }

    /// Lets so much business time pass: whatever falls due on the way is done at its time, and then the time goes on.
    pub(crate) async fn pass(&self, by: Duration) {
        let _one = self.stepping.lock().await;
        let until = self.clock.after(by);
        let next = || self.read(|books, _| books.notices.next_due()).filter(|at| *at <= until);
        while let Some(at) = next() {
            self.clock.advance_to(at);
            self.announce();
            tokio::select! {
                () = self.quiet() => {}
                () = self.stopping() => return,
            }
        }
        self.clock.advance_to(until);
        self.announce();
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
