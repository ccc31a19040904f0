//! The dispatcher in paused time, and senders with real servers on loopback ports.

mod answers;
mod brokers;
mod connections;
mod dispatcher;
mod fixture;
mod networks;
mod post_office;
mod receiver;
mod signatures;
mod tls;
