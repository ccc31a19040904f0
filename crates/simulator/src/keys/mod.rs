//! Keys on both sides: WeChat's, with which answers and notices are signed, and the merchants' own.
//!
//! Invariants: each merchant has a [`Ring`] of its own; key material is not shown by `Debug`. RSA keys come from the
//! crypto library's own source of randomness, all other secrets from the injected one. Certificates are issued by an
//! [`Authority`] that the simulator makes for itself; nobody checks it, as nobody can check WeChat's. Deliberately
//! absent: 国密; the PKCS#12 file, which `openssl pkcs12` makes of the two PEM files.

mod authority;
mod kept;
mod merchant;
mod platform;
mod ring;
mod rings;
mod rsa;
mod seal;

pub(crate) use authority::ServerIdentity;
pub use authority::{Authority, Certificate};
pub use kept::{KeptAuthority, KeptRing};
pub use merchant::Merchant;
pub use platform::Platform;
pub use ring::{Grey, Mode, Own, Ring};
pub(crate) use rings::Rings;
pub(crate) use rsa::RsaKey;
pub use seal::SealingKey;
