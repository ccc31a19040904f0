//! The courier against an HTTP server in memory, with tokio's time paused: waits of hours take no time.

use std::io;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{DuplexStream, duplex};
use tokio::sync::Barrier;
use wechatpay::UnixSeconds;

use super::*;
use crate::{Mischief, Platform, Tampering};

/// What the receiver saw of one request.
#[derive(Clone, Debug)]
struct Seen {
    at: Instant,
    body: Bytes,
    nonce: String,
    path: String,
}

/// How the receiver behaves, from the number of the request (the first is 1).
type Behaviour = Arc<dyn Fn(usize) -> Reply + Send + Sync>;

#[derive(Clone)]
enum Reply {
    Status(u16, &'static str),
    /// Closes the connection instead of answering.
    Break,
    /// Never answers.
    Silence,
    /// Answers 204 once so many requests are there at the same time.
    Together(Arc<Barrier>),
}

/// A receiver in memory; every dialled stream is served by a task of its own.
#[derive(Clone)]
struct Receiver {
    behaviour: Behaviour,
    seen: Arc<Mutex<Vec<Seen>>>,
    dialled: Arc<Mutex<Vec<SocketAddr>>>,
}

impl Receiver {
    fn behaving(behaviour: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        Self { behaviour: Arc::new(behaviour), seen: Arc::default(), dialled: Arc::default() }
    }

    fn answering(status: u16) -> Self {
        Self::behaving(move |_| Reply::Status(status, ""))
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, io::Error> {
        let (parts, body) = request.into_parts();
        let at = Instant::now();
        let body = body.collect().await.unwrap().to_bytes();
        let nonce = parts.headers["wechatpay-nonce"].to_str().unwrap().to_owned();
        let count = {
            let mut seen = self.seen.lock().unwrap();
            seen.push(Seen { at, body, nonce, path: parts.uri.path().to_owned() });
            seen.len()
        };
        let (status, text) = match (self.behaviour)(count) {
            Reply::Status(status, text) => (status, text),
            Reply::Break => return Err(io::Error::other("the receiver was killed")),
            Reply::Silence => std::future::pending().await,
            Reply::Together(barrier) => {
                barrier.wait().await;
                (204, "")
            }
        };
        Ok(Response::builder().status(status).body(Full::new(Bytes::from_static(text.as_bytes()))).unwrap())
    }
}

impl Dial for Receiver {
    type Stream = DuplexStream;

    async fn dial(&self, addr: SocketAddr) -> io::Result<DuplexStream> {
        self.dialled.lock().unwrap().push(addr);
        let (ours, theirs) = duplex(64 * 1024);
        let receiver = self.clone();
        let service = service_fn(move |request| receiver.clone().answer(request));
        tokio::spawn(
            async move { http1::Builder::new().serve_connection(TokioIo::new(theirs), service).await },
        );
        Ok(ours)
    }
}

fn target(port: u16) -> Target {
    Target::new(([127, 0, 0, 1], port).into(), "/notify/v3/shop").unwrap()
}

fn courier(connections: usize, retry: Retry) -> Courier {
    Courier::new(target(80), NonZeroUsize::new(connections).unwrap()).retrying(retry)
}

/// Bodies name the notification, nonces the delivery and the attempt.
fn unsigned(delivery: &Delivery, attempt: u32) -> SignedCallback {
    SignedCallback {
        timestamp: "1700000000".to_owned(),
        nonce: format!("{}-{attempt}", delivery.number),
        signature: String::new(),
        serial: String::new(),
        body: Bytes::from(format!("notification {}", delivery.notification)),
    }
}

async fn deliver(courier: &Courier, receiver: &Receiver, deliveries: Vec<Delivery>) -> Vec<Answer> {
    courier.deliver_over(receiver.clone(), deliveries, unsigned, |_| ()).await
}

fn statuses(answers: &[Answer]) -> Vec<Option<u16>> {
    answers.iter().map(|answer| answer.status).collect()
}

#[tokio::test(start_paused = true)]
async fn an_unacknowledged_copy_comes_back_on_the_official_schedule_and_then_no_more() {
    let receiver = Receiver::answering(500);
    let answers = deliver(&courier(2, Retry::OFFICIAL), &receiver, vec![Delivery::genuine(0, 0)]).await;

    let seen = receiver.seen();
    let waits: Vec<_> = seen.windows(2).map(|pair| (pair[1].at - pair[0].at).as_secs()).collect();
    assert_eq!(waits, OFFICIAL_WAITS.map(|wait| wait.as_secs()));
    assert!(seen.iter().all(|seen| seen.body == "notification 0" && seen.path == "/notify/v3/shop"));
    assert_eq!(seen.last().unwrap().nonce, "0-16");
    assert_eq!(answers.iter().map(|answer| answer.attempt).collect::<Vec<_>>(), (1..=16).collect::<Vec<_>>());
    assert_eq!(unacknowledged(&answers).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn only_200_and_204_end_the_retries_whatever_the_body_says() {
    for (status, body, attempts) in [
        (204, "", 1),
        (200, r#"{"code":"FAIL","message":"no"}"#, 1),
        (201, r#"{"code":"SUCCESS"}"#, 2),
        (302, "", 2),
        (401, "", 2),
    ] {
        let receiver = Receiver::behaving(move |count| match count {
            1 => Reply::Status(status, body),
            _ => Reply::Status(204, ""),
        });
        let answers = deliver(&courier(1, Retry::OFFICIAL), &receiver, vec![Delivery::genuine(0, 0)]).await;
        assert_eq!(answers.len(), attempts, "{status}");
        assert_eq!(unacknowledged(&answers), [], "{status}");
        assert_eq!(receiver.dialled.lock().unwrap().len(), 1, "{status}: the connection is kept");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_takes_5_seconds_is_none() {
    let receiver = Receiver::behaving(|count| match count {
        1 => Reply::Silence,
        _ => Reply::Status(204, ""),
    });
    let answers = deliver(&courier(1, Retry::OFFICIAL), &receiver, vec![Delivery::genuine(0, 0)]).await;
    assert_eq!(statuses(&answers), [None, Some(204)]);
    assert_eq!(answers[0].elapsed.as_secs(), 5);
    let seen = receiver.seen();
    assert_eq!((seen[1].at - seen[0].at).as_secs(), 5 + 15);
    assert_eq!(receiver.dialled.lock().unwrap().len(), 2, "a late answer must find no reader");
}

#[tokio::test(start_paused = true)]
async fn a_broken_connection_is_made_anew() {
    let receiver = Receiver::behaving(|count| match count {
        2 => Reply::Break,
        _ => Reply::Status(204, ""),
    });
    let deliveries = (0..3).map(|number| Delivery::genuine(number, number)).collect();
    let answers = deliver(&courier(1, Retry::NEVER), &receiver, deliveries).await;
    assert_eq!(statuses(&answers), [Some(204), None, Some(204)]);
    assert_eq!(receiver.dialled.lock().unwrap().len(), 2);
    assert_eq!(unacknowledged(&answers), [Delivery::genuine(1, 1)]);
}

#[tokio::test(start_paused = true)]
async fn copies_are_sent_at_the_same_time() {
    let barrier = Arc::new(Barrier::new(8));
    let receiver = Receiver::behaving(move |_| Reply::Together(Arc::clone(&barrier)));
    let deliveries = (0..24).map(|number| Delivery::genuine(number, 0)).collect();
    let answers = deliver(&courier(8, Retry::NEVER), &receiver, deliveries).await;
    assert_eq!(
        statuses(&answers),
        [Some(204); 24],
        "seven connections would wait for an eighth until the limit"
    );
    assert_eq!(receiver.dialled.lock().unwrap().len(), 8);
}

#[tokio::test(start_paused = true)]
async fn a_route_chooses_the_receiver_of_each_attempt() {
    let receiver = Receiver::behaving(|count| match count {
        2 => Reply::Break,
        1 | 3 => Reply::Status(503, ""),
        _ => Reply::Status(204, ""),
    });
    // To each node in turn, and back to the first.
    let route: Route = Arc::new(|_, attempt| target(80 + (attempt as u16 - 1) % 3));
    let courier = Courier::routed(route, NonZeroUsize::MIN).retrying(Retry::OFFICIAL);
    let answers = deliver(&courier, &receiver, vec![Delivery::genuine(0, 0)]).await;
    assert_eq!(statuses(&answers), [Some(503), None, Some(503), Some(204)]);
    let dialled: Vec<u16> = receiver.dialled.lock().unwrap().iter().map(SocketAddr::port).collect();
    assert_eq!(dialled, [80, 81, 82], "each connection is kept");
}

#[tokio::test(start_paused = true)]
async fn delays_reorder_copies() {
    let receiver = Receiver::answering(204);
    let delayed = |number, seconds| Delivery {
        delay: Duration::from_secs(seconds),
        ..Delivery::genuine(number, number)
    };
    let start = Instant::now();
    deliver(&courier(1, Retry::NEVER), &receiver, vec![delayed(0, 30), delayed(1, 0), delayed(2, 10)]).await;
    let seen = receiver.seen();
    let order: Vec<_> = seen.iter().map(|seen| (seen.nonce.as_str(), (seen.at - start).as_secs())).collect();
    assert_eq!(order, [("1-1", 0), ("2-1", 10), ("0-1", 30)]);
}

#[tokio::test(start_paused = true)]
async fn tampered_copies_are_not_resent_and_changed_amounts_are() {
    for (mischief, attempts) in [
        (Mischief::Tampered(Tampering::SignatureProbe), 1),
        (Mischief::Replayed, 1),
        (Mischief::AmountChanged, 3),
    ] {
        let receiver = Receiver::answering(401);
        let deliveries = vec![Delivery { mischief: Some(mischief), ..Delivery::genuine(0, 0) }];
        let answers = deliver(&courier(1, Retry::OFFICIAL.at_most(2)), &receiver, deliveries).await;
        assert_eq!(answers.len(), attempts, "{mischief:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_answer_is_reported_as_it_comes() {
    let receiver = Receiver::answering(204);
    let mut reported = Vec::new();
    let deliveries = (0..5).map(|number| Delivery::genuine(number, 0));
    let answers = courier(2, Retry::NEVER)
        .deliver_over(receiver, deliveries, unsigned, |answer| reported.push(*answer))
        .await;
    assert_eq!(reported, answers);
    assert_eq!(answers.len(), 5);
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "no such notification")]
async fn a_panic_of_the_caller_ends_the_run() {
    let fail = |delivery: &Delivery, attempt: u32| match delivery.number {
        3 => panic!("no such notification"),
        _ => unsigned(delivery, attempt),
    };
    let deliveries = (0..9).map(|number| Delivery::genuine(number, 0));
    courier(2, Retry::NEVER).deliver_over(Receiver::answering(204), deliveries, fail, |_| ()).await;
}

#[test]
fn a_notify_url_has_a_plain_absolute_path() {
    for path in ["", "notify", "/notify?shop=1", "/notify#top", "/not ify"] {
        let refused = Target::new(([127, 0, 0, 1], 80).into(), path);
        assert_eq!(refused, Err(Error::PathMalformed { path: path.to_owned() }));
    }
}

#[test]
fn every_header_of_a_signed_callback_fits_a_request() {
    let platform = Platform::generate().unwrap();
    let callback = platform.sign(Bytes::from_static(b"{}"), UnixSeconds(1_700_000_000), "nonce".to_owned());
    let (request, _) = Posted::of(&callback, 7).request(&target(80));
    assert_eq!(request.headers().len(), 5 + callback.headers().len());
    assert_eq!(request.headers()["host"], "127.0.0.1:80");
    assert_eq!(request.headers()["request-id"], "0800000000000000000000000000000007-0");
}
