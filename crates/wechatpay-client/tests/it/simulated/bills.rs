//! Bills as the client asks for them, downloads them, and reads them.

use std::time::Duration;

use payonce_simulator::books::OrderKey;
use payonce_simulator::keys::Mode;
use wechatpay::Fen;
use wechatpay::api::{
    Account, BillType, FundFlowBill, Merchant, NewOrder, OrderNumber, RequestRefund, Statement, TradeBill,
};
use wechatpay::bill::{Bill, Entry, FundFlow, Kind, Trade};
use wechatpay_client::Client;

use super::{NOTIFY_URL, SHOP, SHOP_APP, Stage, refused};

/// One order over 59.90 yuan of which 20 yuan went back; and then it is the next day.
async fn traded() -> (Stage, Client) {
    let stage = Stage::set(Mode::PublicKey).await;
    let client = stage.client(SHOP);
    let account = Account::ordinary(SHOP_APP, SHOP).unwrap();
    let total = Fen::new(5990).unwrap();
    let order = NewOrder::new(&account, "ORDER1", "红茶, 两盒", total, NOTIFY_URL).unwrap();
    client.send(&order.attach("cart=7").unwrap().native()).await.unwrap();
    stage.simulator.pay(&OrderKey::new(SHOP, "ORDER1"), None).unwrap();
    let number = OrderNumber::out_trade_no("ORDER1").unwrap();
    let merchant = Merchant::ordinary(SHOP).unwrap();
    let refund = RequestRefund::new(merchant, number, "R1", Fen::new(2000).unwrap(), total).unwrap();
    client.send(&refund).await.unwrap();
    stage.simulator.step(Duration::from_secs(24 * 3600));
    (stage, client)
}

/// The file of a statement, whose hash the client checks.
async fn file<K: Kind>(client: &Client, statement: &Statement) -> Bill<K> {
    let mut file = Vec::new();
    client.download(statement, &mut file).await.unwrap();
    let mut bill = Bill::new();
    bill.push(&file);
    bill
}

#[tokio::test]
async fn a_trade_bill_is_downloaded_and_read() {
    let (_stage, client) = traded().await;
    let call = TradeBill::new("2025-06-15").unwrap();
    for call in [call.clone(), call.clone().gzip(), call.bill_type(BillType::All).gzip()] {
        let statement = client.send(&call).await.unwrap();
        let mut bill: Bill<Trade> = file(&client, &statement).await;
        let row = bill.next_row().unwrap().unwrap();
        assert_eq!((row.entry.clone(), row.total.get()), (Entry::Payment, 5990));
        assert_eq!((row.description.as_ref(), row.attach.as_ref()), ("红茶, 两盒", "cart=7"));
        let row = bill.next_row().unwrap().unwrap();
        let Entry::Refund(refund) = &row.entry else { panic!("{row:?}") };
        assert_eq!((refund.out_refund_no, refund.total.get()), ("R1", 2000));
        assert!(bill.next_row().unwrap().is_none());
        assert_eq!(bill.finish().unwrap().rows, 2);
    }
    let empty = client.send(&TradeBill::new("2025-06-14").unwrap()).await;
    assert_eq!(refused(empty).1, "NO_STATEMENT_EXIST");
}

#[tokio::test]
async fn a_fund_flow_bill_is_downloaded_and_read() {
    let (_stage, client) = traded().await;
    let statement = client.send(&FundFlowBill::new("2025-06-15").unwrap().gzip()).await.unwrap();
    let mut bill: Bill<FundFlow> = file(&client, &statement).await;
    let mut moved = Vec::new();
    while let Some(row) = bill.next_row().unwrap() {
        moved.push(row.signed_fen().unwrap());
    }
    assert_eq!(moved, [5990, -36, -1988]);
    bill.finish().unwrap();
}
