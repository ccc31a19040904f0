//! SDKs of others as a merchant's backend, against the simulator: their own requests, their own check of every answer,
//! and notices that they receive over HTTP and open.

mod flow;
mod stage;
