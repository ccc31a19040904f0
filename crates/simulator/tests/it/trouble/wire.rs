//! How requests are carried: slowly, in parts, without waiting for the answer.

use payonce_simulator::books::Progress;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::{received, troubled};
use crate::receiver::Receiver;
use crate::shop::Shop;

/// Pays an order, and gives the bytes that came over one connection until the simulator closed it; `answers` once so
/// many bytes of the body are there as were announced.
async fn raw(shop: &Shop, answers: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/notify", listener.local_addr().unwrap());
    let receiving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = Vec::new();
        while stream.read_buf(&mut bytes).await.unwrap_or(0) > 0 {
            if answers && is_whole(&bytes) {
                stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
            }
        }
        String::from_utf8(bytes).unwrap()
    });
    shop.paid("ORDER1", &url).await;
    receiving.await.unwrap()
}

/// The announced length and the body.
fn parts(request: &str) -> Option<(usize, &str)> {
    let (head, body) = request.split_once("\r\n\r\n")?;
    let length =
        head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok())?;
    Some((length, body))
}

fn is_whole(request: &[u8]) -> bool {
    parts(std::str::from_utf8(request).unwrap()).is_some_and(|(length, body)| body.len() == length)
}

#[tokio::test]
async fn names_of_headers_have_capitals_as_wechats_have() {
    let request = raw(&troubled("").await, true).await;
    assert!(request.contains("\r\nWechatpay-Signature: "), "{request}");
    let request = raw(&troubled("[[notices]]\ndo = \"headers_small\"").await, true).await;
    assert!(request.contains("\r\nwechatpay-signature: "), "{request}");
}

#[tokio::test]
async fn a_connection_breaks_in_the_middle_of_the_body() {
    let shop = troubled("[[notices]]\ndo = \"broken\"").await;
    let request = raw(&shop, true).await;
    let (length, body) = parts(&request).unwrap();
    assert!(body.len() < length, "{} of {length} bytes came", body.len());
    assert!(shop.last_heard().failure.unwrap().contains("broke"));
    assert!(matches!(shop.progress()[..], [Progress::Due { .. }]), "it comes again");
}

#[tokio::test]
async fn a_body_comes_slowly_and_whole() {
    let shop = troubled("[[notices]]\ndo = { slow = { millis = 200 } }").await;
    let receiver = Receiver::answering(204).await;
    shop.paid("ORDER1", &receiver.url()).await;
    received(&shop.ring, &receiver.came()[0]).unwrap();
    let elapsed_millis = shop.last_heard().elapsed_millis;
    assert!(elapsed_millis >= 200, "{elapsed_millis}");
}

/// The merchant has done everything, and WeChat does not know: the same notice comes again.
#[tokio::test]
async fn wechat_hangs_up_before_it_is_answered() {
    let shop = troubled("[[notices]]\ndo = { hang_up = { millis = 100 } }").await;
    let request = raw(&shop, false).await;
    let (length, body) = parts(&request).unwrap();
    assert_eq!(body.len(), length, "the request was whole");
    assert_eq!(shop.last_heard().failure.as_deref(), Some("no whole answer within 100ms"));
    assert!(matches!(shop.progress()[..], [Progress::Due { .. }]));
}

/// Patience begins when everything was sent: whoever has none at all sends the whole request all the same.
#[tokio::test]
async fn wechat_hangs_up_only_after_the_whole_request() {
    let scenario = "
        [[notices]]
        do = { slow = { millis = 100 } }
        [[notices]]
        do = { hang_up = { millis = 0 } }
    ";
    let request = raw(&troubled(scenario).await, false).await;
    let (length, body) = parts(&request).unwrap();
    assert_eq!(body.len(), length);
}
