//! The rings of all merchants: what an operator made of them, and what trouble does to them for a while.
//!
//! Invariants: a ring is replaced, never changed, so that whoever took one goes on with it; each change is made of what is
//! there at that moment, so that none takes another's away. What trouble did is in force until it is calmed, and nowhere
//! else. Deliberately absent: making keys, which takes a moment and comes before.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::Ring;
use crate::Error;

/// Rings by merchant.
pub(crate) struct Rings(RwLock<BTreeMap<String, Keys>>);

/// One merchant's.
struct Keys {
    /// As an operator knows them.
    calm: Arc<Ring>,
    /// As they are in the meantime.
    troubled: Option<Arc<Ring>>,
}

impl Keys {
    fn calm(ring: impl Into<Arc<Ring>>) -> Self {
        Self { calm: ring.into(), troubled: None }
    }

    fn now(&self) -> &Arc<Ring> {
        self.troubled.as_ref().unwrap_or(&self.calm)
    }
}

impl Rings {
    /// Rings, and those of them to which trouble has done something.
    pub(crate) fn of(rings: BTreeMap<String, Arc<Ring>>, mut troubled: BTreeMap<String, Arc<Ring>>) -> Self {
        let keys = rings.into_iter().map(|(mchid, calm)| {
            let troubled = troubled.remove(&mchid);
            (mchid, Keys { calm, troubled })
        });
        Self(RwLock::new(keys.collect()))
    }

    /// The merchants.
    pub(crate) fn mchids(&self) -> Vec<String> {
        self.read().keys().cloned().collect()
    }

    /// The keys that a merchant has now.
    pub(crate) fn ring(&self, mchid: &str) -> Option<Arc<Ring>> {
        self.read().get(mchid).map(Keys::now).cloned()
    }

    /// The keys that all merchants have without trouble.
    pub(crate) fn calm_rings(&self) -> Vec<(String, Arc<Ring>)> {
        self.read().iter().map(|(mchid, keys)| (mchid.clone(), Arc::clone(&keys.calm))).collect()
    }

    /// The keys of those to which trouble has done something.
    pub(crate) fn troubled_rings(&self) -> Vec<(String, Arc<Ring>)> {
        let keys = self.read();
        let troubled = keys.iter().filter_map(|(mchid, keys)| Some((mchid.clone(), keys.troubled.clone()?)));
        troubled.collect()
    }

    /// The keys of a new merchant.
    ///
    /// # Errors
    /// [`Error::MerchantExists`].
    pub(crate) fn add(&self, mchid: &str, ring: Arc<Ring>) -> Result<(), Error> {
        let mut keys = self.write();
        if keys.contains_key(mchid) {
            return Err(Error::MerchantExists { mchid: mchid.to_owned() });
        }
        keys.insert(mchid.to_owned(), Keys::calm(ring));
        Ok(())
    }

    /// Gives a merchant these keys and no others.
    pub(crate) fn set(&self, mchid: &str, ring: Ring) {
        self.write().insert(mchid.to_owned(), Keys::calm(ring));
    }

    /// Changes a merchant's keys for good. None where there is no such merchant.
    pub(crate) fn change(&self, mchid: &str, work: impl Fn(&mut Ring)) -> Option<()> {
        let mut keys = self.write();
        let keys = keys.get_mut(mchid)?;
        for ring in [Some(&mut keys.calm), keys.troubled.as_mut()].into_iter().flatten() {
            let mut changed = Ring::clone(ring);
            work(&mut changed);
            *ring = Arc::new(changed);
        }
        Some(())
    }

    /// Changes a merchant's keys until [`Self::calm`].
    pub(crate) fn trouble(&self, mchid: &str, work: impl FnOnce(&mut Ring)) {
        if let Some(keys) = self.write().get_mut(mchid) {
            let mut ring = Ring::clone(keys.now());
            work(&mut ring);
            keys.troubled = Some(Arc::new(ring));
        }
    }

    /// All keys are again what they are without trouble.
    pub(crate) fn calm(&self) {
        self.write().values_mut().for_each(|keys| keys.troubled = None);
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, Keys>> {
        // A ring is whole at any time, since it is put in place as a whole.
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Keys>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
