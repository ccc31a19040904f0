//! A paid order and everything that is needed to notify of it and to read the notice.

use std::sync::{Arc, OnceLock};

use payonce_simulator::books::Terms;
use payonce_simulator::{
    Books, Delivery, Merchant, Mischief, Notification, Platform, SignedCallback, Signer,
};
use rand::{SeedableRng as _, rngs::StdRng};
use wechatpay::{ApiV3Key, Callback, PlatformKey, PlatformKeys, UnixSeconds};

pub(crate) const NOW: UnixSeconds = UnixSeconds(1_750_000_000);
pub(crate) const AMOUNT_FEN: i64 = 1999;

/// One key for all tests, since generating it is slow.
pub(crate) fn platform() -> Arc<Platform> {
    static PLATFORM: OnceLock<Arc<Platform>> = OnceLock::new();
    Arc::clone(PLATFORM.get_or_init(|| Arc::new(Platform::generate().unwrap())))
}

/// A signer of `count` notifications whose clock stands still at [`NOW`].
pub(crate) fn signer(count: usize) -> Signer {
    let rng = &mut StdRng::seed_from_u64(7);
    let merchant = Arc::new(Merchant::generate(rng));
    let mut books = Books::new();
    books.enrol(merchant.account().clone(), rng);
    let mut notify = || {
        let out_trade_no = books.free_out_trade_no(merchant.mchid(), NOW, rng);
        let terms = merchant.terms(&out_trade_no, AMOUNT_FEN);
        books.prepay(Terms { attach: Some("桌 7".to_owned()), ..terms }, NOW, rng).unwrap();
        let payment = books.pay(&merchant.order_key(&out_trade_no), None, NOW, rng).unwrap();
        Notification::new(payment, &merchant, NOW, rng)
    };
    let notifications = (0..count).map(|_| notify()).collect();
    Signer { platform: platform(), merchant, notifications, clock: Arc::new(|| NOW), seed: 1 }
}

pub(crate) fn copy(signer: &Signer, number: usize, mischief: Option<Mischief>) -> SignedCallback {
    signer.callback(&Delivery { mischief, ..Delivery::genuine(number, 0) }, 1)
}

/// Why a receiver refused a copy.
#[derive(Debug)]
pub(crate) enum Refusal {
    Header(wechatpay::HeaderError),
    Verify(wechatpay::VerifyError),
    Open(wechatpay::OpenError),
}

/// What a merchant's receiver does with a callback.
pub(crate) fn receive(signer: &Signer, copy: &SignedCallback) -> Result<wechatpay::Notification, Refusal> {
    let platform = &signer.platform;
    let key = PlatformKey::from_public_key_pem(platform.serial(), platform.public_key_pem()).unwrap();
    let apiv3_key = ApiV3Key::new(signer.merchant.apiv3_key()).unwrap();
    let headers = copy.headers();
    let headers = headers.iter().map(|(name, value)| (*name, value.as_bytes()));
    Callback::parse(headers, copy.body())
        .map_err(Refusal::Header)?
        .verify(&PlatformKeys::new([key]), NOW)
        .map_err(Refusal::Verify)?
        .open(&apiv3_key)
        .map_err(Refusal::Open)
}
