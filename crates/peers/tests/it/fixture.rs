//! A peer, and keys made for it: the merchant's, the simulator's as WeChat Pay, and another WeChat Pay's with whose
//! private key the peer signs.

use std::path::Path;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use payonce_peers::{AskError, Peer, Sdk, require};
use payonce_simulator::{Merchant, Platform, SignedCallback};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Map, Value, json};
use wechatpay::v2::ApiV2Key;
use wechatpay::{ApiV3Key, MerchantKey, PlatformKey, UnixSeconds};

use crate::generate;

/// How many inputs each check has.
pub(crate) const INPUTS: usize = 50;

/// When everything is signed.
pub(crate) const NOW: UnixSeconds = UnixSeconds(1_750_000_000);

pub(crate) const MERCHANT_SERIAL: &str = "5157F09EFDC096DE15EBE81A47057A72AAAAAAAA";
pub(crate) const THEIR_SERIAL: &str = "PUB_KEY_ID_0119000000012025060100000000000001";

/// Makes a test of each check for each of these SDKs.
macro_rules! checks {
    ($($sdk:ident in $module:ident { $($check:ident),* $(,)? })*) => {
        $(mod $module {
            $(#[test]
            fn $check() {
                crate::fixture::with(payonce_peers::Sdk::$sdk, super::$check);
            })*
        })*
    };
}
pub(crate) use checks;

/// An RSA key pair as the SDKs and our own types want it.
pub(crate) struct Pair {
    pub(crate) pair: KeyPair,
    pub(crate) private_pem: String,
    pub(crate) public_pem: String,
}

impl Pair {
    pub(crate) fn generate() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let private_pem = pem("PRIVATE KEY", pair.as_der().unwrap().as_ref());
        let public_pem = pem("PUBLIC KEY", pair.public_key().as_der().unwrap().as_ref());
        Self { pair, private_pem, public_pem }
    }
}

/// What a check works with.
pub(crate) struct Parties {
    pub(crate) peer: Peer,
    pub(crate) rng: StdRng,
    pub(crate) merchant: Merchant,
    pub(crate) merchant_pair: Pair,
    /// WeChat Pay as the simulator plays it.
    pub(crate) platform: Platform,
    /// WeChat Pay as the peer plays it, under [`THEIR_SERIAL`].
    pub(crate) their_platform: Pair,
    pub(crate) apiv2_key: String,
}

/// Runs a check with a peer that knows the keys; where the SDK is not installed, does not run it.
pub(crate) fn with(sdk: Sdk, check: fn(&mut Parties)) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let Some(mut peer) = require(Peer::start(sdk, target)) else { return };
    let mut rng = StdRng::seed_from_u64(20_260_101);
    let merchant = Merchant::generate(&mut rng);
    let (merchant_pair, their_platform) = (Pair::generate(), Pair::generate());
    let platform = Platform::generate().unwrap();
    let apiv2_key = generate::alphanumeric(&mut rng, 32);
    let settings = json!({
        "mchid": merchant.mchid(),
        "appid": merchant.appid(),
        "apiv3_key": merchant.apiv3_key(),
        "apiv2_key": apiv2_key,
        "merchant_serial": MERCHANT_SERIAL,
        "merchant_private_pem": merchant_pair.private_pem,
        "platform_serial": platform.serial(),
        "platform_public_pem": platform.public_key_pem(),
        "their_platform_private_pem": their_platform.private_pem,
    });
    peer.ask("configure", settings).unwrap();
    check(&mut Parties { peer, rng, merchant, merchant_pair, platform, their_platform, apiv2_key });
}

impl Parties {
    /// An answer that must be there.
    pub(crate) fn ask(&mut self, task: &str, given: Value) -> Value {
        self.peer.ask(task, given).unwrap()
    }

    /// An answer that must be a text.
    pub(crate) fn ask_text(&mut self, task: &str, given: Value) -> String {
        self.ask(task, given).as_str().unwrap().to_owned()
    }

    /// Whether the SDK takes a callback at that time. Not to take it may be an error in its language: a text that is
    /// no UTF-8, say.
    pub(crate) fn takes(&mut self, callback: &SignedCallback, now: UnixSeconds) -> bool {
        match self.peer.ask("verify", received(callback, now)) {
            Ok(answer) => answer.as_bool().unwrap(),
            Err(AskError::Refused { .. }) => false,
            Err(broken) => panic!("{broken}"),
        }
    }

    pub(crate) fn apiv3_key(&self) -> ApiV3Key {
        ApiV3Key::new(self.merchant.apiv3_key()).unwrap()
    }

    pub(crate) fn apiv2_key(&self) -> ApiV2Key {
        ApiV2Key::new(&self.apiv2_key).unwrap()
    }

    pub(crate) fn merchant_key(&self) -> MerchantKey {
        MerchantKey::from_pkcs8_pem(MERCHANT_SERIAL, &self.merchant_pair.private_pem).unwrap()
    }

    pub(crate) fn their_key(&self) -> PlatformKey {
        PlatformKey::from_public_key_pem(THEIR_SERIAL, &self.their_platform.public_pem).unwrap()
    }

    /// Signs and decrypts as the WeChat Pay that the peer plays.
    pub(crate) fn their_signer(&self) -> MerchantKey {
        MerchantKey::from_pkcs8_pem("01", &self.their_platform.private_pem).unwrap()
    }

    /// A nonce of 16 to 32 characters.
    pub(crate) fn nonce(&mut self) -> String {
        let length = self.rng.random_range(16..=32);
        generate::alphanumeric(&mut self.rng, length)
    }
}

/// A callback as a question has it.
pub(crate) fn received(callback: &SignedCallback, now: UnixSeconds) -> Value {
    question(&callback.headers(), callback.body(), now)
}

/// The same of headers and a body.
pub(crate) fn question(headers: &[(&str, &str)], body: &[u8], now: UnixSeconds) -> Value {
    // As most frameworks write the names, and as one of the SDKs asks for them.
    let title = |name: &str| {
        let words = name.split('-').map(|word| word[..1].to_uppercase() + &word[1..]);
        words.collect::<Vec<_>>().join("-")
    };
    let headers: Map<_, _> = headers.iter().map(|(name, value)| (title(name), Value::from(*value))).collect();
    json!({ "headers": headers, "body": STANDARD.encode(body), "now": now.0 })
}

/// PEM of DER.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
