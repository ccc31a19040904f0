//! Rows, read back into the types that were written.

use payonce_core::{
    AppId, Currency, Fen, Json, MerchantId, Order, OrderKey, OrderState, Terms, UnixMillis, WechatPaymentId,
    fact::Content,
    order::OrderId,
    store::{ForeignValue, KeptPayment, KnownOrder, PaymentRow, codes},
};
use rusqlite::Row;

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

pub(crate) fn known<T>(column: &'static str, value: Option<T>) -> Result<T, RowError> {
    value.ok_or(RowError::Foreign(ForeignValue { column }))
}

/// The columns that [`order`] reads, of `orders o`. Only a paid order has a payment to look for.
pub(crate) const ORDER_COLUMNS: &str = "o.id, o.amount, o.currency, o.appid, o.expires_at, o.state, o.flagged, \
     o.messages, o.registered_at, o.sub_mchid, CASE WHEN o.state IN (1, 2) THEN \
     (SELECT p.transaction_id FROM payment p WHERE p.order_id = o.id AND p.standing = 0) END";

/// Reads [`ORDER_COLUMNS`].
pub(crate) fn order(row: &Row<'_>, key: &OrderKey) -> Result<KnownOrder, RowError> {
    let id = OrderId(row.get(0)?);
    let by = || -> Result<WechatPaymentId, RowError> {
        let number = read("orders.state", row.get_ref(10)?.as_str())?;
        read("payment.transaction_id", WechatPaymentId::parse(number))
    };
    let state = match row.get(5)? {
        0 => OrderState::Pending,
        codes::STATE_PAID => OrderState::Paid { by: by()?, late: false },
        codes::STATE_PAID_LATE => OrderState::Paid { by: by()?, late: true },
        3 => OrderState::Closed,
        codes::STATE_AWAITED => return Ok(KnownOrder::Awaited(id, key.clone())),
        _ => return known("orders.state", None),
    };
    let order = Order {
        key: key.clone(),
        terms: Terms {
            amount: read("orders.amount", Fen::new(row.get(1)?))?,
            currency: currency(row, 2)?,
            appid: appid(row, 3)?,
            sub_merchant: sub_merchant(row, 9)?,
            expires_at: row.get::<_, Option<i64>>(4)?.map(UnixMillis),
        },
        state,
        flagged: row.get(6)?,
        messages: row.get(7)?,
        registered_at: UnixMillis(row.get(8)?),
    };
    Ok(KnownOrder::Registered(id, order))
}

/// The columns that [`kept_payment`] reads, of `payment`.
pub(crate) const PAYMENT_COLUMNS: &str = "id, mchid, transaction_id, rival, out_trade_no, amount, currency, appid, \
     standing, paid_at, source, detail, learnt_at, sub_mchid";

/// Reads [`PAYMENT_COLUMNS`].
pub(crate) fn kept_payment(row: &Row<'_>) -> Result<KeptPayment, RowError> {
    let content = Content {
        key: OrderKey {
            merchant: read("payment.mchid", MerchantId::parse(text(row, 1)?))?,
            out_trade_no: read("payment.out_trade_no", payonce_core::OutTradeNo::parse(text(row, 4)?))?,
        },
        payment: read("payment.transaction_id", WechatPaymentId::parse(text(row, 2)?))?,
        amount: read("payment.amount", Fen::new(row.get(5)?))?,
        currency: currency(row, 6)?,
        appid: appid(row, 7)?,
        sub_merchant: sub_merchant(row, 13)?,
    };
    Ok(KeptPayment {
        row: PaymentRow(row.get(0)?),
        content,
        rival: row.get(3)?,
        standing: known("payment.standing", codes::standing(row.get(8)?))?,
        paid_at: row.get::<_, Option<i64>>(9)?.map(UnixMillis),
        source: known("payment.source", codes::source(row.get(10)?))?,
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

fn sub_merchant(row: &Row<'_>, column: usize) -> Result<Option<MerchantId>, RowError> {
    let text = row.get_ref(column)?.as_str_or_null().map_err(|error| RowError::Sqlite(error.into()))?;
    read("sub_mchid", text.map(MerchantId::parse).transpose())
}
