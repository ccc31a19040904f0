//! Refunds as the client asks for them, ordinary and in partner mode.

use std::time::Duration;

use payonce_simulator::books::{OrderKey, RefundKey, RefundStatus as Ends};
use payonce_simulator::keys::Mode;
use wechatpay::api::{
    AbnormalRefund, Account, BankCard, FundsAccount, Merchant, NewOrder, OrderNumber, QueryOrder,
    QueryRefund, RefundGoods, RefundStatus, RequestRefund, TradeState,
};
use wechatpay::{Fen, PlatformKey};
use wechatpay_client::Client;

use super::{NOTIFY_URL, PROVIDER, PROVIDER_APP, SHOP, SHOP_APP, SUB, Stage, refused};

fn fen(fen: i64) -> Fen {
    Fen::new(fen).unwrap()
}

fn shop() -> Merchant {
    Merchant::ordinary(SHOP).unwrap()
}

fn number() -> OrderNumber {
    OrderNumber::out_trade_no("ORDER1").unwrap()
}

fn refund(out_refund_no: &str, of_it: i64) -> RequestRefund {
    RequestRefund::new(shop(), number(), out_refund_no, fen(of_it), fen(5990)).unwrap()
}

/// ORDER1 over 59.90 yuan, paid.
async fn paid(mode: Mode) -> (Stage, Client) {
    let stage = Stage::set(mode).await;
    let client = stage.client(SHOP);
    let account = Account::ordinary(SHOP_APP, SHOP).unwrap();
    let order = NewOrder::new(&account, "ORDER1", "咖啡豆 500g", fen(5990), NOTIFY_URL).unwrap();
    client.send(&order.native()).await.unwrap();
    stage.simulator.pay(&OrderKey::new(SHOP, "ORDER1"), None).unwrap();
    (stage, client)
}

#[tokio::test]
async fn an_order_goes_back_in_parts_and_never_more_than_it_was() {
    let (stage, client) = paid(Mode::PublicKey).await;
    let goods = RefundGoods::new("1217752501201407033233368018", 1, fen(5990), fen(2000)).unwrap();
    let first = refund("R1", 2000).reason("坏豆").unwrap().notify_url(NOTIFY_URL).unwrap();
    let first = first.funds_account(FundsAccount::Available).unwrap().goods([goods]);
    let accepted = client.send(&first).await.unwrap();
    assert_eq!(
        (accepted.status, accepted.funds_account.as_deref()),
        (RefundStatus::Processing, Some("AVAILABLE"))
    );
    let second = refund("R2", 3990).from([(FundsAccount::Available, fen(3990))]).unwrap();
    client.send(&second).await.unwrap();
    stage.simulator.step(Duration::from_secs(60));
    let ended = client.send(&first.query()).await.unwrap();
    assert_eq!((&ended.status, ended.amount.refund.get()), (&RefundStatus::Success, 2000));
    assert_eq!(ended.amount.refund_fee, Some(fen(12)));
    assert_eq!(client.send(&first).await.unwrap(), ended, "the same call again is the same refund");

    let (status, code, _) = refused(client.send(&refund("R3", 1)).await);
    assert_eq!((status, code.as_str()), (400, "INVALID_REQUEST"));
    let (status, code, _) = refused(client.send(&refund("R2", 3000)).await);
    assert_eq!((status, code.as_str()), (400, "REFUND_FEE_MISMATCH"));
    let unknown = QueryRefund::new(shop(), "R3").unwrap();
    assert_eq!(refused(client.send(&unknown).await).1, "RESOURCE_NOT_EXISTS");
    let order = client.send(&QueryOrder::new(shop(), number())).await.unwrap();
    assert_eq!(order.trade_state, TradeState::Refund);
}

#[tokio::test]
async fn an_abnormal_refund_goes_to_another_card() {
    for mode in [Mode::PublicKey, Mode::Certificates] {
        let (stage, client) = paid(mode).await;
        let refund_id = client.send(&refund("R1", 100)).await.unwrap().refund_id;
        stage.simulator.end_refund(&RefundKey::new(SHOP, "R1"), Ends::Abnormal).unwrap();
        let ring = stage.ring(SHOP);
        let key = match ring.public_key() {
            Some(key) => PlatformKey::from_public_key_pem(key.serial(), key.public_key_pem()),
            None => PlatformKey::from_certificate_pem(&ring.certificates()[0].certificate().unwrap().pem),
        };
        let key = key.unwrap();
        let (number, holder) = (key.encrypt("6225750000000000").unwrap(), key.encrypt("王小明").unwrap());
        let card = BankCard {
            bank_type: "CMB_DEBIT",
            bank_account: &number,
            real_name: &holder,
            encrypted_for: key.serial().clone(),
        };
        let call = AbnormalRefund::to_user(shop(), &refund_id, "R1", card).unwrap();
        let sent = client.send(&call).await.unwrap();
        assert_eq!(
            (sent.status, sent.channel.as_deref()),
            (RefundStatus::Processing, Some("OTHER_BANKCARD"))
        );
    }
}

#[tokio::test]
async fn a_provider_refunds_for_its_sub_merchant() {
    let stage = Stage::set(Mode::PublicKey).await;
    let client = stage.client(PROVIDER);
    let account = Account::partner(PROVIDER_APP, PROVIDER, None, SUB).unwrap();
    let order = NewOrder::new(&account, "ORDER1", "tea", fen(5990), NOTIFY_URL).unwrap();
    client.send(&order.native()).await.unwrap();
    let paid = stage.simulator.pay(&OrderKey::new(PROVIDER, "ORDER1"), None).unwrap();
    let merchant = Merchant::partner(PROVIDER, SUB).unwrap();
    let number = OrderNumber::transaction_id(&paid.transaction_id).unwrap();
    let call = RequestRefund::new(merchant, number, "R1", fen(5990), fen(5990)).unwrap();
    client.send(&call).await.unwrap();
    stage.simulator.step(Duration::from_secs(60));
    assert_eq!(client.send(&call.query()).await.unwrap().status, RefundStatus::Success);
}
