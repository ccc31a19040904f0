//! What a call is about, as far as it says so, or as the books know what it names: APIv3's paths and JSON, APIv2's XML.
//! Deliberately absent: whether the call is any good; that is for the API to say.

use serde_json::Value;

use crate::books::{Books, OrderKey, RefundKey};
use crate::simulator::Shared;

/// Who calls, and about what.
pub(super) struct About {
    pub(super) merchant: Option<String>,
    /// Numbers of orders; that of a combined one stands before those of its parts.
    pub(super) orders: Vec<String>,
}

impl About {
    pub(super) fn of(books: &Books, path: &str, authorization: Option<&str>, body: &[u8]) -> Self {
        let text = std::str::from_utf8(body).unwrap_or_default();
        let json: Value = serde_json::from_str(text).unwrap_or_default();
        let in_path = |before: &str| path.split_once(before)?.1.split('/').next().map(str::to_owned);
        let said = |field: &str| match json.get(field) {
            Some(value) => value.as_str().map(str::to_owned),
            None => in_xml(text, field),
        };
        let signer = authorization.and_then(|text| between(text, "mchid=\"", "\""));
        let merchant = signer.or_else(|| in_xml(text, "mch_id"));
        let named = [in_path("/out-trade-no/"), said("combine_out_trade_no"), said("out_trade_no")];
        let parts = json.get("sub_orders").and_then(Value::as_array).into_iter().flatten();
        let parts = parts.filter_map(|part| part.get("out_trade_no")?.as_str()).map(str::to_owned);
        let paid = in_path("/transactions/id/").or_else(|| said("transaction_id"));
        let paid = paid.and_then(|id| Some(books.order_of(&id)?.0.out_trade_no.clone()));
        let refund = in_path("/refund/domestic/refunds/").or_else(|| said("out_refund_no"));
        let refund = refund.zip(merchant.as_deref()).map(|(number, mchid)| RefundKey::new(mchid, &number));
        let refunded = refund.and_then(|key| Some(books.refund_of(&key)?.order.out_trade_no.clone()));
        let orders = named.into_iter().flatten().chain(parts).chain(paid).chain(refunded).collect();
        Self { merchant, orders }
    }

    /// The user pays the order that is named first, if it is closed now. False if nothing was paid.
    pub(super) fn is_paid(&self, shared: &Shared) -> bool {
        let (Some(mchid), Some(number)) = (&self.merchant, self.orders.first()) else { return false };
        let key = OrderKey::new(mchid, number);
        shared.at_desk(|desk| {
            desk.books.is_closed(&key) && desk.books.pay_despite_close(&key, None, desk.now, desk.rng).is_ok()
        })
    }
}

/// The text of an element of APIv2's flat XML.
fn in_xml(text: &str, name: &str) -> Option<String> {
    let inside = between(text, &format!("<{name}>"), &format!("</{name}>"))?;
    let inside = inside.trim();
    let bare = inside.strip_prefix("<![CDATA[").and_then(|rest| rest.strip_suffix("]]>"));
    Some(bare.unwrap_or(inside).to_owned())
}

fn between(text: &str, before: &str, behind: &str) -> Option<String> {
    Some(text.split_once(before)?.1.split_once(behind)?.0.to_owned())
}
