//! From bytes to an acknowledged effect.
//!
//! Invariants: 204 leaves only after the transaction is durable; everything else is 4xx or 5xx, so that
//! WeChat sends again; nothing unverified is believed.

mod ack;
mod answered;
mod applier;
mod committed;
mod effects;
mod handler;
mod notes;
mod protocol;
mod refusal;
mod reopen;
mod shared;
mod statement;
mod translate;

pub(crate) use applier::BATCH_WITH_EFFECTS_MAX;
pub use applier::{BATCH_CALLBACKS_MAX, Grouping};
pub use effects::{UnfitEffect, check_effects};
pub use handler::{CALLBACK_BYTES_MAX, KEPT_BODY_BYTES_MAX};
pub use shared::SharedError;

pub(crate) use applier::{Applier, Applying, Intake, Shed};
pub(crate) use committed::Committed;
pub(crate) use effects::with_bounded;
pub(crate) use handler::{CALLBACK_BUDGET, notify_v2, notify_v3, wrong_method_v2, wrong_method_v3};
pub(crate) use notes::Flood;
pub(crate) use reopen::{REOPEN_EVERY, reopen};
pub(crate) use shared::{SHARED_WAIT_MAX, Shared};
