//! What is promised of the way to an endpoint.

mod clocks;
mod failing;
mod nodes;
mod on_stores;
mod order;
mod passing;
