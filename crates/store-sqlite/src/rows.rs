//! How values stand in columns, both ways. Invariant: a number once given to a word is never given to another.

use payonce_core::{
    AppId, Currency, Fen, Json, Order, OrderKey, OrderState, Outcome, Terms, UnixMillis, WechatPaymentId,
    decide::{IncidentKind, Remedy, Standing},
    fact::{Content, Source},
    order::OrderId,
    store::{KeptPayment, PaymentRow},
};
use rusqlite::Row;

use crate::errors::ForeignValue;

/// Why a row was not read.
#[derive(Debug)]
pub(crate) enum RowError {
    Sqlite(rusqlite::Error),
    Foreign(ForeignValue),
}

impl From<rusqlite::Error> for RowError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<RowError> for payonce_core::StoreError {
    fn from(error: RowError) -> Self {
        match error {
            RowError::Sqlite(error) => crate::errors::class(error),
            RowError::Foreign(error) => error.into(),
        }
    }
}

/// Turns a failed parse into the name of the column.
pub(crate) fn read<T, E>(column: &'static str, parsed: Result<T, E>) -> Result<T, RowError> {
    parsed.map_err(|_| RowError::Foreign(ForeignValue { column }))
}

fn known<T>(column: &'static str, value: Option<T>) -> Result<T, RowError> {
    value.ok_or(RowError::Foreign(ForeignValue { column }))
}

pub(crate) fn state_code(state: &OrderState) -> i64 {
    match state {
        OrderState::Pending => 0,
        OrderState::Paid { late: false, .. } => 1,
        OrderState::Paid { late: true, .. } => 2,
        OrderState::Closed => 3,
    }
}

const STANDINGS: [Standing; 4] =
    [Standing::Settling, Standing::Second, Standing::Disputed, Standing::Unmatched];
const SOURCES: [Source; 4] = [Source::Callback, Source::Query, Source::Bill, Source::Operator];
const OUTCOMES: [Outcome; 5] =
    [Outcome::Applied, Outcome::Duplicate, Outcome::Unmatched, Outcome::Incident, Outcome::Refused];
const INCIDENTS: [IncidentKind; 7] = [
    IncidentKind::AmountMismatch,
    IncidentKind::CurrencyMismatch,
    IncidentKind::AppidMismatch,
    IncidentKind::Contradiction,
    IncidentKind::PaidTwice,
    IncidentKind::PaidAfterClose,
    IncidentKind::UnknownOrder,
];

fn place<T: PartialEq>(all: &[T], one: &T) -> i64 {
    let place = all.iter().position(|each| each == one).expect("BUG: the list holds every value of its type");
    place as i64
}

fn at<T: Copy>(all: &[T], column: &'static str, code: i64) -> Result<T, RowError> {
    known(column, usize::try_from(code).ok().and_then(|place| all.get(place).copied()))
}

pub(crate) fn standing_code(standing: Standing) -> i64 {
    place(&STANDINGS, &standing)
}

pub(crate) fn standing(code: i64) -> Result<Standing, RowError> {
    at(&STANDINGS, "payment.standing", code)
}

pub(crate) fn source_code(source: Source) -> i64 {
    place(&SOURCES, &source)
}

pub(crate) fn source(code: i64) -> Result<Source, RowError> {
    at(&SOURCES, "payment.source", code)
}

pub(crate) fn outcome_code(outcome: Outcome) -> i64 {
    place(&OUTCOMES, &outcome)
}

pub(crate) fn incident_kind(word: &str) -> Result<IncidentKind, RowError> {
    known("incident.kind", INCIDENTS.into_iter().find(|kind| kind.as_str() == word))
}

pub(crate) fn remedy_code(remedy: Remedy) -> i64 {
    match remedy {
        Remedy::Hold => 0,
        Remedy::Refund => 1,
    }
}

pub(crate) fn remedy(code: i64) -> Result<Remedy, RowError> {
    at(&[Remedy::Hold, Remedy::Refund], "incident.remedy", code)
}

/// The columns that [`order`] reads, of `orders o`. Only a paid order has a payment to look for.
pub(crate) const ORDER_COLUMNS: &str = "o.id, o.amount, o.currency, o.appid, o.expires_at, o.state, o.flagged, \
     o.messages, o.registered_at, CASE WHEN o.state IN (1, 2) THEN \
     (SELECT p.transaction_id FROM payment p WHERE p.order_id = o.id AND p.standing = 0) END";

/// Reads [`ORDER_COLUMNS`].
pub(crate) fn order(row: &Row<'_>, key: &OrderKey) -> Result<(OrderId, Order), RowError> {
    let by = || -> Result<WechatPaymentId, RowError> {
        let number = read("orders.state", row.get_ref(9)?.as_str())?;
        read("payment.transaction_id", WechatPaymentId::parse(number))
    };
    let state = match row.get(5)? {
        0 => OrderState::Pending,
        1 => OrderState::Paid { by: by()?, late: false },
        2 => OrderState::Paid { by: by()?, late: true },
        3 => OrderState::Closed,
        _ => return known("orders.state", None),
    };
    let order = Order {
        key: key.clone(),
        terms: Terms {
            amount: read("orders.amount", Fen::new(row.get(1)?))?,
            currency: currency(row, 2)?,
            appid: appid(row, 3)?,
            expires_at: row.get::<_, Option<i64>>(4)?.map(UnixMillis),
        },
        state,
        flagged: row.get(6)?,
        messages: row.get(7)?,
        registered_at: UnixMillis(row.get(8)?),
    };
    Ok((OrderId(row.get(0)?), order))
}

/// The columns that [`kept_payment`] reads, of `payment`.
pub(crate) const PAYMENT_COLUMNS: &str = "id, mchid, transaction_id, rival, out_trade_no, amount, currency, appid, \
     standing, paid_at, source, detail, learnt_at";

/// Reads [`PAYMENT_COLUMNS`].
pub(crate) fn kept_payment(row: &Row<'_>) -> Result<KeptPayment, RowError> {
    let content = Content {
        key: OrderKey {
            merchant: read("payment.mchid", payonce_core::MerchantId::parse(text(row, 1)?))?,
            out_trade_no: read("payment.out_trade_no", payonce_core::OutTradeNo::parse(text(row, 4)?))?,
        },
        payment: read("payment.transaction_id", WechatPaymentId::parse(text(row, 2)?))?,
        amount: read("payment.amount", Fen::new(row.get(5)?))?,
        currency: currency(row, 6)?,
        appid: appid(row, 7)?,
    };
    Ok(KeptPayment {
        row: PaymentRow(row.get(0)?),
        content,
        rival: row.get(3)?,
        standing: standing(row.get(8)?)?,
        paid_at: row.get::<_, Option<i64>>(9)?.map(UnixMillis),
        source: source(row.get(10)?)?,
        detail: read("payment.detail", row.get::<_, Option<String>>(11)?.map(Json::parse).transpose())?,
    })
}

/// A text column, borrowed.
pub(crate) fn text<'row>(row: &'row Row<'_>, column: usize) -> Result<&'row str, RowError> {
    row.get_ref(column)?.as_str().map_err(|error| RowError::Sqlite(error.into()))
}

fn currency(row: &Row<'_>, column: usize) -> Result<Currency, RowError> {
    read("currency", Currency::parse(text(row, column)?))
}

fn appid(row: &Row<'_>, column: usize) -> Result<AppId, RowError> {
    read("appid", AppId::parse(text(row, column)?))
}
