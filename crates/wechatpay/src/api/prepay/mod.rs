//! Prepay: an order becomes known to WeChat Pay, and payable.
//!
//! Invariant: one order number belongs to one set of parameters and one kind of prepay; sending the same call again is
//! safe and renews what has expired. Deliberately absent: invoking the cashier, which [`crate::pay_sign`] and its
//! siblings prepare.

mod answer;
mod body;
mod goods;
mod payer;
mod scene;

use std::fmt;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;

pub use answer::{CodeUrl, H5Url, PrepayId};
pub use body::LimitPay;
pub use goods::{Goods, OrderDetail};
pub use payer::{Identity, IdentityType};
pub use scene::{H5, H5Type, Scene, Store};

pub(super) use payer::Payer;
pub(super) use scene::SceneInfo;

use super::field::{InvalidField, Rule, amount, notify_url, number, text, time};
use super::{Account, Call, Merchant, Operation, wire};
use crate::answer::AnswerError;
use crate::{Fen, Serial};
use body::{Amount, Body, SettleInfo, SubsidyDetail, SubsidyInfo};

/// The kinds of prepay, as they end the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channel {
    Jsapi,
    App,
    H5,
    Native,
}

impl Channel {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Jsapi => "jsapi",
            Self::App => "app",
            Self::H5 => "h5",
            Self::Native => "native",
        }
    }
}

/// An order before it is placed: what is common to every kind of prepay. The methods at the end, [`jsapi`](Self::jsapi),
/// [`app`](Self::app), [`h5`](Self::h5) and [`native`](Self::native), make the call.
///
/// ```
/// use wechatpay::Fen;
/// use wechatpay::api::{Account, Call, NewOrder};
///
/// let account = Account::ordinary("wx0123456789abcdef", "1900000001")?;
/// let notify_url = "https://pay.example.com/notify/v3/1900000001";
/// let order = NewOrder::new(&account, "ORDER20260302A", "Coffee beans", Fen::new(5990)?, notify_url)?;
/// let call = order.attach("table 7")?.time_expire("2026-03-02T12:00:00+08:00")?.jsapi("oUpF8uMuAJO")?;
///
/// assert_eq!((call.method(), call.path_and_query().as_str()), ("POST", "/v3/pay/transactions/jsapi"));
/// let answer = call.read(br#"{"prepay_id":"wx201410272009395522657a690389285100"}"#)?;
/// assert_eq!(answer.prepay_id, "wx201410272009395522657a690389285100");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct NewOrder {
    account: Account,
    body: Body,
    identity: Option<Identity>,
}

impl NewOrder {
    /// An order of this merchant's. `out_trade_no` is unique for the merchant (in partner mode for the provider, over
    /// all sub-merchants): 6 to 32 of `0-9 A-Z a-z _ - | *`. `description` is shown to the user, 1 to 127 characters.
    /// `total` is at least 1 fen. `notify_url` is `https` (`http` at the loopback), without query, at most 255
    /// characters.
    ///
    /// # Errors
    /// Where one breaks its rule.
    pub fn new(
        account: &Account,
        out_trade_no: &str,
        description: &str,
        total: Fen,
        notify_url: &str,
    ) -> Result<Self, InvalidField> {
        let body = Body {
            account: account.clone(),
            description: text("description", description, 1, 127)?,
            out_trade_no: number("out_trade_no", out_trade_no, 6, 32)?,
            time_expire: None,
            attach: None,
            notify_url: self::notify_url(notify_url)?,
            goods_tag: None,
            limit_pay: Vec::new(),
            support_fapiao: None,
            amount: Amount { total: amount("amount.total", total, i64::MAX)?, currency: "CNY" },
            payer: None,
            detail: None,
            scene_info: None,
            settle_info: None,
            subsidy_info: None,
        };
        Ok(Self { account: account.clone(), body, identity: None })
    }

    /// Until when it can be paid, RFC 3339 with an offset. At least a minute from now; not passed, 7 days. It cannot
    /// be changed by a later prepay, and reaching it does not close the order.
    ///
    /// # Errors
    /// Where it is no such time.
    pub fn time_expire(mut self, time_expire: &str) -> Result<Self, InvalidField> {
        self.body.time_expire = Some(time("time_expire", time_expire)?);
        Ok(self)
    }

    /// Comes back in queries, notices and bills once the order is paid. At most 128 characters.
    ///
    /// # Errors
    /// Where it is longer.
    pub fn attach(mut self, attach: &str) -> Result<Self, InvalidField> {
        self.body.attach = Some(text("attach", attach, 1, 128)?);
        Ok(self)
    }

    /// The tag of a promotion, at most 32 characters.
    ///
    /// # Errors
    /// Where it is longer.
    pub fn goods_tag(mut self, goods_tag: &str) -> Result<Self, InvalidField> {
        self.body.goods_tag = Some(text("goods_tag", goods_tag, 1, 32)?);
        Ok(self)
    }

    /// Which ways of paying are ruled out.
    #[must_use]
    pub fn limit_pay(mut self, limits: impl IntoIterator<Item = LimitPay>) -> Self {
        self.body.limit_pay = limits.into_iter().collect();
        self
    }

    /// Whether the user can ask for an electronic invoice (fapiao) afterwards.
    #[must_use]
    pub fn support_fapiao(mut self, support_fapiao: bool) -> Self {
        self.body.support_fapiao = Some(support_fapiao);
        self
    }

    /// What is bought, for promotions of single goods. At most 6144 bytes of JSON.
    ///
    /// # Errors
    /// Where it is larger.
    pub fn detail(mut self, detail: OrderDetail) -> Result<Self, InvalidField> {
        const BYTES_MAX: usize = 6144; // WeChat Pay's limit of the field
        let bytes = wire::json(&detail).len();
        if bytes > BYTES_MAX {
            return Err(InvalidField::new("detail", Rule::Bytes { bytes, max: BYTES_MAX }));
        }
        self.body.detail = Some(detail);
        Ok(self)
    }

    /// Where it is bought.
    #[must_use]
    pub fn scene(mut self, scene: Scene) -> Self {
        self.body.scene_info = Some(scene.into());
        self
    }

    /// `true` freezes the money for profit sharing.
    #[must_use]
    pub fn profit_sharing(mut self, profit_sharing: bool) -> Self {
        self.settle_info().profit_sharing = Some(profit_sharing);
        self
    }

    /// What an e-commerce platform adds, in fen.
    #[must_use]
    pub fn subsidy_amount(mut self, subsidy_amount: Fen) -> Self {
        self.settle_info().subsidy_amount = Some(subsidy_amount);
        self
    }

    /// Of which instalments (分付) the merchant bears the interest: `period_type` `DAILY` or `PERIOD`, and pairs of the
    /// number of instalments (3, 6, 12) and the share in per cent (0, 100). Once for each period type.
    #[must_use]
    pub fn subsidy(mut self, period_type: &str, plans: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let detail = SubsidyDetail::new(period_type, plans);
        self.body.subsidy_info.get_or_insert_with(SubsidyInfo::default).subsidy_detail.push(detail);
        self
    }

    /// Only this person may pay; needs a permission of its own.
    #[must_use]
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// In a Mini Program or a page inside WeChat (JSAPI), by the user with this openid. In partner mode it is the
    /// provider's `sp_openid`.
    ///
    /// # Errors
    /// Where `openid` does not have 1 to 128 characters.
    pub fn jsapi(mut self, openid: &str) -> Result<Prepay<PrepayId>, InvalidField> {
        self.body.payer = Some(Payer::of_account(&self.account, openid)?);
        Ok(self.call(Channel::Jsapi))
    }

    /// In the sub-merchant's own Mini Program or page: by the user with this openid under `sub_appid`.
    ///
    /// # Errors
    /// Where the account has no `sub_appid`, or `sub_openid` does not have 1 to 128 characters.
    pub fn jsapi_sub(mut self, sub_openid: &str) -> Result<Prepay<PrepayId>, InvalidField> {
        if !self.account.has_sub_appid() {
            return Err(InvalidField::new("payer.sub_openid", Rule::NeedsSubAppid));
        }
        self.body.payer = Some(Payer::sub(sub_openid)?);
        Ok(self.call(Channel::Jsapi))
    }

    /// In a mobile app.
    #[must_use]
    pub fn app(self) -> Prepay<PrepayId> {
        self.call(Channel::App)
    }

    /// By a QR code that the user scans.
    #[must_use]
    pub fn native(self) -> Prepay<CodeUrl> {
        self.call(Channel::Native)
    }

    /// In a mobile browser outside WeChat. The scene has to tell the user's address, see [`Scene::payer_client_ip`].
    ///
    /// # Errors
    /// Where no scene with the user's address was given.
    pub fn h5(mut self, h5: H5) -> Result<Prepay<H5Url>, InvalidField> {
        self.body.scene_info = Some(SceneInfo::for_h5(self.body.scene_info, h5)?);
        Ok(self.call(Channel::H5))
    }

    fn settle_info(&mut self) -> &mut SettleInfo {
        self.body.settle_info.get_or_insert_with(SettleInfo::default)
    }

    fn call<A>(mut self, channel: Channel) -> Prepay<A> {
        let encrypted_for = self.identity.as_ref().map(|identity| identity.encrypted_for.clone());
        if let Some(identity) = self.identity {
            self.body.payer.get_or_insert_with(Payer::default).identity = Some(identity);
        }
        Prepay { channel, body: self.body, encrypted_for, answer: PhantomData }
    }
}

impl fmt::Debug for NewOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NewOrder").field(&self.body).finish()
    }
}

/// A prepay: `POST /v3/pay/transactions/{jsapi|app|h5|native}`, in partner mode `/v3/pay/partner/transactions/…`.
#[derive(Clone)]
pub struct Prepay<A> {
    channel: Channel,
    body: Body,
    encrypted_for: Option<Serial>,
    answer: PhantomData<fn() -> A>,
}

impl<A> Prepay<A> {
    /// The order's number.
    #[must_use]
    pub fn out_trade_no(&self) -> &str {
        &self.body.out_trade_no
    }

    /// Whose order it is.
    #[must_use]
    pub fn merchant(&self) -> &Merchant {
        self.body.account.merchant()
    }
}

impl<A> fmt::Debug for Prepay<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Prepay").field(&self.channel).field(&self.body).finish()
    }
}

impl<A: DeserializeOwned> Call for Prepay<A> {
    type Answer = A;

    fn method(&self) -> &'static str {
        "POST"
    }

    fn path_and_query(&self) -> String {
        format!("{}/{}", self.merchant().transactions(), self.channel.as_str())
    }

    fn body(&self) -> Option<Vec<u8>> {
        Some(wire::json(&self.body))
    }

    fn operation(&self) -> Operation {
        Operation::Prepay
    }

    fn signer(&self) -> Option<&str> {
        Some(self.merchant().signer())
    }

    fn encrypted_for(&self) -> Option<&Serial> {
        self.encrypted_for.as_ref()
    }

    fn read(&self, body: &[u8]) -> Result<A, AnswerError> {
        wire::read(body)
    }
}
