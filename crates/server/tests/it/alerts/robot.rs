//! A group's robot on a loopback port: it notes what it is told, and answers as the test says.

use std::{
    collections::VecDeque,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse as _, Response},
    routing::any,
};
use serde_json::Value;
use tokio::{net::TcpListener, sync::mpsc, time::timeout};

use crate::wire::{QUIET, within};

/// What stands in the URL, and in no log.
pub(crate) const KEY: &str = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa";

/// How a robot answers.
#[derive(Clone, Copy)]
pub(crate) enum Says {
    /// It took the notice.
    Ok,
    /// It says with status 200 that it did not.
    Code(i64),
    Status(u16),
    /// Nothing, ever.
    Hangs,
}

/// What came.
pub(crate) struct Told {
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Told {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The text of a notice to WeCom or DingTalk.
    pub(crate) fn text(&self) -> String {
        self.json()["text"]["content"].as_str().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

struct Door {
    told: mpsc::UnboundedSender<Told>,
    answers: Mutex<VecDeque<Says>>,
}

pub(crate) struct Robot {
    addr: SocketAddr,
    told: mpsc::UnboundedReceiver<Told>,
    door: Arc<Door>,
}

impl Robot {
    pub(crate) async fn open() -> Self {
        let (sender, told) = mpsc::unbounded_channel();
        let door = Arc::new(Door { told: sender, answers: Mutex::default() });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let router = Router::new().fallback(any(take)).with_state(Arc::clone(&door));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { addr, told, door }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/send?key={KEY}", self.addr)
    }

    /// The next calls are answered so; later ones are taken.
    pub(crate) fn says(&self, answers: impl IntoIterator<Item = Says>) {
        self.door.answers.lock().unwrap().extend(answers);
    }

    pub(crate) async fn told(&mut self) -> Told {
        within("an alert", self.told.recv()).await.unwrap()
    }

    /// That no alert comes for a while.
    pub(crate) async fn expect_quiet(&mut self) {
        if let Ok(told) = timeout(QUIET, self.told.recv()).await {
            panic!("told of nothing: {}", told.unwrap().text());
        }
    }
}

async fn take(State(door): State<Arc<Door>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let says = door.answers.lock().unwrap().pop_front().unwrap_or(Says::Ok);
    let _ = door.told.send(Told { uri, headers, body });
    match says {
        Says::Ok => r#"{"errcode":0,"errmsg":"ok","code":0}"#.into_response(),
        Says::Code(code) => {
            format!(r#"{{"errcode":{code},"errmsg":"told so by a test","code":{code}}}"#).into_response()
        }
        Says::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Says::Hangs => std::future::pending().await,
    }
}
