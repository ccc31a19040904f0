//! Whatever a receiver answers, an attempt ends, and says what was heard.

use std::time::Duration;

use payonce_core::delivery::{Answer, Fault, Heard};
use payonce_dispatch::Report;

use crate::{
    fixture::{Names, message, senders, way, words},
    receiver::{Receiver, Reply, Seen, answer},
};

async fn send_to(receiver: &Receiver) -> Report {
    way(&senders(Names::local()), &receiver.url()).send(&message(1)).await
}

async fn answered(reply: Reply) -> Report {
    send_to(&Receiver::start(vec![reply]).await).await
}

#[tokio::test]
async fn each_status_is_told_as_it_is() {
    for status in [200, 201, 204, 299, 304, 400, 401, 404, 410, 429, 500, 503, 599] {
        let reply = answer(&format!("{status} Word"), "X-A: 1\r\n", "");
        let report = answered(Reply::Bytes(reply)).await;
        assert_eq!(report.heard, Heard::from(Answer::Status(status)));
        assert!(report.headers.contains("x-a: 1"), "{}", report.headers);
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let elsewhere = Receiver::start(vec![Reply::Bytes(answer("200 OK", "", ""))]).await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("Location: {}\r\n", elsewhere.url());
        let report = answered(Reply::Bytes(answer(&format!("{status} Moved"), &location, ""))).await;
        assert_eq!(report.heard.answer, Answer::Status(status));
        assert!(report.headers.contains(&elsewhere.url()), "who reads the attempts sees where to");
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn retry_after_is_heard_in_seconds_and_as_a_date() {
    for (value, expected) in [
        ("120", Some(Duration::from_secs(120))),
        ("Wed, 21 Oct 2015 07:29:30 GMT", Some(Duration::from_secs(90))),
        ("later", None),
    ] {
        let header = format!("Retry-After: {value}\r\n");
        let report = answered(Reply::Bytes(answer("503 Busy", &header, ""))).await;
        assert_eq!(report.heard, Heard { answer: Answer::Status(503), retry_after: expected });
    }
}

#[tokio::test]
async fn four_kilobytes_of_a_body_are_kept() {
    for (length, kept) in [(0, 0), (5, 5), (4096, 4096), (4097, 4096), (100_000, 4096)] {
        let body = "abcde".repeat(length / 5 + 1);
        let report = answered(Reply::Bytes(answer("500 Oh", "", &body[..length]))).await;
        assert_eq!(report.heard.answer, Answer::Status(500));
        assert_eq!(report.body, &body.as_bytes()[..kept]);
    }
}

#[tokio::test]
async fn of_a_gigabyte_no_more_is_read_than_is_kept() {
    for head in ["Content-Length: 1073741824", "Connection: close"] {
        let head = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n").into_bytes();
        let mut receiver = Receiver::start(vec![Reply::Endless(head)]).await;
        let report = send_to(&receiver).await;
        assert_eq!(report.heard.answer, Answer::Status(200));
        assert_eq!(report.body, [b'x'; 4096]);
        receiver.call().await;
        let Seen::Ended { bytes } = receiver.seen().await else { panic!("another call") };
        // The buffers of two sockets were filled meanwhile.
        assert!(bytes < 64 * 1024 * 1024, "{bytes}");
    }
}

#[tokio::test]
async fn headers_are_kept_as_text_and_within_bounds() {
    let mut reply = b"HTTP/1.1 200 OK\r\nX-Latin: caf\xe9\r\n".to_vec();
    reply.extend(format!("X-Long: {}\r\nContent-Length: 0\r\n\r\n", "y".repeat(10_000)).into_bytes());
    let report = answered(Reply::Bytes(reply)).await;
    assert_eq!(report.heard.answer, Answer::Status(200));
    assert!(report.headers.starts_with("x-latin: caf\u{fffd}\nx-long: yyy"), "{}", report.headers);
    assert!((4000..=4096).contains(&report.headers.len()), "{}", report.headers.len());
}

#[tokio::test]
async fn what_is_not_http_is_garbled() {
    let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "y".repeat(100_000));
    for bytes in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/3.0 200 OK\r\n\r\n",
        "<html>hello</html>\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        long.as_str(),
    ] {
        let report = answered(Reply::Last(bytes.into())).await;
        let start: String = bytes.chars().take(60).collect();
        assert_eq!(report.heard.answer, Answer::Fault(Fault::Garbled), "{start:?}: {}", words(&report));
        assert!(!report.body.is_empty());
    }
}

#[tokio::test]
async fn an_answer_that_ends_before_it_is_whole_is_cut_off() {
    for bytes in [
        "",
        "HTTP/1.1 200 OK\r\nContent-",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ] {
        let report = answered(Reply::Last(bytes.into())).await;
        assert_eq!(report.heard.answer, Answer::Fault(Fault::CutOff), "{bytes:?}: {}", words(&report));
        assert_eq!(words(&report).starts_with("200 OK, and then"), bytes.contains("\r\n\r\n"));
    }
}

#[tokio::test]
async fn a_connection_that_is_reset_is_cut_off() {
    let report = answered(Reply::Reset).await;
    assert_eq!(report.heard.answer, Answer::Fault(Fault::CutOff), "{}", words(&report));
}

#[tokio::test]
async fn a_receiver_that_hangs_is_left_at_the_total_time_out() {
    for bytes in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"] {
        let report = answered(Reply::Hang(bytes.into())).await;
        assert_eq!(report.heard.answer, Answer::Fault(Fault::TimedOut), "{bytes:?}");
        assert_eq!(words(&report), "no answer within 15000 ms");
        tokio::time::resume();
    }
}

#[tokio::test]
async fn a_slow_receiver_is_left_at_the_total_time_out_however_much_it_says() {
    let report = answered(Reply::Slow(b"HTTP/1.1 200 OK\r\nX-A: b\r\nX-B: c\r\n")).await;
    assert_eq!(report.heard.answer, Answer::Fault(Fault::TimedOut), "{}", words(&report));
}

#[tokio::test]
async fn a_body_that_hangs_after_what_is_kept_is_a_whole_answer() {
    let bytes = [&b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"[..], &[b'x'; 4096]].concat();
    let report = answered(Reply::Hang(bytes)).await;
    assert_eq!((report.heard.answer, report.body.len()), (Answer::Status(200), 4096));
}
