//! `POST /notify/v3/{mchid}`: what WeChat hears, and that it hears nothing else.

mod acknowledged;
mod answered;
mod batches;
mod combined;
mod durable;
mod kept;
mod limits;
mod modes;
mod overload;
mod unopened;
mod unreadable;
mod unverified;
