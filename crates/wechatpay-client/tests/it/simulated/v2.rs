//! APIv2 as the client speaks it: an order's whole life, a refund over mutual TLS, bills.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use payonce_simulator::books::{Account, OrderKey};
use payonce_simulator::keys::Mode;
use payonce_simulator::{Pace, Setup, Simulator};
use wechatpay::Fen;
use wechatpay::v2::{
    ApiV2Key, BillType, Caller, CloseOrder, DownloadBill, OrderNumber, OrderOptions, OrderQuery, Refund,
    RefundNumber, RefundQuery, SignType, Trade, UnifiedOrder,
};
use wechatpay_client::{ClientCertificate, ClientError, Hosts, Transport, V2Client};

use super::{NOTIFY_URL, SHOP, SHOP_APP};
use crate::wechat::{NOW, Still, patience};

const NEIGHBOUR: &str = "1900000002";

/// The shop and its neighbour at a simulation with both ports.
async fn stage() -> Simulator {
    let listen_tls = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let setup = Setup { pace: Pace::ByHand, listen_tls, ..Setup::new(Arc::new(|| NOW)) }
        .with(Account::ordinary(SHOP, SHOP_APP), Mode::PublicKey)
        .with(Account::ordinary(NEIGHBOUR, SHOP_APP), Mode::PublicKey);
    Simulator::start(setup).await.unwrap()
}

/// The shop's client over TLS, which shows this merchant's certificate.
fn client(simulator: &Simulator, shows: &str, sign_type: SignType) -> V2Client {
    let hosts = Hosts::all_at(&simulator.tls_base_url().unwrap()).unwrap();
    let hosts = hosts.trusting(simulator.authority().certificate_pem()).unwrap();
    let transport = Transport::with(hosts, patience(), Arc::new(Still)).unwrap();
    let ring = simulator.ring(shows).unwrap();
    let own = &ring.own()[0];
    let certificate = ClientCertificate::from_pem(&own.certificate().pem, &own.private_pem()).unwrap();
    let key = ApiV2Key::new(simulator.ring(SHOP).unwrap().apiv2_key()).unwrap();
    V2Client::new(transport, Caller::merchant(SHOP_APP, SHOP), key, sign_type, Some(certificate)).unwrap()
}

fn order(out_trade_no: &str) -> UnifiedOrder {
    UnifiedOrder {
        body: "Coffee".to_owned(),
        out_trade_no: out_trade_no.to_owned(),
        total_fee: Fen::new(5990).unwrap(),
        spbill_create_ip: "14.23.150.211".to_owned(),
        notify_url: NOTIFY_URL.to_owned(),
        trade: Trade::Jsapi { openid: "oALICE".to_owned() },
        options: OrderOptions { attach: Some("table 7".to_owned()), ..OrderOptions::default() },
    }
}

fn refund() -> Refund {
    Refund {
        order: OrderNumber::OutTradeNo("ORDER1".to_owned()),
        out_refund_no: "R1".to_owned(),
        total_fee: Fen::new(5990).unwrap(),
        refund_fee: Fen::new(2000).unwrap(),
        refund_desc: Some("cold".to_owned()),
        refund_account: None,
        notify_url: None,
    }
}

#[tokio::test]
async fn an_order_is_placed_paid_and_refunded_over_mutual_tls() {
    let simulator = stage().await;
    for sign_type in [SignType::Md5, SignType::HmacSha256] {
        let client = client(&simulator, SHOP, sign_type);
        let number = if sign_type == SignType::Md5 { "ORDER1" } else { "ORDER2" };
        assert!(client.send(&order(number)).await.unwrap().prepay_id.starts_with("wx"));
        let of = OrderNumber::OutTradeNo(number.to_owned());
        assert_eq!(client.send(&OrderQuery(of.clone())).await.unwrap().trade_state, "NOTPAY");
        simulator.pay(&OrderKey::new(SHOP, number), None).unwrap();
        let paid = client.send(&OrderQuery(of.clone())).await.unwrap().transaction.unwrap();
        assert_eq!((paid.total_fee.get(), paid.attach.as_deref()), (5990, Some("table 7")));

        let call = Refund { order: of, out_refund_no: format!("R-{number}"), ..refund() };
        let accepted = client.send(&call).await.unwrap();
        assert_eq!(client.send(&call).await.unwrap().refund_id, accepted.refund_id, "the same refund");
        simulator.step(Duration::from_secs(60));
        let of = RefundNumber::RefundId(accepted.refund_id);
        let told = client.send(&RefundQuery { of, offset: None }).await.unwrap();
        assert_eq!((told.refunds.len(), told.refunds[0].refund_status.as_str()), (1, "SUCCESS"));
    }
}

#[tokio::test]
async fn anothers_certificate_is_refused_and_no_certificate_too() {
    let simulator = stage().await;
    let neighbours = client(&simulator, NEIGHBOUR, SignType::Md5);
    neighbours.send(&order("ORDER1")).await.unwrap();
    simulator.pay(&OrderKey::new(SHOP, "ORDER1"), None).unwrap();
    let error = neighbours.send(&refund()).await.unwrap_err();
    assert!(
        matches!(error, ClientError::RefusedV2(_)) && error.to_string().contains("CERT_ERROR"),
        "{error}"
    );
    assert_eq!(simulator.read(|books| books.refunds().count()), 0);
    let number = || "ORDER1".to_owned();
    let error = neighbours.send(&CloseOrder { out_trade_no: number() }).await.unwrap_err();
    assert!(error.to_string().contains("ORDERPAID"), "{error}");
}

#[tokio::test]
async fn a_bill_is_downloaded() {
    let simulator = stage().await;
    let client = client(&simulator, SHOP, SignType::HmacSha256);
    client.send(&order("ORDER1")).await.unwrap();
    simulator.pay(&OrderKey::new(SHOP, "ORDER1"), None).unwrap();
    simulator.step(Duration::from_secs(24 * 3600));
    for gzip in [false, true] {
        let call = DownloadBill { bill_date: "20250615".to_owned(), bill_type: BillType::All, gzip };
        let mut file = Vec::new();
        client.download(&call, &mut file).await.unwrap();
        let mut bill = wechatpay::bill::Bill::<wechatpay::bill::Trade>::new();
        bill.push(&file);
        assert_eq!(bill.next_row().unwrap().unwrap().out_trade_no, "ORDER1");
        assert!(bill.next_row().unwrap().is_none());
        bill.finish().unwrap();
    }
}
