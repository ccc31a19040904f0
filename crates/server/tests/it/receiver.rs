//! The merchant's own system: takes calls on a loopback port, and answers as it is told.

use std::{
    collections::VecDeque,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::any,
};
use tokio::{net::TcpListener, sync::mpsc};

use crate::wire::within;

/// What came.
pub(crate) struct Call {
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Call {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no header {name}")).to_str().unwrap()
    }

    pub(crate) fn id(&self) -> &str {
        self.header("webhook-id")
    }
}

struct Door {
    calls: mpsc::UnboundedSender<Call>,
    answers: Arc<Mutex<VecDeque<StatusCode>>>,
}

pub(crate) struct Receiver {
    addr: SocketAddr,
    calls: mpsc::UnboundedReceiver<Call>,
    answers: Arc<Mutex<VecDeque<StatusCode>>>,
}

impl Receiver {
    pub(crate) async fn open() -> Self {
        let (sender, calls) = mpsc::unbounded_channel();
        let answers = Arc::<Mutex<VecDeque<StatusCode>>>::default();
        let door = Arc::new(Door { calls: sender, answers: Arc::clone(&answers) });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let router = Router::new().fallback(any(take)).with_state(door);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { addr, calls, answers }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.addr)
    }

    /// The next calls are answered so; later ones 204.
    pub(crate) fn answer(&self, statuses: impl IntoIterator<Item = u16>) {
        let statuses = statuses.into_iter().map(|status| StatusCode::from_u16(status).unwrap());
        self.answers.lock().unwrap().extend(statuses);
    }

    pub(crate) async fn call(&mut self) -> Call {
        within("a call of the endpoint", self.calls.recv()).await.unwrap()
    }
}

async fn take(State(door): State<Arc<Door>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let answer = door.answers.lock().unwrap().pop_front().unwrap_or(StatusCode::NO_CONTENT);
    let _ = door.calls.send(Call { headers, body });
    answer
}
