//! The client against the simulator: a WeChat Pay that others could talk to just as well.

mod bills;
mod combine;
mod keys;
mod login;
mod orders;
mod refunds;
mod v2;

use std::sync::Arc;

use payonce_simulator::books::Account;
use payonce_simulator::keys::{Mode, Ring};
use payonce_simulator::{Pace, Setup, Simulator};
use wechatpay::answer::ApiError;
use wechatpay::{ApiV3Key, MerchantKey, PlatformKey};
use wechatpay_client::{Account as Own, Client, ClientError, Hosts, KeyRing, Transport};

use crate::wechat::{NOW, Still, patience};

pub(crate) const SHOP: &str = "1900000001";
pub(crate) const SHOP_APP: &str = "wx0000000000000001";
pub(crate) const PROVIDER: &str = "1900000100";
pub(crate) const PROVIDER_APP: &str = "wx0000000000000100";
pub(crate) const SUB: &str = "1900000109";
pub(crate) const SUB_APP: &str = "wx0000000000000109";
pub(crate) const NOTIFY_URL: &str = "https://pay.example.com/notify/v3/1900000001";

/// An ordinary merchant, a provider and its sub-merchant, at a WeChat Pay whose clocks stand.
pub(crate) struct Stage {
    pub(crate) simulator: Simulator,
}

impl Stage {
    pub(crate) async fn set(mode: Mode) -> Self {
        let setup = Setup { pace: Pace::ByHand, ..Setup::new(Arc::new(|| NOW)) }
            .with(Account::ordinary(SHOP, SHOP_APP), mode)
            .with(Account::provider(PROVIDER, PROVIDER_APP), mode)
            .with(Account::sub_merchant(SUB, PROVIDER, Some(SUB_APP)), Mode::PublicKey);
        Self { simulator: Simulator::start(setup).await.expect("a test's own data are good") }
    }

    pub(crate) fn ring(&self, mchid: &str) -> Arc<Ring> {
        self.simulator.ring(mchid).expect("this merchant was enrolled")
    }

    pub(crate) fn transport(&self) -> Transport {
        let hosts = Hosts::all_at(&self.simulator.base_url()).expect("a test's own data are good");
        Transport::with(hosts, patience(), Arc::new(Still)).expect("a test's own data are good")
    }

    /// A client of this merchant that knows WeChat Pay's public key for it, where there is one.
    pub(crate) fn client(&self, mchid: &str) -> Client {
        let ring = self.ring(mchid);
        let known = ring.public_key().map(|key| {
            PlatformKey::from_public_key_pem(key.serial(), key.public_key_pem())
                .expect("a test's own data are good")
        });
        self.client_with(mchid, KeyRing::new(known))
    }

    pub(crate) fn client_with(&self, mchid: &str, keys: KeyRing) -> Client {
        let ring = self.ring(mchid);
        let own = &ring.own()[0];
        let key = MerchantKey::from_pkcs8_pem(&own.certificate().serial, &own.private_pem());
        let key = Arc::new(key.expect("a test's own data are good"));
        let apiv3_key = ApiV3Key::new(ring.sealing_key().text()).expect("a test's own data are good");
        let own = Own::new(mchid, key, apiv3_key, Arc::new(keys)).expect("a test's own data are good");
        Client::new(self.transport(), own)
    }
}

/// An error that WeChat Pay itself gave: status, code, number.
pub(crate) fn refused<A: std::fmt::Debug>(answer: Result<A, ClientError>) -> (u16, String, Option<u64>) {
    let error: ApiError = match answer {
        Err(ClientError::Refused(error)) => *error,
        other => panic!("this should have been refused: {other:?}"),
    };
    (error.status, error.code.clone().unwrap_or_default(), error.numeric_code())
}
