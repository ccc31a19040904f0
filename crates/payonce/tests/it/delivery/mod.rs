//! The proof of delivery: whatever ends or stops a node and whenever, every message reaches every endpoint, under its own id
//! and with its own bytes, an order's in their sequence where that is asked for, and nothing is left over.

mod paused;
mod points;
mod random;
mod receiver;
mod scene;

use std::time::Duration;

/// How long what must come may take: what a node had that died comes to others after half a minute, by itself.
const PATIENCE: Duration = Duration::from_secs(120);
