//! Each trouble, as the receiver or the caller that is under test sees it.

mod calls;
mod changed;
mod keys;
mod rules;
mod said;
mod timing;
mod v2;
mod wire;

use std::time::Duration;

use payonce_simulator::keys::Ring;
use payonce_simulator::{Scenario, Setup};
use wechatpay::{ApiV3Key, Callback, Notification, PlatformKey, PlatformKeys};

use crate::fixture::{NOW, Refusal};
use crate::receiver::Came;
use crate::shop::{Shop, setup};

/// A shop in such trouble.
pub(crate) async fn troubled(scenario: &str) -> Shop {
    Shop::of(Setup { scenario: Scenario::from_toml(scenario).unwrap(), ..setup() }).await
}

/// What a receiver that knows all keys of the ring makes of a callback.
pub(crate) fn received(ring: &Ring, came: &Came) -> Result<Notification, Refusal> {
    let public_key = ring
        .public_key()
        .map(|key| PlatformKey::from_public_key_pem(key.serial(), key.public_key_pem()).unwrap());
    let certificates = ring.certificates().iter().map(|key| &key.certificate().unwrap().pem);
    let certificates = certificates.map(|pem| PlatformKey::from_certificate_pem(pem).unwrap());
    let keys = PlatformKeys::new(public_key.into_iter().chain(certificates));
    let headers = came.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    Callback::parse(headers, &came.body)
        .map_err(Refusal::Header)?
        .verify(&keys, NOW)
        .map_err(Refusal::Verify)?
        .open(&ApiV3Key::new(ring.sealing_key().text()).unwrap())
        .map_err(Refusal::Open)
}

impl Shop {
    /// Moves business time on, and waits until all is told that is due.
    pub(crate) async fn later(&self, seconds: u64) {
        self.simulator.step(Duration::from_secs(seconds));
        self.simulator.quiet().await;
    }
}
