//! HTTP: the routes, and the loop that serves them.

mod auth;
mod routes;
mod serve;
mod status;

pub(crate) use auth::authorized;
pub(crate) use routes::routes;
pub(crate) use serve::{HEAD_PATIENCE, serve_patiently};
pub use serve::{Limits, serve};
