//! APIv2: what is sent, what is believed, which host it goes to, with which certificate.

use std::sync::Arc;

use wechatpay::Fen;
use wechatpay::v2::{
    ApiV2Key, Caller, Fields, OrderNumber, OrderQuery, Refund, Retry, SignType, parse_xml, sign, write_xml,
};
use wechatpay_client::{ClientCertificate, ClientError, Hosts, NotSent, Transport, Unknown, V2Client};

use crate::tls::Authority;
use crate::wechat::{MCHID, Nobody, Reply, Still, Wechat, cut, patience};

fn key() -> ApiV2Key {
    ApiV2Key::new("payonce0test0apiv2key0ABCDEFGHIJ").expect("a test's own data are good")
}

fn client_at(hosts: Hosts, certificate: Option<ClientCertificate>) -> V2Client {
    let transport = Transport::with(hosts, patience(), Arc::new(Still)).expect("a test's own data are good");
    let caller = Caller::merchant("wx0123456789abcdef", MCHID);
    V2Client::new(transport, caller, key(), SignType::HmacSha256, certificate)
        .expect("a test's own data are good")
}

pub(crate) fn client(wechat: &Wechat) -> V2Client {
    client_at(Hosts::all_at(&wechat.base).expect("a test's own data are good"), None)
}

/// XML that is signed, with these fields beside those of every answer.
fn signed(own: &[(&str, &str)]) -> Reply {
    let mut fields = Fields::default();
    let every = [("return_code", "SUCCESS"), ("appid", "wx0123456789abcdef"), ("mch_id", MCHID)];
    for (name, value) in every.iter().chain(own) {
        fields.insert(name, *value);
    }
    fields.insert("sign", sign(&fields, SignType::HmacSha256, &key()));
    Reply::Plain(200, write_xml(&fields).expect("a test's own data are good"))
}

fn query() -> OrderQuery {
    OrderQuery(OrderNumber::OutTradeNo("ORDER20260302A".to_owned()))
}

fn unpaid() -> Reply {
    signed(&[("result_code", "SUCCESS"), ("trade_state", "NOTPAY"), ("out_trade_no", "ORDER20260302A")])
}

fn refund() -> Refund {
    Refund {
        order: OrderNumber::TransactionId("4200000000202603020000000001".to_owned()),
        out_refund_no: "REFUND20260302A".to_owned(),
        total_fee: Fen::new(5990).expect("a test's own data are good"),
        refund_fee: Fen::new(2000).expect("a test's own data are good"),
        refund_desc: None,
        refund_account: None,
        notify_url: None,
    }
}

fn accepted() -> Reply {
    signed(&[
        ("result_code", "SUCCESS"),
        ("transaction_id", "4200000000202603020000000001"),
        ("out_trade_no", "ORDER20260302A"),
        ("out_refund_no", "REFUND20260302A"),
        ("refund_id", "50300000002026030200000000001"),
        ("refund_fee", "2000"),
    ])
}

#[tokio::test]
async fn what_is_sent_is_signed_xml() {
    let wechat = Wechat::plays([unpaid()]).await;
    assert_eq!(client(&wechat).send(&query()).await.unwrap().trade_state, "NOTPAY");
    let asked = &wechat.asked()[0];
    assert!(asked.head.starts_with("POST /pay/orderquery HTTP/1.1"), "{}", asked.head);
    assert_eq!(asked.header("content-type"), Some("text/xml; charset=utf-8"));
    assert!(asked.header("user-agent").unwrap().starts_with("payonce-wechatpay-client/"));
    let sent = parse_xml(asked.body.as_bytes()).unwrap();
    let sent = sent.verify(&key(), Some(SignType::HmacSha256)).unwrap();
    assert_eq!((sent.get("mch_id"), sent.get("out_trade_no")), (Some(MCHID), Some("ORDER20260302A")));
}

/// What each answer says about what was asked for.
#[derive(Debug, PartialEq)]
enum Says {
    No(Retry),
    HasHappened,
    Unknown,
}

#[tokio::test]
async fn table_of_what_answers_say() {
    let failed = |code: &str| signed(&[("result_code", "FAIL"), ("err_code", code)]);
    let plain = |text: &str| Reply::Plain(200, text.to_owned());
    let refused = |text: &str| {
        plain(&format!("<xml><return_code>FAIL</return_code><return_msg>{text}</return_msg></xml>"))
    };
    for (reply, expected) in [
        (failed("ORDERPAID"), Says::No(Retry::Query)),
        (failed("ORDERNOTEXIST"), Says::No(Retry::No)),
        (failed("SYSTEMERROR"), Says::Unknown),
        (failed("CODE_OF_TOMORROW"), Says::Unknown),
        (refused("签名错误"), Says::No(Retry::No)),
        (refused("SYSTEMERROR"), Says::Unknown),
        (signed(&[("result_code", "SUCCESS"), ("out_trade_no", "ORDER20260302A")]), Says::HasHappened),
        (signed(&[("result_code", "SUCCESS"), ("out_trade_no", "ORDER20260302B")]), Says::Unknown),
        (plain("<xml><return_code>SUCCESS</return_code></xml>"), Says::Unknown),
        (plain("<html>"), Says::Unknown),
        (plain(""), Says::Unknown),
        (Reply::Plain(502, "<html>".to_owned()), Says::Unknown),
        (cut(), Says::Unknown),
    ] {
        let wechat = Wechat::plays([reply, unpaid()]).await;
        let error = client(&wechat).send(&query()).await.unwrap_err();
        let said = match &error {
            ClientError::RefusedV2(refused) => Says::No(refused.retry()),
            ClientError::UnreadableV2(_) => Says::HasHappened,
            ClientError::Unknown(_) => Says::Unknown,
            _ => panic!("{error}"),
        };
        assert_eq!(said, expected, "{error}");
        assert_eq!(error.to_string().contains("unknown"), expected == Says::Unknown, "{error}");
        assert_eq!(wechat.asked().len(), 1, "nothing is repeated: {error}");
    }
}

/// What certainly did not arrive goes to the backup host; what breaks is not repeated, but the next call begins there.
#[tokio::test]
async fn the_backup_host_takes_over() {
    let (nobody, backup) = (Nobody::listens(), Wechat::plays([unpaid(), unpaid()]).await);
    let hosts = |primary: &str| Hosts::all_at(primary).unwrap().with_backup(&backup.base).unwrap();
    client_at(hosts(&nobody.base), None).send(&query()).await.unwrap();
    let breaking = Wechat::plays([cut()]).await;
    let client = client_at(hosts(&breaking.base), None);
    let error = client.send(&query()).await.unwrap_err();
    assert!(matches!(error, ClientError::Unknown(Unknown::Silence(_))), "{error}");
    client.send(&query()).await.unwrap();
    assert_eq!((breaking.asked().len(), backup.asked().len()), (1, 2));
}

/// Refunds show the merchant's certificate, and nothing else does. A server whose authority nobody trusts gets nothing.
#[tokio::test]
async fn refunds_go_over_mutual_tls() {
    let authority = Authority::new();
    let wechat = Wechat::plays_over_tls([accepted(), unpaid()], authority.acceptor()).await;
    let (certificate, key) = authority.merchant(MCHID);
    let pair = || ClientCertificate::from_pem(&certificate.pem(), &key.serialize_pem()).unwrap();
    let hosts = Hosts::all_at(&wechat.base).unwrap().trusting(&authority.pem()).unwrap();
    let client = client_at(hosts, Some(pair()));
    assert_eq!(client.send(&refund()).await.unwrap().refund_fee.get(), 2000);
    client.send(&query()).await.unwrap();
    let asked = wechat.asked();
    assert!(asked[0].head.starts_with("POST /secapi/pay/refund HTTP/1.1"), "{}", asked[0].head);
    assert_eq!(asked[0].certificate.as_deref(), Some(&**certificate.der()));
    assert_eq!(asked[1].certificate, None);

    let untrusted = client_at(Hosts::all_at(&wechat.base).unwrap(), Some(pair()));
    let error = untrusted.send(&refund()).await.unwrap_err();
    assert!(matches!(error, ClientError::NotSent { reason: NotSent::Unreachable(_) }), "{error}");
    assert_eq!(wechat.asked().len(), 2);
}

#[tokio::test]
async fn a_refund_without_the_certificate_is_not_sent() {
    let wechat = Wechat::plays([]).await;
    let error = client(&wechat).send(&refund()).await.unwrap_err();
    assert!(matches!(error, ClientError::NotSent { reason: NotSent::NoClientCertificate }), "{error}");
    assert!(wechat.asked().is_empty());
    for (certificate, key) in [("", ""), ("no PEM", "at all")] {
        assert!(ClientCertificate::from_pem(certificate, key).is_err());
    }
}
