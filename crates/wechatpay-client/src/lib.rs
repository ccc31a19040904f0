//! An async client of WeChat Pay's API: signed, verified, repeated only where that is safe.
//!
//! [`Transport`] is shared by all merchants of a process: connections, hosts, time-outs. A [`Client`] speaks for one
//! merchant. A [`KeyRing`] holds the keys by which WeChat Pay signs to a merchant, for the answers here and for the
//! callbacks of a server; one [`Refresher`] keeps all of them fresh.
//!
//! Invariants: no success is believed unverified (but files, which prove themselves by a hash); nothing that moves
//! money is sent twice without being asked for in between; a request without an answer is *unknown*, never failed; no
//! secret, signature or personal data is shown by `Debug` or in an error. Deliberately absent: what a merchant does
//! with an answer.
//!
//! ```no_run
//! use std::sync::Arc;
//! use wechatpay::api::{Merchant, OrderNumber, QueryOrder};
//! use wechatpay::{ApiV3Key, MerchantKey, PlatformKey};
//! use wechatpay_client::{Account, Client, KeyRing, Transport};
//!
//! # async fn f() -> Result<(), Box<dyn std::error::Error>> {
//! # let read = |name: &str| std::fs::read_to_string(name);
//! let transport = Transport::new()?;
//! let platform = PlatformKey::from_public_key_pem("PUB_KEY_ID_01", &read("pub_key.pem")?)?;
//! let account = Account::new(
//!     "1900000001",
//!     Arc::new(MerchantKey::from_pkcs8_pem("5157F09EFDC096DE15EBE81A47057A7232F1B8E1", &read("apiclient_key.pem")?)?),
//!     ApiV3Key::new("0123456789abcdef0123456789abcdef")?,
//!     Arc::new(KeyRing::new([platform])),
//! )?;
//! let client = Client::new(transport, account);
//! let number = OrderNumber::out_trade_no("ORDER20260302A")?;
//! let order = client.send(&QueryOrder::new(Merchant::ordinary("1900000001")?, number)).await?;
//! println!("{:?}", order.trade_state);
//! # Ok(())
//! # }
//! ```

mod attempts;
mod client;
mod download;
mod environment;
mod error;
mod hosts;
mod keys;
mod limit;
mod login;
mod patience;
mod refresher;
mod transport;
mod v2;

pub use client::{Account, Client};
pub use download::{DownloadError, FileSink};
pub use environment::{Environment, SystemEnvironment};
pub use error::{ClientError, NotSent, SetupError, Unknown};
pub use hosts::Hosts;
pub use keys::{KeyHealth, KeyKind, KeyRing, KeySource, Keys};
pub use login::LoginFailure;
pub use patience::Patience;
pub use refresher::{History, RefreshError, RefreshStatus, Refresher, Waker};
pub use transport::{Reached, Transport};
pub use v2::{ClientCertificate, V2Client};
