//! WeChat Pay, scripted: each request gets the next answer of a list. Whatever it was, it is kept.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use wechatpay::api::{AnyCall, Operation};
use wechatpay::{ApiV3Key, MerchantKey, PlatformKey, UnixSeconds, callback_message};
use wechatpay_client::{Account, Client, Environment, Hosts, KeyRing, Patience, Transport};

pub(crate) const NOW: UnixSeconds = UnixSeconds(1_750_000_000);
pub(crate) const MCHID: &str = "1900000001";

/// Made by `scripts/make-vectors.py`.
pub(crate) fn keys() -> Value {
    serde_json::from_str(include_str!("../../../wechatpay/tests/vectors/keys.json"))
        .expect("a test's own data are good")
}

fn text(of: &str, name: &str) -> String {
    keys()[of][name].as_str().expect("a test's own data are good").to_owned()
}

/// A certificate whose last day is past at [`NOW`].
pub(crate) fn expired() -> PlatformKey {
    let dated: Value =
        serde_json::from_str(include_str!("../../../wechatpay/tests/vectors/certificates.json"))
            .expect("a test's own data are good");
    let pem = dated["dated"]["expired"]["certificate_pem"].as_str().expect("a test's own data are good");
    PlatformKey::from_certificate_pem(pem).expect("a test's own data are good")
}

/// The platform's public key.
pub(crate) fn public_key() -> PlatformKey {
    let pem = text("public_key", "public_pem");
    PlatformKey::from_public_key_pem(&text("public_key", "id"), &pem).expect("a test's own data are good")
}

/// The platform's certificate.
pub(crate) fn certificate() -> PlatformKey {
    PlatformKey::from_certificate_pem(&text("certificate", "certificate_pem"))
        .expect("a test's own data are good")
}

/// Of any call.
pub(crate) const PATH: &str = "/v3/pay/transactions/out-trade-no/A%7CB?mchid=1900000001";

/// Any call that does this.
pub(crate) fn call(operation: Operation) -> AnyCall {
    AnyCall::new("POST", PATH)
        .expect("a test's own data are good")
        .json(&json!({"a": 1}))
        .expect("a test's own data are good")
        .as_operation(operation)
}

/// Its success.
pub(crate) fn good() -> Reply {
    Reply::good(r#"{"ok":true}"#)
}

/// A connection that ends in mid-answer.
pub(crate) fn cut() -> Reply {
    Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec())
}

/// A base URL at which nobody listens, for as long as this is kept.
pub(crate) struct Nobody {
    pub base: String,
    _port: TcpSocket,
}

impl Nobody {
    pub(crate) fn listens() -> Self {
        let port = TcpSocket::new_v4().expect("a test's own data are good");
        port.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a test's own data are good");
        let base = format!("http://{}", port.local_addr().expect("a test's own data are good"));
        Self { base, _port: port }
    }
}

/// What the answer of one exchange is.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Signed by this key of `keys.json`.
    Signed(&'static str, String),
    /// Signed, 204, without a body.
    Signed204,
    /// Signed, then changed.
    Spoilt(Spoilt, String),
    /// No signature.
    Plain(u16, String),
    /// The connection ends after these bytes.
    Raw(Vec<u8>),
    /// These bytes, and then nothing, for ever.
    Stalled(Vec<u8>),
    /// An answer of this status whose body does not end.
    Endless(u16),
    /// Nothing, for ever.
    Silence,
}

#[derive(Clone, Copy)]
pub(crate) enum Spoilt {
    Body,
    Probe,
    Stale,
    Serial,
}

impl Reply {
    pub(crate) fn good(body: impl Into<String>) -> Self {
        Self::Signed("public_key", body.into())
    }

    pub(crate) fn error(status: u16, code: &str) -> Self {
        Self::Plain(status, json!({ "code": code, "message": "中文" }).to_string())
    }

    /// The whole answer, if it has an end.
    fn bytes(&self) -> Option<Vec<u8>> {
        let (status, headers, body) = match self {
            Self::Signed(key, body) => (200, signature(key, NOW, body), body.clone()),
            Self::Spoilt(spoilt, body) => {
                let signed_at = UnixSeconds(NOW.0 - if matches!(spoilt, Spoilt::Stale) { 300 } else { 0 });
                let mut headers = signature("public_key", signed_at, body);
                match spoilt {
                    Spoilt::Probe => headers[2].1 = format!("WECHATPAY/SIGNTEST/{}", headers[2].1),
                    Spoilt::Serial => headers[3].1 = "0123456789ABCDEF".to_owned(),
                    Spoilt::Body | Spoilt::Stale => {}
                }
                let body = if matches!(spoilt, Spoilt::Body) { format!("{body}\n") } else { body.clone() };
                (200, headers, body)
            }
            Self::Signed204 => (204, signature("public_key", NOW, ""), String::new()),
            Self::Plain(status, body) => (*status, Vec::new(), body.clone()),
            Self::Raw(bytes) => return Some(bytes.clone()),
            Self::Stalled(_) | Self::Endless(_) | Self::Silence => return None,
        };
        let mut head = format!(
            "HTTP/1.1 {status} x\r\nContent-Length: {}\r\nRequest-ID: 08AB-268498688\r\n",
            body.len()
        );
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        Some(format!("{head}Connection: close\r\n\r\n{body}").into_bytes())
    }
}

impl Reply {
    async fn send(self, socket: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        if let Some(bytes) = self.bytes() {
            socket.write_all(&bytes).await?;
            return socket.shutdown().await;
        }
        match self {
            Self::Stalled(bytes) => socket.write_all(&bytes).await?,
            Self::Endless(status) => {
                let head = format!("HTTP/1.1 {status} x\r\nTransfer-Encoding: chunked\r\n\r\n");
                socket.write_all(head.as_bytes()).await?;
                loop {
                    socket.write_all(format!("400\r\n{}\r\n", "x".repeat(0x400)).as_bytes()).await?;
                }
            }
            _ => {}
        }
        std::future::pending().await
    }
}

fn signature(key: &str, at: UnixSeconds, body: &str) -> Vec<(&'static str, String)> {
    let (timestamp, nonce) = (at.0.to_string(), "593BEC0C930BF1AFEB40B4A08C8FB242");
    let serial = keys()[key]["id"]
        .as_str()
        .or(keys()[key]["serial"].as_str())
        .expect("a test's own data are good")
        .to_owned();
    let signer =
        MerchantKey::from_pkcs8_pem("00", &text(key, "private_pem")).expect("a test's own data are good");
    vec![
        ("Wechatpay-Timestamp", timestamp.clone()),
        ("Wechatpay-Nonce", nonce.to_owned()),
        ("Wechatpay-Signature", signer.sign(&callback_message(&timestamp, nonce, body.as_bytes()))),
        ("Wechatpay-Serial", serial),
    ]
}

/// The answer of `GET /v3/certificates` with the platform's certificate.
pub(crate) fn certificates() -> Reply {
    let key = UnboundKey::new(
        &AES_256_GCM,
        keys()["apiv3_key"].as_str().expect("a test's own data are good").as_bytes(),
    )
    .expect("a test's own data are good");
    let mut sealed = text("certificate", "certificate_pem").into_bytes();
    let nonce = Nonce::assume_unique_for_key(*b"abcdefghijkl");
    LessSafeKey::new(key)
        .seal_in_place_append_tag(nonce, Aad::from(b"certificate"), &mut sealed)
        .expect("a test's own data are good");
    let body = json!({ "data": [{ "serial_no": "x", "encrypt_certificate": {
        "algorithm": "AEAD_AES_256_GCM", "nonce": "abcdefghijkl", "associated_data": "certificate",
        "ciphertext": STANDARD.encode(sealed),
    } }] });
    Reply::Signed("certificate", body.to_string())
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub head: String,
    pub body: String,
    /// The TLS client certificate that was shown, in DER.
    pub certificate: Option<Vec<u8>>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// A server that answers what it is told; after the last answer, with 404.
#[derive(Clone)]
pub(crate) struct Wechat {
    pub base: String,
    script: Arc<Mutex<VecDeque<Reply>>>,
    certificates: Arc<Mutex<Option<Reply>>>,
    asked: Arc<watch::Sender<Vec<Asked>>>,
    /// Whether it answers; until then it takes questions.
    answers: Arc<watch::Sender<bool>>,
    /// How many questions are open now, and how many were at once at the most.
    open: Arc<Mutex<(usize, usize)>>,
}

impl Wechat {
    pub(crate) async fn plays(script: impl IntoIterator<Item = Reply>) -> Self {
        Self::listens("http", script, None).await
    }

    /// The same over TLS.
    pub(crate) async fn plays_over_tls(
        script: impl IntoIterator<Item = Reply>,
        acceptor: TlsAcceptor,
    ) -> Self {
        Self::listens("https", script, Some(acceptor)).await
    }

    async fn listens(
        scheme: &str,
        script: impl IntoIterator<Item = Reply>,
        acceptor: Option<TlsAcceptor>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a test's own data are good");
        let base = format!("{scheme}://{}", listener.local_addr().expect("a test's own data are good"));
        let script = Arc::new(Mutex::new(script.into_iter().collect()));
        let wechat = Self {
            base,
            script,
            certificates: Arc::default(),
            asked: Arc::default(),
            answers: Arc::new(watch::Sender::new(true)),
            open: Arc::default(),
        };
        let server = wechat.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (server, acceptor) = (server.clone(), acceptor.clone());
                tokio::spawn(async move {
                    match acceptor {
                        None => server.serve(socket, None).await,
                        Some(acceptor) => {
                            // Who does not trust it goes away.
                            let Ok(socket) = acceptor.accept(socket).await else { return };
                            let shown = socket.get_ref().1.peer_certificates();
                            let shown = shown.and_then(|chain| chain.first()).map(|first| first.to_vec());
                            server.serve(socket, shown).await;
                        }
                    }
                });
            }
        });
        wechat
    }

    async fn serve(&self, mut socket: impl AsyncRead + AsyncWrite + Unpin, certificate: Option<Vec<u8>>) {
        let mut bytes = Vec::new();
        let (head, length) = loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = String::from_utf8(bytes[..end].to_vec()).expect("a test's own data are good");
                let asked = Asked { head: head.clone(), body: String::new(), certificate: None };
                let length = asked
                    .header("content-length")
                    .map_or(0, |length| length.parse().expect("a test's own data are good"));
                break (head, end + 4 + length);
            }
            if socket.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
        };
        while bytes.len() < length {
            socket.read_buf(&mut bytes).await.expect("a test's own data are good");
        }
        let body = String::from_utf8(bytes[head.len() + 4..].to_vec()).expect("a test's own data are good");
        let asked_for_certificates = head.starts_with("GET /v3/certificates");
        self.count_open(1);
        self.asked.send_modify(|all| all.push(Asked { head, body, certificate }));
        let _ = self.answers.subscribe().wait_for(|answers| *answers).await;
        let reply = self.reply(asked_for_certificates);
        // Before the answer: whoever has it may ask again at once.
        self.count_open(-1);
        // Whoever has enough closes the connection: that is no failure of a test.
        let _ = reply.send(&mut socket).await;
    }

    fn reply(&self, for_certificates: bool) -> Reply {
        let certificates = self.certificates.lock().expect("a test's own data are good").clone();
        certificates.filter(|_| for_certificates).unwrap_or_else(|| {
            let mut script = self.script.lock().expect("a test's own data are good");
            script.pop_front().unwrap_or(Reply::error(404, "NOT_FOUND"))
        })
    }

    /// From now on answers every question for certificates so, beside the script.
    pub(crate) fn has_certificates(&self, reply: Reply) {
        *self.certificates.lock().expect("a test's own data are good") = Some(reply);
    }

    /// How often it was asked for certificates.
    pub(crate) fn asked_for_certificates(&self) -> usize {
        let asked = self.asked();
        asked.iter().filter(|asked| asked.head.starts_with("GET /v3/certificates")).count()
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.borrow().clone()
    }

    /// Returns once it was asked so often.
    pub(crate) async fn is_asked(&self, times: usize) {
        let asked = self.asked.subscribe().wait_for(|asked| asked.len() >= times).await.map(drop);
        asked.expect("a test's own data are good");
    }

    /// Answers nothing until it is let to.
    pub(crate) fn answers(&self, answers: bool) {
        self.answers.send_replace(answers);
    }

    /// How many questions were open at once, at the most.
    pub(crate) fn open_max(&self) -> usize {
        self.open.lock().expect("a test's own data are good").1
    }

    fn count_open(&self, change: isize) {
        let mut open = self.open.lock().expect("a test's own data are good");
        open.0 = open.0.checked_add_signed(change).expect("a test's own data are good");
        open.1 = open.1.max(open.0);
    }

    pub(crate) fn say_next(&self, reply: Reply) {
        self.script.lock().expect("a test's own data are good").push_back(reply);
    }
}

/// A clock that stands still, and the least random of all sources.
pub(crate) struct Still;

impl Environment for Still {
    fn now(&self) -> UnixSeconds {
        NOW
    }

    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

/// Pauses are short. Where a test lets a time-out come, it does so in tokio's paused time, and everything in it that goes
/// over a socket may time out.
pub(crate) fn patience() -> Patience {
    Patience { pause: std::time::Duration::from_millis(1), ..Patience::default() }
}

pub(crate) fn transport(wechat: &Wechat) -> Transport {
    Transport::with(
        Hosts::all_at(&wechat.base).expect("a test's own data are good"),
        patience(),
        Arc::new(Still),
    )
    .expect("a test's own data are good")
}

pub(crate) fn client_of(mchid: &str, transport: Transport, ring: KeyRing) -> Client {
    static KEY: OnceLock<Arc<MerchantKey>> = OnceLock::new();
    let key = KEY.get_or_init(|| {
        let (serial, pem) = (text("merchant", "serial"), text("merchant", "private_pem"));
        Arc::new(MerchantKey::from_pkcs8_pem(&serial, &pem).expect("a test's own data are good"))
    });
    let apiv3_key = ApiV3Key::new(keys()["apiv3_key"].as_str().expect("a test's own data are good"));
    let apiv3_key = apiv3_key.expect("a test's own data are good");
    let account = Account::new(mchid, Arc::clone(key), apiv3_key, Arc::new(ring));
    Client::new(transport, account.expect("a test's own data are good"))
}

pub(crate) fn client(wechat: &Wechat) -> Client {
    client_of(MCHID, transport(wechat), KeyRing::new([public_key()]))
}
