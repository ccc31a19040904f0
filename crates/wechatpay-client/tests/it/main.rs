//! The client against a server that plays WeChat Pay over real sockets, scripted answer by answer.

mod download;
mod failover;
mod keys;
mod login;
mod refresher;
mod send;
#[cfg(feature = "sm")]
mod sm;
mod tls;
mod v2;
mod v2_bill;
mod wechat;
