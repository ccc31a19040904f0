//! What may stand at a notify URL in payonce's place.

use std::fs;
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
async fn an_answer_that_breaks_off_is_no_answer() {
    const CUT: &str = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 100\r\nConnection: close\r\n\r\n{";
    let findings = found_at(&format!("http://{}/notify/v3/{MCHID}", answering(CUT).await)).await;
    assert_eq!(findings.outcome("notify_answer"), "failed");
    assert!(findings.remedy("notify_answer").contains("answer whole"), "{:?}", findings.checks);
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
async fn a_host_without_an_address_is_asked_nothing() {
    let findings = found_at(&format!("https://nowhere.invalid/notify/v3/{MCHID}")).await;
    assert_eq!(findings.outcome("notify_address"), "failed");
    assert!(!findings.has("notify_answer"), "{:?}", findings.checks);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_url_is_a_failure() {
    for url in
        [format!("https://[::1/notify/v3/{MCHID}"), format!("https://pay.example.com:x/notify/v3/{MCHID}")]
    {
        let findings = found_at(&url).await;
        assert_eq!(findings.outcome("notify_url"), "failed", "{url}");
        assert!(!findings.has("notify_address") && !findings.has("notify_answer"), "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_in_the_url_is_refused_and_not_repeated() {
    let clinic = Clinic::open(Mode::PublicKey).await;
    for authority in ["shop:hunter2@pay.example.com", "hunter2@127.0.0.1:1"] {
        let said = clinic.say(&["--notify-url", &format!("https://{authority}/notify/v3/{MCHID}")]).await;
        assert!(said.out.contains("it holds a user name or a password"), "{}", said.out);
        assert!(!said.out.contains("hunter2") && !said.err.contains("hunter2"), "{}{}", said.out, said.err);
        assert_eq!(said.code, Some(1));
    }
}

/// But where WeChat Pay itself is played on this machine.
#[tokio::test(flavor = "multi_thread")]
async fn a_loopback_is_not_where_wechat_pay_arrives() {
    let clinic = Clinic::open(Mode::PublicKey).await;
    clinic.configure("https://wechat.invalid");
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        let findings = clinic.look(&["--notify-url", &format!("https://{host}/notify/v3/{MCHID}")]).await;
        assert_eq!(findings.outcome("notify_url"), "failed", "{host}");
        assert!(findings.detail("notify_url").contains("each machine's own"), "{:?}", findings.checks);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_merchants_the_one_is_looked_at_that_the_url_names() {
    const OTHER: &str = "1900000002";
    let clinic = Clinic::open(Mode::PublicKey).await;
    let toml = fs::read_to_string(clinic.folder().join("payonce.toml")).unwrap();
    let (_, merchant) = toml.split_once("[[merchants]]").unwrap();
    clinic.write("payonce.toml", &format!("{toml}[[merchants]]{}", merchant.replacen(MCHID, OTHER, 1)));
    let server = clinic.serve();
    let findings = clinic.look(&["--echo", "--notify-url", &super::notify_url(&server)]).await;
    let of = |mchid: &str, check: &str| {
        let mut found = findings.checks.iter().filter(|found| found["about"] == mchid);
        found.find(|found| found["check"] == check).map(|found| found["outcome"].clone())
    };
    for check in ["notify_url", "notify_answer", "echo_request", "echo_callback"] {
        assert_eq!(of(MCHID, check), Some("ok".into()), "{check} {:?}", findings.checks);
    }
    for check in ["notify_url", "echo_request", "echo_secret", "echo_callback"] {
        assert_eq!(of(OTHER, check), Some("skipped".into()), "{check} {:?}", findings.checks);
    }
}
