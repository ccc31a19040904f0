//! Keys: WeChat's, to verify with; the merchant's, to sign and to open with.
//!
//! Invariant: a key that exists is an RSA key of 2048 to 8192 bits, parsed once; what was given in another key's place
//! is named in the error. Deliberately absent: reading files, trust in a certificate's issuer.

mod api_v3;
mod merchant;
mod pem;
mod platform;
mod serial;

pub use api_v3::ApiV3Key;
pub use merchant::MerchantKey;
pub use platform::{PlatformKey, PlatformKeys};
pub use serial::Serial;
