//! What may stand at a notify URL in payonce's place.

use std::net::SocketAddr;

use payonce_simulator::keys::Mode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::{Clinic, Findings, MCHID};

/// Answers everything with this.
pub(super) async fn answering(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut bytes = [0; 4096];
                let _ = stream.read(&mut bytes).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    addr
}

async fn found_at(url: &str) -> Findings {
    Clinic::open(Mode::PublicKey).await.look(&["--notify-url", url]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_answers_in_payonces_place_is_found_out() {
    for (answer, said) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", "acknowledges anything"),
        (
            "HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            "redirects",
        ),
        (
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            "nobody takes callbacks",
        ),
        (
            "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            "does not reach payonce",
        ),
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "not payonce's answer"),
        (
            "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            "not payonce's answer",
        ),
    ] {
        let url = format!("http://{}/notify/v3/{MCHID}", answering(answer).await);
        let findings = found_at(&url).await;
        assert_eq!(findings.outcome("notify_answer"), "failed", "{answer}");
        assert!(findings.detail("notify_answer").contains(said), "{answer}: {:?}", findings.checks);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_that_wechat_pay_would_refuse_is_asked_nothing() {
    for (url, said) in [
        (format!("https://pay.example.com/notify/v3/{MCHID}?shop=1"), "query"),
        (format!("http://pay.example.com/notify/v3/{MCHID}"), "https"),
        ("https://pay.example.com/notify/v3/1900000002".to_owned(), "not this merchant's"),
    ] {
        let findings = found_at(&url).await;
        assert_eq!(findings.outcome("notify_url"), "failed", "{url}");
        assert!(findings.detail("notify_url").contains(said), "{url}: {:?}", findings.checks);
        assert!(!findings.has("notify_address") && !findings.has("notify_answer"), "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_without_an_address_and_one_without_tls_are_told_apart() {
    let findings = found_at(&format!("https://nowhere.invalid/notify/v3/{MCHID}")).await;
    assert_eq!(findings.outcome("notify_address"), "failed");
    assert!(!findings.has("notify_answer"), "{:?}", findings.checks);

    let plain = answering("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
    let findings = found_at(&format!("https://{plain}/notify/v3/{MCHID}")).await;
    assert_eq!(findings.outcome("notify_answer"), "failed", "{:?}", findings.checks);
}
