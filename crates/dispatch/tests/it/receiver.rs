//! A web server that answers what a test likes, byte for byte.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::{Duration, interval},
};
use tokio_rustls::TlsAcceptor;

use crate::fixture::LOCAL;

/// What follows a call.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// These bytes; the connection stays.
    Bytes(Vec<u8>),
    /// These bytes, and then the connection ends.
    Last(Vec<u8>),
    /// These bytes, and then as many as are taken.
    Endless(Vec<u8>),
    /// These bytes, and then nothing; time goes by as quickly as it can.
    Hang(Vec<u8>),
    /// These bytes, one a second, over and over; time goes by as quickly as it can.
    Slow(&'static [u8]),
    /// The connection ends as it does when a machine has forgotten it.
    Reset,
}

/// A call as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) head: String,
    pub(crate) body: String,
    /// On which connection (from 1).
    pub(crate) connection: usize,
}

impl Call {
    /// The value of each header of this name.
    pub(crate) fn headers(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }
}

/// Something that a receiver saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Call(Call),
    /// A connection ended after so many bytes of an endless answer.
    Ended {
        bytes: usize,
    },
}

/// A web server on a loopback port. It ends with the test's runtime.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    seen: UnboundedReceiver<Seen>,
}

impl Receiver {
    /// Answers each call with the next reply, the last one again and again.
    pub(crate) async fn start(replies: Vec<Reply>) -> Self {
        Self::over(vec![], replies).await
    }

    /// The same over TLS; each connection meets the next acceptor, the last one again and again.
    pub(crate) async fn over(acceptors: Vec<TlsAcceptor>, replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind((LOCAL, 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (tell, seen) = unbounded_channel();
        let connections = Arc::new(AtomicUsize::new(0));
        let (count, calls) = (Arc::clone(&connections), Arc::new(AtomicUsize::new(0)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = count.fetch_add(1, Ordering::SeqCst) + 1;
                let acceptor = acceptors.get(number - 1).or(acceptors.last()).cloned();
                let script = Script { replies: replies.clone(), calls: Arc::clone(&calls), number };
                let tell = tell.clone();
                tokio::spawn(async move {
                    if script.replies.iter().any(|reply| matches!(reply, Reply::Reset)) {
                        stream.set_zero_linger().expect("a socket");
                    }
                    match acceptor {
                        None => script.play(stream, &tell).await,
                        Some(acceptor) => match acceptor.accept(stream).await {
                            Ok(stream) => script.play(stream, &tell).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        Self { address, connections, seen }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook?a=b", self.address)
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Whether no call came.
    pub(crate) fn nothing_was_seen(&mut self) -> bool {
        self.seen.try_recv().is_err()
    }

    pub(crate) async fn seen(&mut self) -> Seen {
        self.seen.recv().await.expect("the receiver runs")
    }

    pub(crate) async fn call(&mut self) -> Call {
        match self.seen().await {
            Seen::Call(call) => call,
            other => panic!("{other:?}"),
        }
    }
}

struct Script {
    replies: Vec<Reply>,
    calls: Arc<AtomicUsize>,
    number: usize,
}

impl Script {
    /// Ends when the connection does.
    async fn play<S>(self, mut stream: S, tell: &UnboundedSender<Seen>) -> Option<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        loop {
            let call = read(&mut stream, self.number).await?;
            let place = self.calls.fetch_add(1, Ordering::SeqCst).min(self.replies.len() - 1);
            let _ = tell.send(Seen::Call(call));
            match self.replies[place].clone() {
                Reply::Bytes(bytes) => stream.write_all(&bytes).await.ok()?,
                Reply::Last(bytes) => {
                    stream.write_all(&bytes).await.ok()?;
                    return stream.shutdown().await.ok();
                }
                Reply::Endless(bytes) => {
                    stream.write_all(&bytes).await.ok()?;
                    let mut sent = 0;
                    while let Ok(bytes) = stream.write(&[b'x'; 64 * 1024]).await {
                        sent += bytes;
                    }
                    let _ = tell.send(Seen::Ended { bytes: sent });
                    return None;
                }
                Reply::Hang(bytes) => {
                    stream.write_all(&bytes).await.ok()?;
                    tokio::time::pause();
                    std::future::pending::<()>().await;
                }
                Reply::Slow(bytes) => {
                    tokio::time::pause();
                    let mut second = interval(Duration::from_secs(1));
                    for byte in bytes.iter().cycle() {
                        second.tick().await;
                        stream.write_all(&[*byte]).await.ok()?;
                    }
                }
                Reply::Reset => return None,
            }
        }
    }
}

async fn read<S: AsyncRead + Unpin>(stream: &mut S, connection: usize) -> Option<Call> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let mut call = Call { head: String::from_utf8(head).expect("a head"), body: String::new(), connection };
    let length = call.headers("content-length").first()?.parse().expect("a length");
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    call.body = String::from_utf8(body).expect("a body");
    Some(call)
}

/// An answer with a body.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// The shortest answer that takes a message.
pub(crate) fn taken() -> Reply {
    Reply::Bytes(answer("204 No Content", "", ""))
}
