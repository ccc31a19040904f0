//! A client of the WebDriver protocol (W3C), as far as these tests need it: JSON over HTTP.
//!
//! Looking for an element waits until it is there: the browser is told to, so that no test does.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use payonce_test_servers::ChromeDriver;
use serde_json::{Value, json};
use tokio::net::TcpStream;

/// How long an element is waited for.
const WAIT_MILLIS: u64 = 30_000;

/// An element's number stands under this key.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser.
pub(super) struct Browser<'a> {
    driver: &'a ChromeDriver,
    session: String,
}

impl<'a> Browser<'a> {
    /// Opens one, in English; with or without scripts.
    pub(super) async fn open(driver: &'a ChromeDriver, scripts: bool) -> Self {
        let setting = if scripts { 1 } else { 2 };
        let options = json!({
            "binary": driver.browser(),
            // Tests may run as root, and in a container with little shared memory.
            "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--lang=en"],
            "prefs": {
                "intl.accept_languages": "en",
                "profile.managed_default_content_settings.javascript": setting,
            },
        });
        let wanted = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options } } });
        let mut browser = Self { driver, session: String::new() };
        let opened = browser.call("POST", "/session", &wanted).await;
        browser.session = opened["sessionId"].as_str().unwrap().to_owned();
        browser.post("timeouts", json!({ "implicit": WAIT_MILLIS })).await;
        browser
    }

    pub(super) async fn go(&self, url: &str) {
        self.post("url", json!({ "url": url })).await;
    }

    pub(super) async fn click(&self, xpath: &str) {
        let element = self.find(xpath).await;
        self.post(&format!("element/{element}/click"), json!({})).await;
    }

    pub(super) async fn write(&self, xpath: &str, text: &str) {
        let element = self.find(xpath).await;
        self.post(&format!("element/{element}/value"), json!({ "text": text })).await;
    }

    pub(super) async fn text(&self, xpath: &str) -> String {
        let element = self.find(xpath).await;
        let path = format!("/session/{}/element/{element}/text", self.session);
        self.call("GET", &path, &Value::Null).await.as_str().unwrap().to_owned()
    }

    /// Waits until there is such an element.
    pub(super) async fn find(&self, xpath: &str) -> String {
        let found = self.post("element", json!({ "using": "xpath", "value": xpath })).await;
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    async fn post(&self, what: &str, body: Value) -> Value {
        self.call("POST", &format!("/session/{}/{what}", self.session), &body).await
    }

    async fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let stream = TcpStream::connect(("127.0.0.1", self.driver.port())).await.unwrap();
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", format!("127.0.0.1:{}", self.driver.port()))
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        let answer = sender.send_request(request).await.unwrap();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let answer: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(answer["value"].get("error"), None, "{path}: {answer:#}");
        answer["value"].clone()
    }
}
