//! What can be wrong with a simulation. Each is the caller's fault but [`Error::KeyGeneration`].
//!
//! Deliberately absent: failures of the receiver. They are what a simulation is there to see, so they are
//! [`crate::Answer`]s.

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
    /// WeChat takes no order below one fen.
    #[error("order {out_trade_no} costs {amount_fen} fen; give at least 1")]
    AmountNotPositive {
        /// The merchant's number of the order.
        out_trade_no: String,
        /// The refused amount, in fen.
        amount_fen: i64,
    },
    /// An order number is used once a merchant.
    #[error("order {out_trade_no} exists already; give each order a number of its own")]
    OrderExists {
        /// The merchant's number of the order.
        out_trade_no: String,
    },
    /// Only a placed order can be paid.
    #[error("there is no order {out_trade_no}; place it before it is paid")]
    OrderUnknown {
        /// The merchant's number of the order.
        out_trade_no: String,
    },
    /// WeChat lets an order be paid once (its API error `ORDERPAID`).
    #[error("order {out_trade_no} is paid already; place another order")]
    OrderPaid {
        /// The merchant's number of the order.
        out_trade_no: String,
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
}
