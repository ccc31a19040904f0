//! Orders: placed, asked for, closed.
//!
//! Deliberately absent: checking numbers and lengths beforehand, which WeChat Pay does and says.

use super::{Call, Request, is_about};
use crate::Fen;
use crate::api::Operation;
use crate::v2::{AnswerError, Fields, Transaction, VerifiedFields};

/// `POST /pay/unifiedorder`: places an order. The same number with the same parameters may be sent again.
///
/// ```
/// use wechatpay::Fen;
/// use wechatpay::v2::{ApiV2Key, Caller, OrderOptions, Request, SignType, Trade, UnifiedOrder, request_body};
///
/// let call = UnifiedOrder {
///     body: "Coffee".to_owned(),
///     out_trade_no: "ORDER20260302A".to_owned(),
///     total_fee: Fen::new(5990)?,
///     spbill_create_ip: "14.23.150.211".to_owned(),
///     notify_url: "https://pay.example.com/notify/v2/1900000001".to_owned(),
///     trade: Trade::Jsapi { openid: "oUpF8uMuAJO".to_owned() },
///     options: OrderOptions::default(),
/// };
/// let (key, caller) = (ApiV2Key::new("192006250b4c09247ec02edce69f6a2d")?, Caller::merchant("wx1", "1900000001"));
/// // A fresh nonce for each attempt; the body is posted to `call.path()`.
/// let body = request_body(&call, &caller, "5K8264ILTKCH16CQ", SignType::HmacSha256, &key)?;
/// assert!(body.contains("<total_fee><![CDATA[5990]]></total_fee>"));
/// assert_eq!(call.path(), "/pay/unifiedorder");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct UnifiedOrder {
    /// What is bought; at most 127 bytes.
    pub body: String,
    /// The merchant's order number: 6 to 32 of `0-9 A-Z a-z _ - | *`, unique per merchant.
    pub out_trade_no: String,
    /// What it costs.
    pub total_fee: Fen,
    /// The user's IP address, or the server's.
    pub spbill_create_ip: String,
    /// Where the notice goes: absolute, without a query.
    pub notify_url: String,
    /// Where it is paid.
    pub trade: Trade,
    /// The rest.
    pub options: OrderOptions,
}

/// Where an order is paid.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trade {
    /// In a Mini Program or a page within WeChat.
    Jsapi {
        /// The payer within `appid`.
        openid: String,
    },
    /// The same in partner mode, where the payer is known within `sub_appid`.
    JsapiSub {
        /// The payer within `sub_appid`.
        sub_openid: String,
    },
    /// By scanning a code that shows `code_url`.
    Native {
        /// The merchant's number of the product, at most 32 bytes.
        product_id: String,
    },
    /// In an app.
    App,
    /// In a browser outside WeChat (H5).
    Mweb {
        /// JSON: `{"h5_info":{…}}`.
        scene_info: String,
    },
}

/// What an order may have.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct OrderOptions {
    /// The terminal; `WEB` for pages.
    pub device_info: Option<String>,
    /// JSON of the goods, at most 6000 bytes.
    pub detail: Option<String>,
    /// Comes back with the notice; at most 127 bytes.
    pub attach: Option<String>,
    /// `yyyyMMddHHmmss`, Beijing time.
    pub time_start: Option<String>,
    /// `yyyyMMddHHmmss`, Beijing time; a minute or more after the start.
    pub time_expire: Option<String>,
    /// Which coupons may be used.
    pub goods_tag: Option<String>,
    /// No credit cards.
    pub no_credit: bool,
    /// Offer an e-invoice.
    pub receipt: bool,
    /// Freeze the money for sharing it out.
    pub profit_sharing: bool,
}

impl Request for UnifiedOrder {
    fn path(&self) -> &'static str {
        "/pay/unifiedorder"
    }

    fn operation(&self) -> Operation {
        Operation::Prepay
    }

    fn fields(&self) -> Fields {
        let (options, mut fields) = (&self.options, Fields::default());
        fields.insert_optional("device_info", options.device_info.as_deref());
        fields.insert("body", self.body.as_str());
        fields.insert_optional("detail", options.detail.as_deref());
        // The form of `detail` that has goods, the only one that is documented.
        fields.insert_optional("version", options.detail.as_ref().map(|_| "1.0"));
        fields.insert_optional("attach", options.attach.as_deref());
        fields.insert("out_trade_no", self.out_trade_no.as_str());
        fields.insert("total_fee", self.total_fee.to_string());
        fields.insert("spbill_create_ip", self.spbill_create_ip.as_str());
        fields.insert_optional("time_start", options.time_start.as_deref());
        fields.insert_optional("time_expire", options.time_expire.as_deref());
        fields.insert_optional("goods_tag", options.goods_tag.as_deref());
        fields.insert("notify_url", self.notify_url.as_str());
        fields.insert_optional("limit_pay", options.no_credit.then_some("no_credit"));
        fields.insert_optional("receipt", options.receipt.then_some("Y"));
        fields.insert_optional("profit_sharing", options.profit_sharing.then_some("Y"));
        let (trade_type, condition) = match &self.trade {
            Trade::Jsapi { openid } => ("JSAPI", Some(("openid", openid))),
            Trade::JsapiSub { sub_openid } => ("JSAPI", Some(("sub_openid", sub_openid))),
            Trade::Native { product_id } => ("NATIVE", Some(("product_id", product_id))),
            Trade::App => ("APP", None),
            Trade::Mweb { scene_info } => ("MWEB", Some(("scene_info", scene_info))),
        };
        fields.insert("trade_type", trade_type);
        if let Some((name, value)) = condition {
            fields.insert(name, value.as_str());
        }
        fields
    }
}

/// An order that was placed. `Debug` shows no URL: whoever has one can pay, or see what is paid for.
#[derive(Clone, PartialEq, Eq)]
pub struct Prepaid {
    /// For the client to pay with; valid for 2 hours.
    pub prepay_id: String,
    /// Native: what the code shows; valid for 2 hours.
    pub code_url: Option<String>,
    /// H5: where the browser goes; valid for 5 minutes.
    pub mweb_url: Option<String>,
    /// Every field.
    pub fields: VerifiedFields,
}

impl std::fmt::Debug for Prepaid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepaid").field("prepay_id", &self.prepay_id).finish_non_exhaustive()
    }
}

impl Call for UnifiedOrder {
    type Answer = Prepaid;

    fn read(&self, verified: VerifiedFields) -> Result<Prepaid, AnswerError> {
        Ok(Prepaid {
            prepay_id: verified.required("prepay_id")?.to_owned(),
            code_url: verified.owned("code_url"),
            mweb_url: verified.owned("mweb_url"),
            fields: verified,
        })
    }
}

/// Either number of an order; WeChat Pay's own is faster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderNumber {
    /// WeChat Pay's payment number.
    TransactionId(String),
    /// The merchant's order number.
    OutTradeNo(String),
}

impl OrderNumber {
    pub(super) fn insert_into(&self, fields: &mut Fields) {
        let (name, number) = self.named();
        fields.insert(name, number);
    }

    /// Whether an answer is about this order.
    pub(super) fn is_of(&self, verified: &VerifiedFields) -> Result<(), AnswerError> {
        let (name, number) = self.named();
        is_about(verified, name, number)
    }

    fn named(&self) -> (&'static str, &str) {
        match self {
            Self::TransactionId(number) => ("transaction_id", number),
            Self::OutTradeNo(number) => ("out_trade_no", number),
        }
    }
}

/// `POST /pay/orderquery`: asks for an order.
///
/// ```
/// use wechatpay::v2::{OrderNumber, OrderQuery, Request};
///
/// let call = OrderQuery(OrderNumber::OutTradeNo("ORDER20260302A".to_owned()));
/// assert_eq!(call.fields().get("out_trade_no"), Some("ORDER20260302A"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderQuery(pub OrderNumber);

impl Request for OrderQuery {
    fn path(&self) -> &'static str {
        "/pay/orderquery"
    }

    fn operation(&self) -> Operation {
        Operation::Query
    }

    fn fields(&self) -> Fields {
        let mut fields = Fields::default();
        self.0.insert_into(&mut fields);
        fields
    }
}

/// An order that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueriedOrder {
    /// `SUCCESS`, `REFUND`, `NOTPAY`, `CLOSED`, `REVOKED`, `USERPAYING`, `PAYERROR`, `ACCEPT`; an open list.
    pub trade_state: String,
    /// The payment, in the states `SUCCESS` and `REFUND`: the others have none.
    pub transaction: Option<Box<Transaction>>,
    /// Every field.
    pub fields: VerifiedFields,
}

impl Call for OrderQuery {
    type Answer = QueriedOrder;

    fn read(&self, verified: VerifiedFields) -> Result<QueriedOrder, AnswerError> {
        self.0.is_of(&verified)?;
        let trade_state = verified.required("trade_state")?.to_owned();
        let paid = matches!(trade_state.as_str(), "SUCCESS" | "REFUND");
        let transaction = paid.then(|| Transaction::read(verified.clone())).transpose()?;
        Ok(QueriedOrder { trade_state, transaction: transaction.map(Box::new), fields: verified })
    }
}

/// `POST /pay/closeorder`: closes an order that is not paid, five minutes or more after it was placed. Re-entrant.
///
/// ```
/// use wechatpay::api::Operation;
/// use wechatpay::v2::{CloseOrder, Request};
///
/// let call = CloseOrder { out_trade_no: "ORDER20260302A".to_owned() };
/// assert_eq!(call.operation(), Operation::Close); // may be repeated
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseOrder {
    /// The merchant's order number.
    pub out_trade_no: String,
}

impl Request for CloseOrder {
    fn path(&self) -> &'static str {
        "/pay/closeorder"
    }

    fn operation(&self) -> Operation {
        Operation::Close
    }

    fn fields(&self) -> Fields {
        let mut fields = Fields::default();
        fields.insert("out_trade_no", self.out_trade_no.as_str());
        fields
    }
}

impl Call for CloseOrder {
    type Answer = ();

    fn read(&self, _: VerifiedFields) -> Result<(), AnswerError> {
        Ok(())
    }
}
