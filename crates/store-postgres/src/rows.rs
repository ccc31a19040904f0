//! Values on their way in, by columns, and rows on their way out, read back into the types that were written.

use std::borrow::Cow;

use payonce_core::{
    AppId, Currency, Fen, Json, MerchantId, Order, OrderKey, OrderState, OutTradeNo, StoreError, Terms,
    UnixMillis, WechatPaymentId,
    fact::Content,
    order::OrderId,
    store::{ForeignValue, KeptPayment, KnownOrder, PaymentRow, codes},
};
use sqlx::{Decode, Postgres, Row, Type, postgres::PgRow};

use crate::errors::class;

/// One column of what is to be written: statements take whole columns.
pub(crate) fn column<'a, R, T>(rows: &[&'a R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(|row| value(row)).collect()
}

/// A code as it stands in a column.
pub(crate) fn code(code: i64) -> i16 {
    i16::try_from(code).expect("BUG: codes are places in short lists")
}

/// A number of messages or of contradictions. None comes near two thousand million.
pub(crate) fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A free text as PostgreSQL can hold it: without NUL.
pub(crate) fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}

/// How many rows at the most, as SQL counts.
pub(crate) fn limit_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A value of a row, by its place.
pub(crate) fn value<'r, T>(row: &'r PgRow, place: usize) -> Result<T, StoreError>
where
    T: Decode<'r, Postgres> + Type<Postgres>,
{
    row.try_get(place).map_err(class)
}

/// Turns a failed parse into the name of the column.
pub(crate) fn read<T, E>(column: &'static str, parsed: Result<T, E>) -> Result<T, StoreError> {
    parsed.map_err(|_| ForeignValue { column }.into())
}

pub(crate) fn known<T>(column: &'static str, value: Option<T>) -> Result<T, StoreError> {
    value.ok_or_else(|| ForeignValue { column }.into())
}

fn sub_merchant(column: &'static str, row: &PgRow, place: usize) -> Result<Option<MerchantId>, StoreError> {
    read(column, value::<Option<&str>>(row, place)?.map(MerchantId::parse).transpose())
}

/// The columns that [`order`] reads, of `payonce.orders o`.
macro_rules! order_columns {
    () => {
        "o.id, o.amount, o.currency, o.appid, o.expires_at, o.state, o.flagged, o.messages, o.registered_at, \
         o.sub_mchid"
    };
}
pub(crate) use order_columns;

/// How many columns [`order_columns`] names.
pub(crate) const ORDER_COLUMNS: usize = 10;

/// The number and the state of an order among [`order_columns`].
pub(crate) fn order_state(row: &PgRow) -> Result<(OrderId, i64), StoreError> {
    Ok((OrderId(value(row, 0)?), i64::from(value::<i16>(row, 5)?)))
}

/// Reads [`order_columns`]; `by` is the payment that paid it, if it is paid.
pub(crate) fn order(
    row: &PgRow,
    key: OrderKey,
    by: Option<WechatPaymentId>,
) -> Result<KnownOrder, StoreError> {
    let (id, state) = order_state(row)?;
    let paid = |late| known("payment.transaction_id", by.map(|by| OrderState::Paid { by, late }));
    let state = match state {
        0 => OrderState::Pending,
        codes::STATE_PAID => paid(false)?,
        codes::STATE_PAID_LATE => paid(true)?,
        3 => OrderState::Closed,
        codes::STATE_AWAITED => return Ok(KnownOrder::Awaited(id, key)),
        _ => return known("orders.state", None),
    };
    let order = Order {
        key,
        terms: Terms {
            amount: read("orders.amount", Fen::new(value(row, 1)?))?,
            currency: read("orders.currency", Currency::parse(value(row, 2)?))?,
            appid: read("orders.appid", AppId::parse(value(row, 3)?))?,
            sub_merchant: sub_merchant("orders.sub_mchid", row, 9)?,
            expires_at: value::<Option<i64>>(row, 4)?.map(UnixMillis),
        },
        state,
        flagged: value(row, 6)?,
        messages: read("orders.messages", u32::try_from(value::<i32>(row, 7)?))?,
        registered_at: UnixMillis(value(row, 8)?),
    };
    Ok(KnownOrder::Registered(id, order))
}

/// The columns that [`kept_payment`] reads, of `p`.
macro_rules! payment_columns {
    () => {
        "p.id, p.mchid, p.transaction_id, p.rival, p.out_trade_no, p.amount, p.currency, p.appid, p.standing, \
         p.paid_at, p.source, p.detail, p.learnt_at, p.sub_mchid"
    };
}
pub(crate) use payment_columns;

/// How many columns [`payment_columns`] names.
pub(crate) const PAYMENT_COLUMNS: usize = 14;

/// Reads [`payment_columns`], of which the first is at place `at`.
pub(crate) fn kept_payment(row: &PgRow, at: usize) -> Result<KeptPayment, StoreError> {
    let code = |place| Ok::<_, StoreError>(i64::from(value::<i16>(row, at + place)?));
    Ok(KeptPayment {
        row: PaymentRow(value(row, at)?),
        content: Content {
            key: OrderKey {
                merchant: read("payment.mchid", MerchantId::parse(value(row, at + 1)?))?,
                out_trade_no: read("payment.out_trade_no", OutTradeNo::parse(value(row, at + 4)?))?,
            },
            payment: read("payment.transaction_id", WechatPaymentId::parse(value(row, at + 2)?))?,
            amount: read("payment.amount", Fen::new(value(row, at + 5)?))?,
            currency: read("payment.currency", Currency::parse(value(row, at + 6)?))?,
            appid: read("payment.appid", AppId::parse(value(row, at + 7)?))?,
            sub_merchant: sub_merchant("payment.sub_mchid", row, at + 13)?,
        },
        rival: read("payment.rival", u32::try_from(value::<i32>(row, at + 3)?))?,
        standing: known("payment.standing", codes::standing(code(8)?))?,
        paid_at: value::<Option<i64>>(row, at + 9)?.map(UnixMillis),
        source: known("payment.source", codes::source(code(10)?))?,
        detail: read("payment.detail", value::<Option<String>>(row, at + 11)?.map(Json::parse).transpose())?,
    })
}

/// When a payment was learnt of, of [`payment_columns`].
pub(crate) fn learnt_at(row: &PgRow, at: usize) -> Result<UnixMillis, StoreError> {
    value(row, at + 12).map(UnixMillis)
}
