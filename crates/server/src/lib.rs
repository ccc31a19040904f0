//! payonce's HTTP server: callbacks come in, are verified, applied and acknowledged; the merchant's own
//! system registers orders and reads messages.
//!
//! The way of a callback: `http::routes` → `ingest::handler` → crate `wechatpay` → `ingest::translate` →
//! `ingest::applier` → `payonce_core::apply` → store → `ingest::ack`.

mod alerts;
mod api;
pub mod config;
mod delivery;
pub mod http;
mod ingest;
mod merchants;
mod metrics;
mod presence;
mod refreshing;
mod roles;
mod server;

pub use delivery::EndpointsError;
pub use ingest::{
    BATCH_CALLBACKS_MAX, CALLBACK_BYTES_MAX, Grouping, KEPT_BODY_BYTES_MAX, SharedError, UnfitEffect,
    check_effects,
};
pub use presence::Absence;
pub use server::{Broken, Mounted, Patience, Running, Server, StartError};
