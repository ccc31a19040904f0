//! Messages are sent to real servers on loopback ports.

mod answers;
mod brokers;
mod connections;
mod fixture;
mod networks;
mod receiver;
mod signatures;
mod tls;
