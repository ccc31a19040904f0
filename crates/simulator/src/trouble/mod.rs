//! Trouble on demand: rules say which notices and which calls it hits, and what happens to them.
//!
//! A [`Scenario`] is the list of rules, as a file or the control API gives it. `Troubles` keeps count of what they hit.
//! What befalls one attempt at a notice is its `Fate`; the sender lives it. What befalls a call is done by `layer`,
//! which lies round the whole of WeChat's API.
//!
//! Invariants: rules are judged in the order in which notices fall due and calls come in, and dice are thrown by the
//! seed, so that the same run has the same trouble; trouble never changes the books but where it says so
//! ([`CallTrouble::PaidMeanwhile`]). Deliberately absent: trouble at the receiver, which is under test.

mod about;
mod bytes;
mod call;
mod concerns;
mod dice;
mod fate;
mod glob;
mod layer;
mod notice;
mod scenario;
mod tally;
mod twist;

pub use call::{AnswerChange, CallTrouble, Failure};
pub(crate) use fate::{Fate, Hold, KeyChange};
pub(crate) use layer::layer;
pub use notice::NoticeTrouble;
pub use scenario::{CallRule, CallSelector, NoticeRule, NoticeSelector, Scenario, ScenarioError};
pub(crate) use tally::Troubles;
