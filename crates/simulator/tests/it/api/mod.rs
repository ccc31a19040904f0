//! WeChat's API as the simulator plays it, asked over TCP by a backend that knows the wire protocol alone.

mod authorization;
mod bills;
mod combine;
mod fields;
mod keys;
mod limits;
mod notices;
mod orders;
mod refunds;
mod v2;
