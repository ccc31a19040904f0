//! How fast messages are handed over: to a receiver on the loopback that answers at once, in this process.
//!
//! Three phases: messages that are there already (what a dispatcher can do), callbacks at a steady pace (from when one is
//! due to be sent to when the receiver has its message), and a backlog that is drained, in tenths, so that a rate that falls
//! shows. The receiver and the load generator share the cores with the server.

use std::{
    collections::HashMap,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    rc::Rc,
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::{Run, fixture::Fixture, load, process::Server};

/// Callbacks a second while the way from one end to the other is measured.
const PACE_PER_S: u32 = 1000;

/// Nothing arrived for so long: something is wrong.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// Parts of a backlog whose rates are compared.
const PARTS: usize = 10;

/// A message that arrived.
struct Arrival {
    id: String,
    at: Instant,
}

struct Figures {
    deliveries_per_s: f64,
    end_to_end_p50_ms: f64,
    end_to_end_p99_ms: f64,
    drain_per_s: f64,
    /// Of the tenths of the backlog.
    drain_slowest_per_s: f64,
    rss_mb: f64,
}

pub(crate) fn run(run: &Run) -> anyhow::Result<()> {
    eprintln!("setting up: {} orders before, {} to be paid", run.orders_before, run.payments);
    let fixture = Fixture::make(run.store, run.payments, run.orders_before)?;
    let requests = Rc::new(fixture.presigned()?);
    let (receiver, arrivals) = receive()?;
    let server = Server::start(&run.server_bin, &["serve", "--config"], &fixture.config)?;
    let api = Api { addr: server.addr() };
    let endpoint = |start: &Value| json!({"url": format!("http://{receiver}/"), "secret": SECRET, "start": start, "concurrency": 64});

    let paced = run.payments / 3;
    eprintln!("{paced} callbacks at {PACE_PER_S} a second");
    api.ask("PUT", "/v1/endpoints/bench", &endpoint(&json!("now")))?;
    let order: Vec<u32> = (0..paced).collect();
    let every = Duration::from_secs(1) / PACE_PER_S;
    let phase = load::run_at(server.addr(), &requests, order, run.connections, Some(every))?;
    ensure!(phase.refused == 0, "{} callbacks were refused", phase.refused);
    let due: HashMap<String, Instant> =
        (0..paced).map(|n| (fixture.message_id(n), phase.started + every * n)).collect();
    let mut latencies: Vec<Duration> = take(&arrivals, paced as usize)?
        .iter()
        .filter_map(|arrival| Some(arrival.at.saturating_duration_since(*due.get(&arrival.id)?)))
        .collect();
    latencies.sort_unstable();

    let rest = run.payments - paced;
    eprintln!("{rest} messages that wait");
    api.ask("POST", "/v1/endpoints/bench/disable", &json!({}))?;
    let order: Vec<u32> = (paced..run.payments).collect();
    let phase = load::run(server.addr(), &requests, order, run.connections)?;
    ensure!(phase.refused == 0, "{} callbacks were refused", phase.refused);
    api.ask("POST", "/v1/endpoints/bench/enable", &json!({}))?;
    let began = Instant::now();
    let arrived = take(&arrivals, rest as usize)?;
    let deliveries_per_s = rate(arrived.len(), began, arrived.last());

    let backlog = usize::try_from(run.orders_before)?;
    let (mut drain_per_s, mut drain_slowest_per_s) = (0.0, 0.0);
    if backlog >= PARTS {
        eprintln!("{backlog} messages of the past");
        api.ask("DELETE", "/v1/endpoints/bench", &json!({}))?;
        api.ask("PUT", "/v1/endpoints/past", &endpoint(&json!(0)))?;
        let began = Instant::now();
        let arrived = take(&arrivals, backlog)?;
        drain_per_s = rate(arrived.len(), began, arrived.last());
        let mut from = began;
        drain_slowest_per_s = arrived
            .chunks(backlog / PARTS)
            .filter(|part| part.len() == backlog / PARTS)
            .map(|part| {
                let per_s = rate(part.len(), from, part.last());
                from = part.last().map_or(from, |last| last.at);
                per_s
            })
            .fold(f64::INFINITY, f64::min);
    }
    Figures {
        deliveries_per_s,
        end_to_end_p50_ms: quantile_ms(&latencies, 0.5),
        end_to_end_p99_ms: quantile_ms(&latencies, 0.99),
        drain_per_s,
        drain_slowest_per_s,
        rss_mb: server.rss_peak_bytes()? as f64 / 1e6,
    }
    .print(run);
    Ok(())
}

const SECRET: &str = "whsec_YS1zZWNyZXQtb2YtdGhlLWJlbmNobWFyay1hbG9uZSE=";

fn rate(messages: usize, from: Instant, last: Option<&Arrival>) -> f64 {
    let elapsed = last.map_or(Duration::ZERO, |last| last.at.saturating_duration_since(from));
    messages as f64 / elapsed.as_secs_f64()
}

fn quantile_ms(sorted: &[Duration], share: f64) -> f64 {
    let place = ((sorted.len().saturating_sub(1)) as f64 * share).round() as usize;
    sorted.get(place).map_or(0.0, |latency| latency.as_secs_f64() * 1000.0)
}

impl Figures {
    #[expect(clippy::print_stdout, reason = "the figures are what the program is for")]
    fn print(&self, run: &Run) {
        let Self {
            deliveries_per_s,
            end_to_end_p50_ms,
            end_to_end_p99_ms,
            drain_per_s,
            drain_slowest_per_s,
            rss_mb,
        } = self;
        println!("store        {}", run.store.name());
        println!("deliveries   {deliveries_per_s:>8.0}/s, of messages that waited");
        println!(
            "end to end   {end_to_end_p50_ms:>8.1} ms p50, {end_to_end_p99_ms:.1} ms p99, at {PACE_PER_S} callbacks/s"
        );
        println!(
            "drain        {drain_per_s:>8.0}/s of {} messages, {drain_slowest_per_s:.0}/s in the slowest tenth",
            run.orders_before
        );
        println!("memory       {rss_mb:>8.0} MB at the most");
        if run.json {
            println!(
                "{}",
                json!({
                    "store": run.store.name(), "deliveries_per_s": deliveries_per_s.round(),
                    "end_to_end_p99_ms": end_to_end_p99_ms, "drain_per_s": drain_per_s.round(),
                    "drain_slowest_per_s": drain_slowest_per_s.round(), "rss_mb": rss_mb.round(),
                })
            );
        }
    }
}

/// So many different messages, as they arrive.
fn take(arrivals: &Receiver<Arrival>, messages: usize) -> anyhow::Result<Vec<Arrival>> {
    let mut seen = HashMap::with_capacity(messages);
    let mut arrived = Vec::with_capacity(messages);
    while arrived.len() < messages {
        match arrivals.recv_timeout(SILENCE_MAX) {
            Ok(arrival) if seen.insert(arrival.id.clone(), ()).is_none() => arrived.push(arrival),
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                bail!("{} of {messages} messages arrived, and then none for {SILENCE_MAX:?}", arrived.len())
            }
        }
    }
    Ok(arrived)
}

/// Starts the receiver: a thread that answers every call 204 and tells what came.
fn receive() -> anyhow::Result<(SocketAddr, Receiver<Arrival>)> {
    let (tell, arrivals) = channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
    let addr = listener.local_addr()?;
    thread::spawn(move || {
        runtime.block_on(async {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, tell.clone()));
            }
        });
    });
    Ok((addr, arrivals))
}

/// Answers the calls of a connection until it ends.
async fn answer(mut stream: tokio::net::TcpStream, tell: Sender<Arrival>) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut bytes = Vec::with_capacity(8 * 1024);
    while stream.read_buf(&mut bytes).await? > 0 {
        while let Some((id, length)) = call(&bytes)? {
            let arrival = Arrival { id, at: Instant::now() };
            bytes.drain(..length);
            if tell.send(arrival).is_err() {
                return Ok(());
            }
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await?;
        }
    }
    Ok(())
}

/// The message's id and the length of the first call, if it is there whole.
fn call(bytes: &[u8]) -> anyhow::Result<Option<(String, usize)>> {
    let Some(head_end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&bytes[..head_end]).context("a call that is not HTTP")?;
    let header = |wanted: &str| {
        let headers = head.lines().filter_map(|line| line.split_once(": "));
        headers.filter(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value).next()
    };
    let body: usize = header("content-length").context("a call without a length")?.parse()?;
    let id = header("webhook-id").context("a call without an id")?.to_owned();
    let length = head_end + 4 + body;
    Ok((bytes.len() >= length).then_some((id, length)))
}

/// payonce's own API.
struct Api {
    addr: SocketAddr,
}

impl Api {
    fn ask(&self, method: &str, path: &str, body: &Value) -> anyhow::Result<()> {
        let body = body.to_string();
        let mut stream = TcpStream::connect(self.addr)?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            crate::fixture::API_KEY,
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        ensure!(answer.starts_with("HTTP/1.1 2"), "{method} {path}: {answer}");
        Ok(())
    }
}
