//! Rows on their way in, as one JSON text a statement, and rows on their way out, read back into the types that were
//! written.
//!
//! `JSON_TABLE` turns the text into rows. Its columns have the very type and collation of the columns that they are
//! compared with: an index is of no use otherwise. Bytes travel in base64. Numbers are written as JSON integers, which
//! both databases read as such, exact over all 64 bits.

use payonce_core::{
    AppId, Currency, Fen, Json, MerchantId, Order, OrderKey, OrderState, OutTradeNo, StoreError, Terms,
    UnixMillis, WechatPaymentId,
    fact::Content,
    order::OrderId,
    store::{ForeignValue, KeptPayment, KnownOrder, PaymentRow, codes},
};
use serde::Serialize;
use sqlx::{Decode, MySql, Row, Type, mysql::MySqlRow};

use crate::errors::class;

/// The type of a column of identifiers, of up to so many characters.
macro_rules! ascii {
    ($length:literal) => {
        concat!("VARCHAR(", $length, ") CHARACTER SET ascii COLLATE ascii_bin")
    };
}
pub(crate) use ascii;

/// The type of a column of free text.
macro_rules! free_text {
    () => {
        "LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
    };
}
pub(crate) use free_text;

/// A parameter that holds an array of arrays, as the table `j` with the column `place` (from 1) and these columns. For
/// each column the server reads a row from its start: short ones come first where there are many.
macro_rules! json_table {
    ($($column:literal $kind:expr, $path:literal);+ $(;)?) => {
        concat!(
            "JSON_TABLE(?, '$[*]' COLUMNS (place FOR ORDINALITY",
            $(", ", $column, " ", $kind, " PATH '$[", $path, "]'",)+
            ")) j"
        )
    };
}
pub(crate) use json_table;

/// The parameter for [`json_table`]: each row a tuple.
pub(crate) fn json<R: Serialize>(rows: impl IntoIterator<Item = R>) -> String {
    let rows: Vec<R> = rows.into_iter().collect();
    serde_json::to_string(&rows).expect("BUG: strings and integers always serialise")
}

/// The row of a list that [`json_table`]'s `place` speaks of. MySQL counts places without a sign, MariaDB with one, and the
/// driver would hold the column's type against ours.
pub(crate) fn row_at<'a, R>(rows: &'a [R], row: &MySqlRow, column: usize) -> Result<&'a R, StoreError> {
    let place: i64 = row.try_get_unchecked(column).map_err(class)?;
    let place = usize::try_from(place).ok().and_then(|place| place.checked_sub(1));
    known("place", place.and_then(|place| rows.get(place)))
}

/// How many bytes of text a statement takes, more or less: a fourth of the smallest default of `max_allowed_packet`
/// (16 MiB in MariaDB, 64 MiB in MySQL), because JSON may double what it quotes.
const STATEMENT_BYTES: usize = 4 << 20;

/// Divides rows into lists that fit into a statement each: one list, unless there are megabytes.
pub(crate) fn portions<R>(rows: &[R], bytes: impl Fn(&R) -> usize) -> Vec<&[R]> {
    let mut portions = Vec::new();
    let (mut from, mut sum) = (0, 0);
    for (at, row) in rows.iter().enumerate() {
        let size = bytes(row);
        if at > from && sum + size > STATEMENT_BYTES {
            portions.push(&rows[from..at]);
            (from, sum) = (at, 0);
        }
        sum += size;
    }
    if from < rows.len() {
        portions.push(&rows[from..]);
    }
    portions
}

/// How many rows at the most, as SQL counts.
pub(crate) fn limit_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A value of a row, by its place.
pub(crate) fn value<'r, T>(row: &'r MySqlRow, place: usize) -> Result<T, StoreError>
where
    T: Decode<'r, MySql> + Type<MySql>,
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

fn sub_merchant(
    column: &'static str,
    row: &MySqlRow,
    place: usize,
) -> Result<Option<MerchantId>, StoreError> {
    read(column, value::<Option<&str>>(row, place)?.map(MerchantId::parse).transpose())
}

/// The columns that [`order`] reads, of `payonce_orders o`.
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
pub(crate) fn order_state(row: &MySqlRow) -> Result<(OrderId, i64), StoreError> {
    Ok((OrderId(value(row, 0)?), value(row, 5)?))
}

/// Reads [`order_columns`]; `by` is the payment that paid it, if it is paid.
pub(crate) fn order(
    row: &MySqlRow,
    key: OrderKey,
    by: Option<WechatPaymentId>,
) -> Result<KnownOrder, StoreError> {
    let (id, state) = order_state(row)?;
    let paid =
        |late| Ok::<_, StoreError>(OrderState::Paid { by: known("payment.transaction_id", by)?, late });
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
        messages: read("orders.messages", u32::try_from(value::<i64>(row, 7)?))?,
        registered_at: UnixMillis(value(row, 8)?),
    };
    Ok(KnownOrder::Registered(id, order))
}

/// The columns that [`kept_payment`] reads, of `payonce_payment p`.
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
pub(crate) fn kept_payment(row: &MySqlRow, at: usize) -> Result<KeptPayment, StoreError> {
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
        rival: read("payment.rival", u32::try_from(value::<i64>(row, at + 3)?))?,
        standing: known("payment.standing", codes::standing(value(row, at + 8)?))?,
        paid_at: value::<Option<i64>>(row, at + 9)?.map(UnixMillis),
        source: known("payment.source", codes::source(value(row, at + 10)?))?,
        detail: read("payment.detail", value::<Option<String>>(row, at + 11)?.map(Json::parse).transpose())?,
    })
}

/// When a payment was learnt of, of [`payment_columns`].
pub(crate) fn learnt_at(row: &MySqlRow, at: usize) -> Result<UnixMillis, StoreError> {
    value(row, at + 12).map(UnixMillis)
}

#[cfg(test)]
mod tests {
    use payonce_test_servers::{mariadb, require};
    use sqlx::{AssertSqlSafe, Connection, MySqlConnection};

    use super::*;

    /// MySQL numbers the rows of a `JSON_TABLE` without a sign, MariaDB with one.
    #[tokio::test]
    async fn a_place_may_have_a_sign_or_none() {
        let Some(server) = require(mariadb::shared()) else { return };
        let database = server.create_database().unwrap();
        let mut connection = MySqlConnection::connect(&database.url()).await.unwrap();
        for kind in ["SIGNED", "UNSIGNED"] {
            for (place, expected) in [(0, None), (1, Some("one")), (2, Some("two")), (3, None)] {
                let select = AssertSqlSafe(format!("SELECT CAST({place} AS {kind})"));
                let row = sqlx::query(select).fetch_one(&mut connection).await.unwrap();
                assert_eq!(row_at(&["one", "two"], &row, 0).ok().copied(), expected, "{kind} {place}");
            }
        }
    }

    #[test]
    fn only_megabytes_take_a_second_statement() {
        let sizes = |rows: &[usize]| -> Vec<usize> {
            portions(rows, |size| *size).iter().map(|portion| portion.len()).collect()
        };
        assert_eq!(sizes(&[]), [0_usize; 0]);
        assert_eq!(sizes(&[1_000; 4_000]), [4_000]);
        assert_eq!(sizes(&[STATEMENT_BYTES, 0, 1]), [2, 1]);
        assert_eq!(sizes(&[1, 2 * STATEMENT_BYTES, 1]), [1, 1, 1], "what does not fit goes alone");
    }
}
