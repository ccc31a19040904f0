//! What is promised of the way to an endpoint.

mod failing;
mod nodes;
mod order;
mod passing;
