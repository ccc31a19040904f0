//! payonce in this process, on a port, with real keys, the wall clock and a merchant who is paid.

use std::{sync::Arc, time::Duration};

use payonce_core::{
    Clock as _, Store as _, SystemClock,
    store::{MessageView, Owner, Position},
};
use payonce_server::{
    Running, Server,
    config::{Config, Environment},
};
use payonce_simulator::{Merchant, Notification, Payment, Platform, books::TradeType};
use payonce_store_sqlite::{Options, SqliteStore};
use rand::{SeedableRng as _, rngs::StdRng};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;
use wechatpay::UnixSeconds;

const API_KEY: &str = "0123456789abcdef0123456789abcdef";

/// What has not come by then never comes. Ample: the machine may be busy.
const NEVER: Duration = Duration::from_secs(60);

pub(super) struct Stage {
    server: Running,
    store: Arc<SqliteStore>,
    client: Client,
    merchant: Merchant,
    platform: Platform,
    _folder: TempDir,
}

pub(super) fn now() -> UnixSeconds {
    UnixSeconds(SystemClock.now().seconds())
}

pub(super) fn amount_fen(number: u32) -> i64 {
    5990 + i64::from(number)
}

impl Stage {
    pub(super) async fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let merchant = Merchant::generate(&mut StdRng::seed_from_u64(7));
        let platform = Platform::generate().unwrap();
        let config = configuration(&folder, &merchant, &platform);
        let store = Arc::new(SqliteStore::open(&Options::new(folder.path().join("payonce.db"))).unwrap());
        let owner = Owner("the node of this test".to_owned());
        let server = Server::new(config, Arc::clone(&store) as _, Arc::new(SystemClock), owner);
        let server = server.start().await.unwrap();
        Self { server, store, client: Client::new(), merchant, platform, _folder: folder }
    }

    /// A request to the API, and its answer, which must be of status 2xx.
    pub(super) async fn api(&self, method: Method, path: &str, body: Value) -> Value {
        let url = format!("http://{}{path}", self.server.addr());
        let request = self.client.request(method, &url).bearer_auth(API_KEY);
        let request = request.header("content-type", "application/json").body(body.to_string());
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{url}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Defines endpoint `name`; tries again after a second, as often as a test may need.
    pub(super) async fn define(&self, name: &str, mut definition: Value) -> Value {
        definition["schedule_seconds"] = json!(vec![1; 20]);
        self.api(Method::PUT, &format!("/v1/endpoints/{name}"), definition).await
    }

    /// Makes a message due once more.
    pub(super) async fn replay(&self, name: &str, message: &MessageView) {
        let what = json!({ "position": message.position.0 });
        let replayed = self.api(Method::POST, &format!("/v1/endpoints/{name}/replay"), what).await;
        assert_eq!(replayed["messages"], 1);
    }

    /// Order `ORDER<number>` is registered, and WeChat Pay says that it is paid. Returns the message about it.
    pub(super) async fn pay(&self, number: u32) -> MessageView {
        let (mchid, appid) = (self.merchant.mchid(), self.merchant.appid());
        let (out_trade_no, amount) = (format!("ORDER{number}"), amount_fen(number));
        let order = json!({ "out_trade_no": out_trade_no, "amount": amount, "appid": appid });
        self.api(Method::POST, "/v1/orders", order).await;
        let payment = Payment {
            seller: self.merchant.seller(),
            transaction_id: format!("42000000002026030200{number:08}"),
            out_trade_no: out_trade_no.clone(),
            trade_type: TradeType::Jsapi,
            amount_fen: amount,
            openid: "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o".to_owned(),
            sub_openid: None,
            bank_type: "OTHERS".to_owned(),
            attach: None,
            device_id: None,
            success_time: now(),
        };
        let rng = &mut StdRng::seed_from_u64(number.into());
        let signed =
            Notification::new(payment, &self.merchant, now(), rng).signed(&self.platform, now(), rng);
        let url = format!("http://{}/notify/v3/{mchid}", self.server.addr());
        let mut callback = self.client.post(url).body(signed.body().to_vec());
        for (name, value) in signed.headers() {
            callback = callback.header(name, value);
        }
        assert_eq!(callback.send().await.unwrap().status(), 204);
        let messages = self.store.messages_after(Position(0), 100).await.unwrap();
        messages.into_iter().find(|message| message.id.0.contains(&out_trade_no)).unwrap()
    }

    /// Waits until endpoint `name` has answered so often to a message, and returns the answers' statuses, the first one
    /// first; `null` where there was none.
    pub(super) async fn answers(&self, name: &str, message: &MessageView, count: usize) -> Vec<Value> {
        let path = format!("/v1/endpoints/{name}/messages/{}/attempts", message.position.0);
        let answered = async {
            loop {
                let made = self.api(Method::GET, &path, Value::Null).await;
                let made = made["attempts"].as_array().unwrap();
                if made.len() >= count {
                    return made.iter().rev().map(|attempt| attempt["status"].clone()).collect();
                }
            }
        };
        let found = tokio::time::timeout(NEVER, answered).await;
        found.unwrap_or_else(|_| panic!("{name} has not answered {count} times"))
    }
}

fn configuration(folder: &TempDir, merchant: &Merchant, platform: &Platform) -> Config {
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let (mchid, key_id) = (merchant.mchid(), platform.serial());
    write("api.key", API_KEY);
    write("apiv3.key", merchant.apiv3_key());
    write("pub_key.pem", platform.public_key_pem());
    write("sealing.key", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
    let toml = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[api]\nkey_file = \"api.key\"\n\
         [delivery]\nsealing_key_file = \"sealing.key\"\nnetworks = [\"127.0.0.1\"]\nunencrypted = \"allow\"\n\
         [[merchants]]\nmchid = \"{mchid}\"\napiv3_key_file = \"apiv3.key\"\n[[merchants.platform_keys]]\n\
         public_key_id = \"{key_id}\"\npublic_key_file = \"pub_key.pem\"\n"
    );
    write("payonce.toml", &toml);
    Config::load(Some(&folder.path().join("payonce.toml")), &Environment::default()).unwrap().config
}
