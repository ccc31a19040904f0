//! A whole run over loopback TCP: a receiver that verifies, with nothing but `wechatpay`, what the courier brings.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use payonce_simulator::deliver::unacknowledged;
use payonce_simulator::{Courier, Plan, Report, Retry, Signer, Target};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use wechatpay::{ApiV3Key, Callback, PlatformKey, PlatformKeys};

use crate::fixture::{NOW, signer};

const PLAN: Plan =
    Plan { payments: 20, copies: 5, tampered_percent: 20, delay_max: Duration::from_millis(5), seed: 3 };

/// A merchant's server in small.
struct Receiver {
    keys: PlatformKeys,
    apiv3_key: ApiV3Key,
    acknowledged: Mutex<BTreeMap<String, usize>>,
}

impl Receiver {
    fn of(signer: &Signer) -> Arc<Self> {
        let platform = &signer.platform;
        let key = PlatformKey::from_public_key_pem(platform.serial(), platform.public_key_pem()).unwrap();
        let apiv3_key = ApiV3Key::new(signer.merchant.apiv3_key()).unwrap();
        Arc::new(Self { keys: PlatformKeys::new([key]), apiv3_key, acknowledged: Mutex::default() })
    }

    /// Serves until dropped, which breaks all connections like a kill.
    async fn serve(self: Arc<Self>, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let receiver = Arc::clone(&self);
            let service = service_fn(move |request| Arc::clone(&receiver).answer(request));
            connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    }

    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let headers = parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let opened = Callback::parse(headers, &body)
            .ok()
            .and_then(|callback| callback.verify(&self.keys, NOW).ok())
            .and_then(|verified| verified.open(&self.apiv3_key).ok());
        let status = match opened {
            Some(notification) => {
                *self.acknowledged.lock().unwrap().entry(notification.id).or_default() += 1;
                204
            }
            None => 401,
        };
        Ok(Response::builder().status(status).body(Full::default()).unwrap())
    }
}

async fn listen(addr: SocketAddr) -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(addr).await.unwrap();
    let addr = listener.local_addr().unwrap();
    (listener, addr)
}

fn courier(addr: SocketAddr) -> Courier {
    Courier::new(Target::new(addr, "/notify").unwrap(), NonZeroUsize::new(8).unwrap())
}

#[tokio::test]
async fn a_run_ends_with_every_genuine_copy_acknowledged_and_every_tampered_one_refused() {
    let signer = Arc::new(signer(PLAN.payments));
    let receiver = Receiver::of(&signer);
    let (listener, addr) = listen(([127, 0, 0, 1], 0).into()).await;
    let server = tokio::spawn(Arc::clone(&receiver).serve(listener));

    let callback = {
        let signer = Arc::clone(&signer);
        move |delivery: &_, attempt| signer.callback(delivery, attempt)
    };
    let answers = courier(addr).deliver(PLAN.deliveries(), callback, |_| ()).await;
    server.abort();

    let report: Report = answers.iter().collect();
    assert_eq!((report.genuine.acknowledged, report.genuine.sent()), (100, 100));
    assert_eq!((report.tampered.refused, report.tampered.sent()), (20, 20));
    let copies = receiver.acknowledged.lock().unwrap();
    assert_eq!(copies.len(), PLAN.payments);
    assert!(copies.values().all(|copies| *copies == PLAN.copies), "{copies:?}");
}

#[tokio::test]
async fn what_a_killed_receiver_left_unacknowledged_is_brought_to_its_successor() {
    let signer = Arc::new(signer(PLAN.payments));
    let receiver = Receiver::of(&signer);
    let (listener, addr) = listen(([127, 0, 0, 1], 0).into()).await;
    let server = tokio::spawn(Arc::clone(&receiver).serve(listener));
    let callback = move |delivery: &_, attempt| signer.callback(delivery, attempt);

    // The receiver dies with the 30th answer; its port refuses from then on.
    let mut answered = 0;
    let first_life = courier(addr)
        .deliver(PLAN.deliveries(), callback.clone(), |_| {
            answered += 1;
            if answered == 30 {
                server.abort();
            }
        })
        .await;
    assert!(server.await.unwrap_err().is_cancelled(), "the port is free again");
    let left = unacknowledged(&first_life);
    assert!(!left.is_empty() && left.len() < PLAN.genuine(), "{} left", left.len());

    let (listener, addr) = listen(addr).await;
    let server = tokio::spawn(Arc::clone(&receiver).serve(listener));
    let fast = Retry::faster(NonZeroU32::new(1000).unwrap()).at_most(3);
    let second_life = courier(addr).retrying(fast).deliver(left.clone(), callback, |_| ()).await;
    server.abort();

    assert_eq!(unacknowledged(&second_life), []);
    assert_eq!(second_life.len(), left.len());
    let copies = receiver.acknowledged.lock().unwrap();
    assert_eq!(copies.len(), PLAN.payments, "every payment arrived");
}
