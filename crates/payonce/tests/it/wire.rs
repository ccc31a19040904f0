//! HTTP/1.1 by hand over one connection, where a test needs a request in pieces.

use std::fmt::Write as _;
use std::net::SocketAddr;

use payonce_simulator::SignedCallback;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

pub(crate) struct Wire(BufReader<TcpStream>);

impl Wire {
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        Self(BufReader::new(TcpStream::connect(addr).await.unwrap()))
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).await.unwrap();
    }

    /// A callback without its body. `further` are header lines, each with its end.
    pub(crate) async fn send_head(&mut self, path: &str, callback: &SignedCallback, further: &str) {
        let mut head = format!("POST {path} HTTP/1.1\r\nhost: shop\r\n{further}");
        write!(head, "content-length: {}\r\n", callback.body().len()).unwrap();
        for (name, value) in callback.headers() {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        head.push_str("\r\n");
        self.send(head.as_bytes()).await;
    }

    /// The status of the next answer, which has no body.
    pub(crate) async fn status(&mut self) -> u16 {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(self.0.read_line(&mut head).await.unwrap(), 0, "closed without an answer: {head:?}");
        }
        head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// Asks for `path` and returns the answer's status and body. The server closes the connection then.
    pub(crate) async fn get(mut self, path: &str) -> (u16, String) {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n").as_bytes()).await;
        let mut answer = String::new();
        self.0.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }
}
