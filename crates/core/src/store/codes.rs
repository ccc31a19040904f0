//! The numbers that stand for words in every database. Invariant: a number once given is never given to another.

use crate::{
    decide::{IncidentKind, Outcome, Remedy, Standing},
    delivery::{Answer, EndpointState, Fault},
    fact::Source,
    order::OrderState,
};

use super::delivery::DeliveryState;

const STANDINGS: [Standing; 4] =
    [Standing::Settling, Standing::Second, Standing::Disputed, Standing::Unmatched];
const SOURCES: [Source; 4] = [Source::Callback, Source::Query, Source::Bill, Source::Operator];
const OUTCOMES: [Outcome; 5] =
    [Outcome::Applied, Outcome::Duplicate, Outcome::Unmatched, Outcome::Incident, Outcome::Refused];
const REMEDIES: [Remedy; 2] = [Remedy::Hold, Remedy::Refund];
const ENDPOINT_STATES: [EndpointState; 4] =
    [EndpointState::Enabled, EndpointState::Disabled, EndpointState::Gone, EndpointState::Failing];
const DELIVERY_STATES: [DeliveryState; 2] = [DeliveryState::Pending, DeliveryState::Exhausted];
const INCIDENTS: [IncidentKind; 8] = [
    IncidentKind::AmountMismatch,
    IncidentKind::CurrencyMismatch,
    IncidentKind::AppidMismatch,
    IncidentKind::Contradiction,
    IncidentKind::PaidTwice,
    IncidentKind::PaidAfterClose,
    IncidentKind::UnknownOrder,
    IncidentKind::SubMerchantMismatch,
];

fn place<T: PartialEq>(all: &[T], one: &T) -> i64 {
    let place = all.iter().position(|each| each == one).expect("BUG: the list holds every value of its type");
    place as i64
}

fn at<T: Copy>(all: &[T], code: i64) -> Option<T> {
    usize::try_from(code).ok().and_then(|place| all.get(place).copied())
}

/// A number under which payments wait, and which nobody registered.
pub const STATE_AWAITED: i64 = 4;

/// Of an order that is paid, and not late.
pub const STATE_PAID: i64 = 1;

/// Of an order that is paid, but late.
pub const STATE_PAID_LATE: i64 = 2;

/// Of an order's state.
#[must_use]
pub fn state_code(state: &OrderState) -> i64 {
    match state {
        OrderState::Pending => 0,
        OrderState::Paid { late: false, .. } => STATE_PAID,
        OrderState::Paid { late: true, .. } => STATE_PAID_LATE,
        OrderState::Closed => 3,
    }
}

/// Of a payment's standing.
#[must_use]
pub fn standing_code(standing: Standing) -> i64 {
    place(&STANDINGS, &standing)
}

/// The standing with this number.
#[must_use]
pub fn standing(code: i64) -> Option<Standing> {
    at(&STANDINGS, code)
}

/// Of a fact's source.
#[must_use]
pub fn source_code(source: Source) -> i64 {
    place(&SOURCES, &source)
}

/// The source with this number.
#[must_use]
pub fn source(code: i64) -> Option<Source> {
    at(&SOURCES, code)
}

/// Of an outcome.
#[must_use]
pub fn outcome_code(outcome: Outcome) -> i64 {
    place(&OUTCOMES, &outcome)
}

/// Of a remedy.
#[must_use]
pub fn remedy_code(remedy: Remedy) -> i64 {
    place(&REMEDIES, &remedy)
}

/// The remedy with this number.
#[must_use]
pub fn remedy(code: i64) -> Option<Remedy> {
    at(&REMEDIES, code)
}

/// The kind of incident that is called so.
#[must_use]
pub fn incident_kind(word: &str) -> Option<IncidentKind> {
    INCIDENTS.into_iter().find(|kind| kind.as_str() == word)
}

/// Of an endpoint that was removed. Its row stays, so that its number is never given again.
pub const ENDPOINT_REMOVED: i64 = 4;

/// Of an endpoint's state.
#[must_use]
pub fn endpoint_state_code(state: EndpointState) -> i64 {
    place(&ENDPOINT_STATES, &state)
}

/// The state with this number.
#[must_use]
pub fn endpoint_state(code: i64) -> Option<EndpointState> {
    at(&ENDPOINT_STATES, code)
}

/// Of a delivery's state.
#[must_use]
pub fn delivery_state_code(state: DeliveryState) -> i64 {
    place(&DELIVERY_STATES, &state)
}

/// The state with this number.
#[must_use]
pub fn delivery_state(code: i64) -> Option<DeliveryState> {
    at(&DELIVERY_STATES, code)
}

/// The two columns of an answer: its status, or the word of its fault. A broker that confirms gives neither.
#[must_use]
pub fn answer_columns(answer: Answer) -> (Option<u16>, Option<&'static str>) {
    match answer {
        Answer::Status(status) => (Some(status), None),
        Answer::Confirmed => (None, None),
        Answer::Fault(fault) => (None, Some(fault.as_str())),
    }
}

/// The answer of these two columns.
#[must_use]
pub fn answer(status: Option<i64>, fault: Option<&str>) -> Option<Answer> {
    match (status, fault) {
        (Some(status), None) => u16::try_from(status).ok().map(Answer::Status),
        (None, None) => Some(Answer::Confirmed),
        (None, Some(word)) => Fault::of_word(word).map(Answer::Fault),
        (Some(_), Some(_)) => None,
    }
}
