//! payonce answers at the notify URL, but not as it should: a proxy takes something away, or it is another server.

use std::net::SocketAddr;

use payonce_simulator::keys::Mode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{Clinic, MCHID, notify_url};

/// A proxy before this server that hands on no header whose name begins so.
async fn stripping(server: SocketAddr, prefix: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n{}") {
                assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0, "a request that broke off");
            }
            let request = String::from_utf8(request).unwrap();
            let (head, body) = request.split_once("\r\n\r\n").unwrap();
            let lines = head.split("\r\n").filter(|line| !line.to_lowercase().starts_with(prefix));
            let head = lines.collect::<Vec<_>>().join("\r\n");
            let mut server = TcpStream::connect(server).await.unwrap();
            let sent = format!("{head}\r\nconnection: close\r\n\r\n{body}");
            server.write_all(sent.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            server.read_to_end(&mut answer).await.unwrap();
            stream.write_all(&answer).await.unwrap();
        }
    });
    addr
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_takes_headers_away_is_found_out() {
    let clinic = Clinic::open(Mode::PublicKey).await;
    let server = clinic.serve();
    for (prefix, outcome) in [
        ("x-", "ok"),
        ("wechatpay-", "failed"),
        ("wechatpay-signature:", "failed"),
        ("wechatpay-serial", "failed"),
    ] {
        let proxy = stripping(server.addr(), prefix).await;
        let findings = clinic.look(&["--notify-url", &format!("http://{proxy}/notify/v3/{MCHID}")]).await;
        assert_eq!(findings.outcome("notify_answer"), outcome, "{prefix}: {:?}", findings.checks);
        if outcome == "failed" {
            assert!(findings.detail("notify_answer").contains("does not arrive"), "{:?}", findings.checks);
            assert!(findings.remedy("notify_answer").contains("takes headers away"), "{:?}", findings.checks);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_know_the_merchant_is_to_be_reloaded() {
    let (clinic, other) = (Clinic::open(Mode::PublicKey).await, Clinic::open(Mode::PublicKey).await);
    other.change(MCHID, "1900000002");
    let server = other.serve();
    let findings = clinic.look(&["--notify-url", &notify_url(&server)]).await;
    assert_eq!(findings.outcome("notify_answer"), "failed");
    assert!(
        findings.detail("notify_answer").contains("does not know this merchant"),
        "{:?}",
        findings.checks
    );
    assert!(findings.remedy("notify_answer").contains("reload it"), "{:?}", findings.checks);
}
