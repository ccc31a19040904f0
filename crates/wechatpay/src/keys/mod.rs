//! Keys: WeChat's, to verify with and to encrypt for; the merchant's, to sign and to open with.
//!
//! Invariants: a key that exists is an RSA key of 2048 to 8192 bits or (feature `sm`) an SM2 key, parsed once; what was
//! given in another key's place is named in the error. Deliberately absent: reading files, trust in a certificate's
//! issuer.

mod api_v3;
mod certificate;
mod merchant;
mod pem;
mod platform;
mod serial;
mod set;

pub use api_v3::ApiV3Key;
pub use certificate::MerchantCertificate;
pub use merchant::MerchantKey;
pub use platform::PlatformKey;
pub use serial::Serial;
pub use set::PlatformKeys;
