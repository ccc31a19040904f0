//! A merchant's backend in small: signs its requests as crate `wechatpay` does, and sends them as they are given, right
//! or wrong.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use payonce_simulator::books::{Heard, OrderKey, Progress};
use payonce_simulator::keys::Ring;
use payonce_simulator::{Pace, Setup, Simulator};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use wechatpay::{
    ApiV3Key, Callback, MerchantKey, Notification, PlatformKey, PlatformKeys, RequestToSign, UnixSeconds,
    answer::Answer as Verified,
};

use crate::fixture::NOW;
use crate::receiver::Came;

/// A simulation whose clocks stand, and the merchant that asks.
pub(crate) struct Shop {
    pub(crate) simulator: Simulator,
    pub(crate) mchid: String,
    pub(crate) appid: String,
    pub(crate) ring: Arc<Ring>,
    key: MerchantKey,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Where business time stands and signatures are dated.
pub(crate) fn setup() -> Setup {
    Setup { pace: Pace::ByHand, ..Setup::new(Arc::new(|| NOW)) }
}

impl Shop {
    /// One ordinary merchant, as the simulator makes it up.
    pub(crate) async fn open() -> Self {
        Self::of(setup()).await
    }

    /// The first merchant of this setup.
    pub(crate) async fn of(setup: Setup) -> Self {
        let mchid = setup.merchants.first().map(|first| first.account.mchid.clone());
        let simulator = Simulator::start(setup).await.unwrap();
        let mchid = mchid.unwrap_or_else(|| simulator.mchids()[0].clone());
        Self::at(simulator, &mchid)
    }

    fn at(simulator: Simulator, mchid: &str) -> Self {
        let ring = simulator.ring(mchid).unwrap();
        let appid = simulator.read(|books| books.account(mchid).unwrap().appids.first().unwrap().clone());
        let own = &ring.own()[0];
        let key = MerchantKey::from_pkcs8_pem(&own.certificate().serial, &own.private_pem()).unwrap();
        Self { simulator, mchid: mchid.to_owned(), appid, ring, key }
    }

    /// A Mini Program order over 100 fen, as its backend asks for it.
    pub(crate) fn order(&self, out_trade_no: &str) -> Value {
        json!({
            "appid": self.appid,
            "mchid": self.mchid,
            "description": "Image形象店-深圳腾大-QQ公仔",
            "out_trade_no": out_trade_no,
            "notify_url": "http://127.0.0.1:1/notify",
            "attach": "桌 7",
            "amount": { "total": 100, "currency": "CNY" },
            "payer": { "openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o" },
        })
    }

    /// Places it.
    pub(crate) async fn place(&self, out_trade_no: &str) {
        let answered = self.post("/v3/pay/transactions/jsapi", &self.order(out_trade_no)).await;
        assert_eq!(answered.status, 200, "{answered:?}");
    }

    /// Places an order whose payment is told to this URL.
    pub(crate) async fn place_for(&self, out_trade_no: &str, url: &str) {
        let mut order = self.order(out_trade_no);
        order["notify_url"] = url.into();
        let answered = self.post("/v3/pay/transactions/jsapi", &order).await;
        assert_eq!(answered.status, 200, "{answered:?}");
    }

    /// The same, paid and told.
    pub(crate) async fn paid(&self, out_trade_no: &str, url: &str) {
        self.place_for(out_trade_no, url).await;
        self.simulator.pay(&self.order_key(out_trade_no), None).unwrap();
        self.simulator.quiet().await;
    }

    /// How far each notice has come.
    pub(crate) fn progress(&self) -> Vec<Progress> {
        self.simulator.read(|books| books.notices.entries().map(|(_, entry)| entry.progress).collect())
    }

    /// What came back for the last attempt at the last notice.
    pub(crate) fn last_heard(&self) -> Heard {
        self.simulator.read(|books| {
            let (_, entry) = books.notices.entries().next_back().unwrap();
            entry.attempts.last().unwrap().heard.clone()
        })
    }

    pub(crate) fn order_key(&self, out_trade_no: &str) -> OrderKey {
        OrderKey::new(&self.mchid, out_trade_no)
    }

    pub(crate) async fn get(&self, url: &str) -> Answered {
        self.send(self.request("GET", url, "")).await
    }

    /// The same, signed by another merchant of this simulation.
    pub(crate) async fn get_as(&self, mchid: &str, url: &str) -> Answered {
        let ring = self.simulator.ring(mchid).unwrap();
        let own = &ring.own()[0];
        let key = MerchantKey::from_pkcs8_pem(&own.certificate().serial, &own.private_pem()).unwrap();
        let nonce = "593BEC0C930BF1AFEB40B4A08C8FB242";
        let to_sign = RequestToSign { method: "GET", url, timestamp: NOW, nonce, body: b"" };
        let mut request = self.request("GET", url, "");
        let authorization = to_sign.authorization(mchid, &key).parse().unwrap();
        request.headers_mut().insert("authorization", authorization);
        self.send(request).await
    }

    pub(crate) async fn post(&self, url: &str, body: &Value) -> Answered {
        self.send(self.request("POST", url, &body.to_string())).await
    }

    /// A request as it should be.
    pub(crate) fn request(&self, method: &str, url: &str, body: &str) -> Request<String> {
        self.signed_at(NOW, method, url, body)
    }

    pub(crate) fn signed_at(&self, at: UnixSeconds, method: &str, url: &str, body: &str) -> Request<String> {
        let nonce = "593BEC0C930BF1AFEB40B4A08C8FB242";
        let to_sign = RequestToSign { method, url, timestamp: at, nonce, body: body.as_bytes() };
        let mut request = Request::builder()
            .method(method)
            .uri(url)
            .header("host", self.simulator.addr().to_string())
            .header("accept", "application/json")
            .header("user-agent", "test/1.0")
            .header("authorization", to_sign.authorization(&self.mchid, &self.key));
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        request.body(body.to_owned()).unwrap()
    }

    pub(crate) async fn send(&self, request: Request<String>) -> Answered {
        let stream = TcpStream::connect(self.simulator.addr()).await.unwrap();
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let response = sender.send_request(request.map(|body| Full::new(Bytes::from(body)))).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answered { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// What was sealed for the merchant.
    pub(crate) fn opens(&self, sealed: &str) -> String {
        self.key.decrypt(sealed).unwrap()
    }

    /// Which of WeChat's keys signed an answer. Panics where none did.
    pub(crate) fn proven_by(&self, answered: &Answered) -> String {
        let ring = self.simulator.ring(&self.mchid).unwrap();
        let certificates = ring.certificates().iter().map(|key| &key.certificate().unwrap().pem);
        let certificates = certificates.map(|pem| PlatformKey::from_certificate_pem(pem).unwrap());
        let public_key = ring
            .public_key()
            .map(|key| PlatformKey::from_public_key_pem(key.serial(), key.public_key_pem()).unwrap());
        let keys = PlatformKeys::new(certificates.chain(public_key));
        let headers = answered.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let answer = Verified::parse(answered.status, headers, &answered.body).unwrap();
        answer.verify(&keys, NOW).unwrap().serial().to_string()
    }
}

/// What a merchant's receiver makes of a callback.
pub(crate) fn open(ring: &Ring, came: &Came) -> Notification {
    let public_key = ring.public_key().unwrap();
    let key = PlatformKey::from_public_key_pem(public_key.serial(), public_key.public_key_pem()).unwrap();
    let headers = came.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let callback = Callback::parse(headers, &came.body).unwrap();
    let verified = callback.verify(&PlatformKeys::new([key]), NOW).unwrap();
    verified.open(&ApiV3Key::new(ring.sealing_key().text()).unwrap()).unwrap()
}

impl Answered {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Status, code, and the number at the end of `Request-ID`. Asserts what all errors have in common.
    pub(crate) fn refusal(&self) -> (u16, String, Option<u32>) {
        assert_eq!(self.header("wechatpay-signature"), None, "errors are not signed");
        let json = self.json();
        assert!(!json["message"].as_str().unwrap().is_empty());
        let number = self.header("request-id").map(|id| id.rsplit_once('-').unwrap().1.parse().unwrap());
        (self.status, json["code"].as_str().unwrap().to_owned(), number)
    }
}
