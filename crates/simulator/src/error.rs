//! What can be wrong with a simulation. Each is the caller's fault but [`Error::KeyGeneration`].
//!
//! Deliberately absent: failures of the receiver, which are what a simulation is there to see; what WeChat would not do,
//! which is a [`crate::books::Refusal`].

/// Why the simulator refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// AES-256 needs 32 bytes, and WeChat's console takes letters and digits only.
    #[error("the APIv3 key has {bytes} bytes; give 32 ASCII letters and digits")]
    ApiV3Key {
        /// Length of what was given.
        bytes: usize,
    },
    /// A notify URL needs an absolute path without query and fragment.
    #[error("{path:?} is no path of a notify URL; give one like /notify/v3/shop, without query and fragment")]
    PathMalformed {
        /// What was given.
        path: String,
    },
    /// The crypto library made no RSA key: this machine has no randomness or no memory.
    #[error("the crypto library could not generate an RSA key; check the machine's memory and random source")]
    KeyGeneration,
    /// A certificate for TLS needs names of hosts or addresses.
    #[error("a name is none of a host; give names like localhost, shop.example or 127.0.0.1")]
    TlsName,
    /// Merchants are told apart by their numbers.
    #[error("merchant {mchid} is there already; choose another mchid, or leave it out to get a free one")]
    MerchantExists {
        /// Its number.
        mchid: String,
    },
    /// A key that was written out cannot be read back.
    #[error("the kept keys cannot be read; restore the file, or remove it and let new keys be made")]
    KeptKey,
}
