//! APIv3: JSON, signed both ways.
//!
//! A request goes through the [`door`] (who is it, and did they sign this?), reaches its endpoint, and is answered by a
//! [`reply`]: signed, or an [`error`] in WeChat's words. Endpoints are plain functions over the books; what the table in
//! [`routes()`] does not have is answered as an unknown path.

mod authorization;
pub(super) mod bills;
mod certificates;
mod combine;
mod door;
mod echo;
mod error;
pub(super) mod fields;
mod orders;
mod prepay;
mod refunds;
mod reply;
mod routes;

pub(super) use routes::routes;
