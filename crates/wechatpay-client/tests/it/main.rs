//! The client against a server that plays WeChat Pay over real sockets: scripted answer by answer for what WeChat Pay
//! does rarely, and the simulator for what it does always.
#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions, but not in what they share")]

mod download;
mod failover;
mod keys;
mod login;
mod refresher;
mod send;
mod simulated;
#[cfg(feature = "sm")]
mod sm;
mod tls;
mod v2;
mod v2_bill;
mod wechat;
