//! How fast the simulator is: signed notices from a pool of prepared ones, and calls of its API beside what their RSA
//! signature alone costs.
//!
//! Each figure has its ceiling in the same run: the load generator with the same bytes against the same receiver, and
//! an HTTP server that answers as many bytes and does nothing else. The generator shares the process and the cores.

use std::{
    net::{Ipv4Addr, SocketAddr},
    num::NonZeroUsize,
    rc::Rc,
    sync::Arc,
    time::Instant,
};

use anyhow::{Context, ensure};
use axum::{Router, http::StatusCode, routing::any};
use clap::Args;
use payonce_core::{Clock as _, SystemClock};
use payonce_simulator::{
    Courier, Delivery, Envelope, Platform, Setup, SignedCallback, Simulator, Target, books::Event,
    keys::SealingKey,
};
use rand::{SeedableRng as _, rngs::StdRng};
use serde_json::json;
use tokio::{net::TcpListener, runtime::Runtime};
use wechatpay::{MerchantKey, RequestToSign, UnixSeconds};

use crate::load::{self, Phase};

/// What one payment's notice has inside, in bytes, as the simulator writes it.
const PLAINTEXT_BYTES: usize = 500;

/// An answer about an order is as large.
const ANSWER_BYTES: usize = 500;

/// Signatures whose mean is the cost of one.
const SIGNATURES: u32 = 500;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Notices to deliver.
    #[arg(long, default_value_t = 50_000)]
    notices: usize,
    /// Prepared notices among which they turn.
    #[arg(long, default_value_t = 500)]
    pool: usize,
    /// Keep-alive connections over which notices go.
    #[arg(long, default_value = "64")]
    connections: NonZeroUsize,
    /// Calls of each kind, one after the other over one keep-alive connection.
    #[arg(long, default_value_t = 2_000)]
    calls: u32,
    /// Print one JSON object as the last line.
    #[arg(long)]
    json: bool,
}

/// What was measured.
struct Figures {
    notices_per_s: f64,
    notices_ceiling_per_s: f64,
    sign_ms: f64,
    query: Phase,
    prepay: Phase,
    echo: Phase,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    ensure!(options.pool > 0 && options.notices > 0 && options.calls > 0, "nothing to measure is left");
    let runtime = Runtime::new()?;
    let rng = &mut StdRng::seed_from_u64(1);
    let platform = Platform::generate().context("a key pair")?;
    eprintln!("preparing {} notices", options.pool);
    let pool = prepared(options.pool, &platform, rng);
    let receiver = runtime.block_on(serve(Router::new().fallback(any(async || StatusCode::NO_CONTENT))))?;

    eprintln!("ceiling: the same bytes from the load generator");
    let raw = Rc::new(pool.iter().map(raw_notice).collect());
    let order: Vec<u32> = (0..options.notices).map(|n| (n % options.pool) as u32).collect();
    let ceiling = load::run(receiver, &raw, order, options.connections.get())?;

    eprintln!("{} notices over {} connections", options.notices, options.connections);
    let notices_per_s = runtime.block_on(deliver(options, receiver, pool))?;

    eprintln!("{} calls of each kind", options.calls);
    let sign_ms = signing_ms(&platform);
    let body = "x".repeat(ANSWER_BYTES);
    let echo = runtime.block_on(serve(Router::new().fallback(any(async move || body.clone()))))?;
    let simulator = runtime.block_on(Simulator::start(Setup::new(Arc::new(now))))?;
    let (prepays, queries) = calls(&simulator, options.calls)?;
    let once = || (0..options.calls).collect::<Vec<u32>>();
    let prepay = load::run(simulator.addr(), &prepays, once(), 1)?;
    let query = load::run(simulator.addr(), &queries, once(), 1)?;
    ensure!(prepay.refused + query.refused == 0, "the simulator refused calls of its benchmark");
    let echo = load::run(echo, &queries, once(), 1)?;
    runtime.block_on(simulator.stop());
    let notices_ceiling_per_s = ceiling.per_s();
    print(options, &Figures { notices_per_s, notices_ceiling_per_s, sign_ms, query, prepay, echo })
}

fn now() -> UnixSeconds {
    UnixSeconds(SystemClock.now().seconds())
}

fn prepared(count: usize, platform: &Platform, rng: &mut StdRng) -> Vec<SignedCallback> {
    let key = SealingKey::generate(rng);
    let plaintext = json!({ "attach": "x".repeat(PLAINTEXT_BYTES) }).to_string();
    let event = Event::TRANSACTION_SUCCESS;
    let seal = |number| {
        let id = format!("EV-{number}");
        Envelope::seal(id, now(), &event, plaintext.clone(), &key, rng).signed(platform, now(), rng)
    };
    (0..count).map(seal).collect()
}

async fn serve(router: Router) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let addr = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(addr)
}

fn raw_notice(callback: &SignedCallback) -> Vec<u8> {
    let headers = callback.headers().map(|(name, value)| format!("{name}: {value}\r\n")).concat();
    let length = callback.body().len();
    let head = format!("POST /notify HTTP/1.1\r\nhost: bench\r\ncontent-length: {length}\r\n{headers}\r\n");
    [head.as_bytes(), callback.body()].concat()
}

/// Notices acknowledged in a second.
async fn deliver(options: &Options, receiver: SocketAddr, pool: Vec<SignedCallback>) -> anyhow::Result<f64> {
    let courier = Courier::new(Target::new(receiver, "/notify")?, options.connections);
    let deliveries: Vec<_> =
        (0..options.notices).map(|number| Delivery::genuine(number, number % pool.len())).collect();
    let started = Instant::now();
    let prepared = move |delivery: &Delivery, _| pool[delivery.notification].clone();
    let answers = courier.deliver(deliveries, prepared, |_| {}).await;
    let elapsed = started.elapsed();
    let acknowledged = answers.iter().filter(|answer| answer.status == Some(204)).count();
    ensure!(acknowledged == options.notices, "only {acknowledged} notices were acknowledged");
    Ok(acknowledged as f64 / elapsed.as_secs_f64())
}

/// What one RSA signature costs.
fn signing_ms(platform: &Platform) -> f64 {
    let started = Instant::now();
    for number in 0..SIGNATURES {
        let _ = platform.sign(vec![b'x'; ANSWER_BYTES].into(), now(), format!("{number:032}"));
    }
    started.elapsed().as_secs_f64() * 1000.0 / f64::from(SIGNATURES)
}

/// Signed ahead of time: an order each, and a query of each.
type Calls = (Rc<Vec<Vec<u8>>>, Rc<Vec<Vec<u8>>>);

fn calls(simulator: &Simulator, count: u32) -> anyhow::Result<Calls> {
    let mchid = simulator.mchids().into_iter().next().context("a merchant")?;
    let ring = simulator.ring(&mchid).context("its keys")?;
    let own = ring.own().first().context("its API certificate")?;
    let key = MerchantKey::from_pkcs8_pem(&own.certificate().serial, &own.private_pem())?;
    let appid = simulator.read(|books| books.account(&mchid).and_then(|it| it.appids.first().cloned()));
    let call = |method: &str, url: &str, number: u32, body: &str| {
        let nonce = format!("{method}{number:028}");
        let to_sign = RequestToSign { method, url, timestamp: now(), nonce: &nonce, body: body.as_bytes() };
        let authorization = to_sign.authorization(&mchid, &key);
        let length = body.len();
        let head = format!(
            "{method} {url} HTTP/1.1\r\nhost: bench\r\naccept: application/json\r\nuser-agent: bench\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\nauthorization: {authorization}\r\n\r\n"
        );
        (head + body).into_bytes()
    };
    let prepay = |number| {
        let order = json!({
            "appid": appid, "mchid": mchid, "description": "tea", "out_trade_no": format!("BENCH{number}"),
            "notify_url": "https://shop.example/notify", "amount": { "total": 100 },
        });
        call("POST", "/v3/pay/transactions/native", number, &order.to_string())
    };
    let query = |number| {
        let url = format!("/v3/pay/transactions/out-trade-no/BENCH{number}?mchid={mchid}");
        call("GET", &url, number, "")
    };
    Ok((Rc::new((0..count).map(prepay).collect()), Rc::new((0..count).map(query).collect())))
}

#[expect(clippy::print_stdout, reason = "the figures are what the program is for")]
fn print(options: &Options, figures: &Figures) -> anyhow::Result<()> {
    let Figures { notices_per_s, notices_ceiling_per_s, sign_ms, .. } = figures;
    println!("notices  {notices_per_s:>9.0}/s signed ahead, {notices_ceiling_per_s:.0}/s the ceiling");
    println!("signing  {sign_ms:>9.3} ms, at most {:.0} answers/s a core", 1000.0 / sign_ms);
    let mut said = json!({
        "notices_per_s": notices_per_s.round(),
        "notices_ceiling_per_s": notices_ceiling_per_s.round(),
        "sign_ms": sign_ms,
    });
    for (name, phase, signed_ms) in [
        ("query", &figures.query, *sign_ms),
        ("prepay", &figures.prepay, *sign_ms),
        ("echo", &figures.echo, 0.0),
    ] {
        let (p50, p99) = (phase.quantile_ms(0.5), phase.quantile_ms(0.99));
        let (p50_less, p99_less) = (p50 - signed_ms, p99 - signed_ms);
        println!(
            "{name:<8} p50 {p50:>6.3} ms, p99 {p99:>6.3} ms; less the signature {p50_less:.3} and {p99_less:.3}"
        );
        said[name] =
            json!({ "p50_ms": p50, "p99_ms": p99, "p50_less_ms": p50_less, "p99_less_ms": p99_less });
    }
    if options.json {
        println!("{said}");
    }
    Ok(())
}
