//! Combined orders (合单): several orders, of one merchant or more, paid at once.
//!
//! Invariants: all of the sub-orders are paid or none; each number is unique for its merchant. Deliberately absent:
//! refunds, which go by the sub-order with [`super::RequestRefund`].

mod answer;
mod order;
mod sub_order;

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use answer::{CombineAmount, CombineOrder, CombineSubOrder};
pub use order::{CloseCombine, ClosedSubOrder, QueryCombine};
pub use sub_order::NewSubOrder;

use super::field::{InvalidField, Rule, appid, count, known_number, mchid, notify_url, time};
use super::prepay::{Channel, Payer, SceneInfo};
use super::{Call, CodeUrl, H5, H5Url, Identity, LimitPay, Operation, PrepayId, Scene, wire};
use crate::Serial;
use crate::answer::AnswerError;

const PATH: &str = "/v3/combine-transactions";

/// A combined order before it is placed; [`jsapi`](Self::jsapi), [`app`](Self::app), [`h5`](Self::h5) and
/// [`native`](Self::native) make the call.
///
/// ```
/// use wechatpay::Fen;
/// use wechatpay::api::{Call, NewCombine, NewSubOrder};
///
/// let part = |number, fen| {
///     NewSubOrder::new("1900000109", number, "Coffee", Fen::new(fen).unwrap_or_default(), "table 7")
/// };
/// let parts = [part("PART-1", 1000)?, part("PART-2", 2000)?];
/// let notify_url = "https://pay.example.com/notify/v3/1900000001";
/// let order = NewCombine::new("wx0123456789abcdef", "1900000001", "WHOLE-1", parts, notify_url)?;
/// let call = order.jsapi("oUpF8uMuAJO")?;
/// assert_eq!(call.path_and_query(), "/v3/combine-transactions/jsapi");
/// # Ok::<(), wechatpay::api::InvalidField>(())
/// ```
#[derive(Clone)]
pub struct NewCombine {
    body: Body,
    identity: Option<Identity>,
}

#[derive(Clone, Serialize)]
struct Body {
    combine_appid: String,
    combine_mchid: String,
    combine_out_trade_no: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    scene_info: Option<SceneInfo>,
    sub_orders: Vec<NewSubOrder>,
    #[serde(skip_serializing_if = "Option::is_none")]
    combine_payer_info: Option<Payer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_start: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_expire: Option<String>,
    notify_url: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    limit_pay: Vec<LimitPay>,
}

impl NewCombine {
    /// These sub-orders, placed by `combine_mchid`, whose key signs, in the app `combine_appid`. Merchants combine 2 to
    /// 10, partners (where a sub-order has a `sub_mchid`) 1 to 50. `combine_out_trade_no`: 2 to 32 of
    /// `0-9 A-Z a-z _ - | * @`.
    ///
    /// # Errors
    /// Where one breaks its rule.
    pub fn new(
        combine_appid: &str,
        combine_mchid: &str,
        combine_out_trade_no: &str,
        sub_orders: impl IntoIterator<Item = NewSubOrder>,
        notify_url: &str,
    ) -> Result<Self, InvalidField> {
        let sub_orders: Vec<NewSubOrder> = sub_orders.into_iter().collect();
        let is_partner = sub_orders.iter().any(NewSubOrder::is_of_sub_merchant);
        let (min, max) = if is_partner { (1, 50) } else { (2, 10) };
        count("sub_orders", sub_orders.len(), min, max)?;
        let body = Body {
            combine_appid: appid("combine_appid", combine_appid)?,
            combine_mchid: mchid("combine_mchid", combine_mchid)?,
            combine_out_trade_no: combine_number(combine_out_trade_no)?,
            scene_info: None,
            sub_orders,
            combine_payer_info: None,
            time_start: None,
            time_expire: None,
            notify_url: self::notify_url(notify_url)?,
            limit_pay: Vec::new(),
        };
        Ok(Self { body, identity: None })
    }

    /// When the order begins, RFC 3339 with offset.
    ///
    /// # Errors
    /// Where it is no such time.
    pub fn time_start(mut self, time_start: &str) -> Result<Self, InvalidField> {
        self.body.time_start = Some(time("time_start", time_start)?);
        Ok(self)
    }

    /// Until when it can be paid, RFC 3339 with offset.
    ///
    /// # Errors
    /// Where it is no such time.
    pub fn time_expire(mut self, time_expire: &str) -> Result<Self, InvalidField> {
        self.body.time_expire = Some(time("time_expire", time_expire)?);
        Ok(self)
    }

    /// Where it is placed: the user's address, and a device of at most 16 characters. Combined orders know no shop.
    ///
    /// # Errors
    /// Where the user's address is missing, the device is longer, or a shop is given.
    pub fn scene(mut self, scene: Scene) -> Result<Self, InvalidField> {
        if scene.has_store() {
            let rule = Rule::Excludes { other: "sub_orders" };
            return Err(InvalidField::new("scene_info.store_info", rule));
        }
        let chars = scene.device_id_len();
        if chars > 16 {
            return Err(InvalidField::new("scene_info.device_id", Rule::Length { chars, min: 1, max: 16 }));
        }
        self.body.scene_info = Some(SceneInfo::with_address(scene)?);
        Ok(self)
    }

    /// Which ways of paying are ruled out.
    #[must_use]
    pub fn limit_pay(mut self, limits: impl IntoIterator<Item = LimitPay>) -> Self {
        self.body.limit_pay = limits.into_iter().collect();
        self
    }

    /// Only this person may pay; needs a permission of its own.
    #[must_use]
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// In a Mini Program or a page inside WeChat, by the user with this openid under `combine_appid`.
    ///
    /// # Errors
    /// Where it does not have 1 to 128 characters.
    pub fn jsapi(mut self, openid: &str) -> Result<CombinePrepay<PrepayId>, InvalidField> {
        self.body.combine_payer_info = Some(Payer::own(openid)?);
        Ok(self.call(Channel::Jsapi))
    }

    /// As [`jsapi`](Self::jsapi), by the user with this openid under the `sub_appid` of the sub-orders.
    ///
    /// # Errors
    /// Where no sub-order has a `sub_appid`, or `sub_openid` does not have 1 to 128 characters.
    pub fn jsapi_sub(mut self, sub_openid: &str) -> Result<CombinePrepay<PrepayId>, InvalidField> {
        if !self.body.sub_orders.iter().any(NewSubOrder::has_sub_appid) {
            return Err(InvalidField::new("combine_payer_info.sub_openid", Rule::NeedsSubAppid));
        }
        self.body.combine_payer_info = Some(Payer::sub(sub_openid)?);
        Ok(self.call(Channel::Jsapi))
    }

    /// In a mobile app.
    #[must_use]
    pub fn app(self) -> CombinePrepay<PrepayId> {
        self.call(Channel::App)
    }

    /// By a QR code that the user scans.
    #[must_use]
    pub fn native(self) -> CombinePrepay<CodeUrl> {
        self.call(Channel::Native)
    }

    /// In a mobile browser outside WeChat; needs a scene with the user's address.
    ///
    /// # Errors
    /// Where no scene was given.
    pub fn h5(mut self, h5: H5) -> Result<CombinePrepay<H5Url>, InvalidField> {
        self.body.scene_info = Some(SceneInfo::for_h5(self.body.scene_info, h5)?);
        Ok(self.call(Channel::H5))
    }

    fn call<A>(mut self, channel: Channel) -> CombinePrepay<A> {
        let encrypted_for = self.identity.as_ref().map(|identity| identity.encrypted_for.clone());
        if let Some(identity) = self.identity {
            self.body.combine_payer_info.get_or_insert_with(Payer::default).identity = Some(identity);
        }
        CombinePrepay { channel, body: self.body, encrypted_for, answer: PhantomData }
    }
}

impl fmt::Debug for NewCombine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NewCombine").field(&self.body).finish()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("combine_mchid", &self.combine_mchid)
            .field("combine_out_trade_no", &self.combine_out_trade_no)
            .field("sub_orders", &self.sub_orders)
            .finish_non_exhaustive()
    }
}

fn combine_number(number: &str) -> Result<String, InvalidField> {
    const FIELD: &str = "combine_out_trade_no";
    super::field::text(FIELD, number, 2, 32)?;
    known_number(FIELD, number, 32)
}

/// The prepay of a combined order: `POST /v3/combine-transactions/{jsapi|app|h5|native}`.
#[derive(Clone)]
pub struct CombinePrepay<A> {
    channel: Channel,
    body: Body,
    encrypted_for: Option<Serial>,
    answer: PhantomData<fn() -> A>,
}

impl<A> CombinePrepay<A> {
    /// The number of the whole.
    #[must_use]
    pub fn combine_out_trade_no(&self) -> &str {
        &self.body.combine_out_trade_no
    }
}

impl<A> fmt::Debug for CombinePrepay<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CombinePrepay").field(&self.channel).field(&self.body).finish()
    }
}

impl<A: DeserializeOwned> Call for CombinePrepay<A> {
    type Answer = A;

    fn method(&self) -> &'static str {
        "POST"
    }

    fn path_and_query(&self) -> String {
        format!("{PATH}/{}", self.channel.as_str())
    }

    fn body(&self) -> Option<Vec<u8>> {
        Some(wire::json(&self.body))
    }

    fn operation(&self) -> Operation {
        Operation::Prepay
    }

    fn signer(&self) -> Option<&str> {
        Some(&self.body.combine_mchid)
    }

    fn encrypted_for(&self) -> Option<&Serial> {
        self.encrypted_for.as_ref()
    }

    fn read(&self, body: &[u8]) -> Result<A, AnswerError> {
        wire::read(body)
    }
}
