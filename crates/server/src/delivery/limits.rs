//! What an endpoint's settings may be, in the API as in the configuration.

use std::ops::RangeInclusive;

/// Calls at the same time, of each node.
pub(crate) const CONCURRENCY: RangeInclusive<u32> = 1..=1000;
/// Calls that begin in a second, of each node.
pub(crate) const RATE_PER_SECOND: RangeInclusive<u32> = 1..=100_000;
/// Until the connection stands, in milliseconds.
pub(crate) const CONNECT_MAX_MS: RangeInclusive<u32> = 100..=60_000;
/// The whole call, in milliseconds.
pub(crate) const TOTAL_MAX_MS: RangeInclusive<u32> = 100..=120_000;
/// After how long without one success an endpoint is disabled: a minute to thirty days.
pub(crate) const FAILING_MAX_SECONDS: RangeInclusive<u32> = 60..=30 * 24 * 3600;
