//! HTTP/1.1 by hand over TCP, so that a request can be wrong in every byte and an answer is seen as it was sent.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    time::timeout,
};

use crate::letter::Letter;

/// What has not come by then never comes. Ample: the machine may be busy.
const NEVER: Duration = Duration::from_secs(30);

/// How long a test looks whether something comes that must not.
pub(crate) const QUIET: Duration = Duration::from_millis(100);

/// Waits for what must come.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(NEVER, future).await.unwrap_or_else(|_| panic!("{what} did not come"))
}

/// One connection.
pub(crate) struct Wire(BufReader<TcpStream>);

impl Wire {
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        Self(BufReader::new(within("a connection", TcpStream::connect(addr)).await.unwrap()))
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.get_mut().write_all(bytes.as_ref()).await.unwrap();
    }

    /// Sends a letter and waits for its answer.
    pub(crate) async fn ask(&mut self, letter: &Letter) -> Answer {
        self.send(letter.bytes()).await;
        self.answer().await
    }

    /// The next answer.
    pub(crate) async fn answer(&mut self) -> Answer {
        within("an answer", self.read_answer()).await
    }

    /// That no answer comes for a while.
    pub(crate) async fn expect_quiet(&mut self) {
        if let Ok(answer) = timeout(QUIET, self.read_answer()).await {
            panic!("answered before it was time: {answer:?}");
        }
    }

    /// What else comes until the server closes the connection.
    pub(crate) async fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        // A connection that the server resets is closed as well.
        let _ = within("the end of the connection", self.0.read_to_end(&mut rest)).await;
        String::from_utf8(rest).unwrap()
    }

    /// What comes until this text has come.
    pub(crate) async fn until(&mut self, text: &str) -> String {
        let mut come = Vec::new();
        let read = async {
            while !String::from_utf8_lossy(&come).contains(text) {
                let some = self.0.fill_buf().await.unwrap();
                assert!(!some.is_empty(), "the connection ended before {text:?}");
                come.extend_from_slice(some);
                let length = some.len();
                self.0.consume(length);
            }
        };
        within(text, read).await;
        String::from_utf8(come).unwrap()
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).await.unwrap();
        assert!(line.ends_with("\r\n"), "the connection ended within a line: {line:?}");
        line.trim_end().to_owned()
    }

    async fn read_answer(&mut self) -> Answer {
        let status_line = self.line().await;
        let status = status_line.split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = Vec::new();
        loop {
            let line = self.line().await;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut answer = Answer { status, headers, body: String::new() };
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.unwrap();
        answer.body = String::from_utf8(body).unwrap();
        answer
    }
}

/// An answer as it was sent.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The message of a refusal in WeChat's shape.
    #[track_caller]
    pub(crate) fn fail_message(&self) -> String {
        let json = self.json();
        let fields: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!((fields, &json["code"]), (vec!["code", "message"], &"FAIL".into()), "{self:?}");
        json["message"].as_str().unwrap().to_owned()
    }

    /// That WeChat shall not send it again: 204 without a body.
    #[track_caller]
    pub(crate) fn assert_acknowledged(&self) {
        assert_eq!((self.status, self.body.as_str()), (204, ""), "{self:?}");
        assert_eq!(self.header("content-type"), None);
    }

    /// That WeChat shall send it again, and why.
    #[track_caller]
    pub(crate) fn assert_refused(&self, status: u16, why: &str) {
        assert_eq!(self.status, status, "{self:?}");
        let message = self.fail_message();
        assert!(message.contains(why), "{message:?} does not say {why:?}");
        assert_eq!(self.header("retry-after").is_some(), status == 503, "{self:?}");
    }
}
