//! The load generator: keep-alive connections, each with one request in flight, requests made ahead of time.
//!
//! One thread, so that it takes as little as it can of the cores that it shares with the server.

use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::LocalSet,
};

/// What a phase measured.
pub(crate) struct Phase {
    /// Requests answered with 2xx.
    pub accepted: u64,
    /// Requests answered otherwise.
    pub refused: u64,
    /// When the first request was sent.
    pub started: Instant,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// Each request's time in microseconds, sorted.
    pub latencies_us: Vec<u32>,
}

impl Phase {
    /// Answers in a second.
    pub(crate) fn per_s(&self) -> f64 {
        (self.accepted + self.refused) as f64 / self.elapsed.as_secs_f64()
    }

    /// The latency that `share` of the requests did not exceed, in milliseconds.
    pub(crate) fn quantile_ms(&self, share: f64) -> f64 {
        let last = self.latencies_us.len().saturating_sub(1);
        let place = ((last as f64) * share).round() as usize;
        f64::from(self.latencies_us.get(place).copied().unwrap_or_default()) / 1000.0
    }
}

/// Sends `requests[order[0]]`, `requests[order[1]]`, … over `connections` connections.
pub(crate) fn run(
    addr: SocketAddr,
    requests: &Rc<Vec<Vec<u8>>>,
    order: Vec<u32>,
    connections: usize,
) -> anyhow::Result<Phase> {
    run_at(addr, requests, order, connections, None)
}

/// The same at a pace: the n-th request is sent no earlier than n times `every` after the first.
pub(crate) fn run_at(
    addr: SocketAddr,
    requests: &Rc<Vec<Vec<u8>>>,
    order: Vec<u32>,
    connections: usize,
    every: Option<Duration>,
) -> anyhow::Result<Phase> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let latencies = Rc::new(RefCell::new(Vec::with_capacity(order.len())));
    let accepted = Rc::new(Cell::new(0));
    let order = Rc::new(order);
    let next = Rc::new(Cell::new(0));
    let started = Instant::now();
    let local = LocalSet::new();
    let tasks: Vec<_> = (0..connections)
        .map(|_| {
            let (requests, order, next) = (Rc::clone(requests), Rc::clone(&order), Rc::clone(&next));
            let (latencies, accepted) = (Rc::clone(&latencies), Rc::clone(&accepted));
            local.spawn_local(async move {
                let mut stream = TcpStream::connect(addr).await.context("the server does not answer")?;
                stream.set_nodelay(true)?;
                let mut answer = Vec::with_capacity(1024);
                loop {
                    let place = next.replace(next.get() + 1);
                    let Some(&request) = order.get(place) else { break };
                    if let Some(every) = every {
                        let due = started + every * u32::try_from(place).unwrap_or(u32::MAX);
                        tokio::time::sleep_until(due.into()).await;
                    }
                    let sent = Instant::now();
                    stream.write_all(&requests[request as usize]).await?;
                    let status = read_answer(&mut stream, &mut answer).await?;
                    latencies
                        .borrow_mut()
                        .push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
                    if (200..300).contains(&status) {
                        accepted.set(accepted.get() + 1);
                    }
                }
                anyhow::Ok(())
            })
        })
        .collect();
    local.block_on(&runtime, async {
        for task in tasks {
            task.await??;
        }
        anyhow::Ok(())
    })?;
    let elapsed = started.elapsed();
    let mut latencies_us = latencies.take();
    latencies_us.sort_unstable();
    let refused = latencies_us.len() as u64 - accepted.get();
    Ok(Phase { accepted: accepted.get(), refused, started, elapsed, latencies_us })
}

/// Reads one answer and returns its status.
async fn read_answer(stream: &mut TcpStream, answer: &mut Vec<u8>) -> anyhow::Result<u16> {
    answer.clear();
    loop {
        if stream.read_buf(answer).await? == 0 {
            bail!("the server closed the connection");
        }
        let Some(head_end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&answer[..head_end]).context("an answer that is not HTTP")?;
        let status: u16 =
            head.get(9..12).unwrap_or_default().parse().context("an answer without a status")?;
        let body = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .map_or(Ok(0), |(_, length)| length.parse::<usize>())?;
        if answer.len() >= head_end + 4 + body {
            return Ok(status);
        }
    }
}
