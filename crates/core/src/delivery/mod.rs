//! What becomes of messages: to which endpoints they go, and what an answer means.
//!
//! The rules alone, pure: an [`Endpoint`]'s [`Filter`] chooses its messages, [`judge`] says what follows from an
//! attempt, a [`Schedule`] when the next one is, a [`Breaker`] whether one may begin at all. Invariants: no clock and no
//! randomness, both are arguments; whatever an endpoint answers, a message is delivered, due again, or listed as
//! exhausted. Where deliveries are kept is [`store::Deliveries`](crate::store::Deliveries). Deliberately absent: HTTP,
//! signatures, and which addresses may be called.

mod attempt;
mod breaker;
mod endpoint;
mod filter;
mod judge;
mod schedule;
mod url;

pub use attempt::{Answer, Attempt, Fault, Heard};
pub use breaker::{Allowance, Breaker};
pub use endpoint::{Endpoint, EndpointId, EndpointName, EndpointState, NameError, Sealed, Settings};
pub use filter::{Filter, FilterError};
pub use judge::{Next, RETRY_AFTER_MAX, judge};
pub use schedule::{Schedule, ScheduleError};
pub use url::{EndpointUrl, Scheme, UrlError};
