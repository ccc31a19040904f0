//! The whole life of an order, ordinary and in partner mode.

use payonce_simulator::books::OrderKey;
use payonce_simulator::keys::Mode;
use wechatpay::Fen;
use wechatpay::api::{
    Account, CloseOrder, Goods, H5, H5Type, Merchant, NewOrder, Order, OrderDetail, OrderNumber, QueryOrder,
    Scene, Store, TradeState,
};
use wechatpay_client::Client;

use super::{NOTIFY_URL, PROVIDER, PROVIDER_APP, SHOP, SHOP_APP, SUB, SUB_APP, Stage, refused};

fn new_order(out_trade_no: &str, fen: i64) -> NewOrder {
    let account = Account::ordinary(SHOP_APP, SHOP).unwrap();
    NewOrder::new(&account, out_trade_no, "咖啡豆 500g", Fen::new(fen).unwrap(), NOTIFY_URL).unwrap()
}

fn number(out_trade_no: &str) -> OrderNumber {
    OrderNumber::out_trade_no(out_trade_no).unwrap()
}

async fn query(client: &Client, number: OrderNumber) -> Order {
    client.send(&QueryOrder::new(Merchant::ordinary(SHOP).unwrap(), number)).await.unwrap()
}

fn close(out_trade_no: &str) -> CloseOrder {
    CloseOrder::new(Merchant::ordinary(SHOP).unwrap(), out_trade_no).unwrap()
}

#[tokio::test]
async fn an_order_is_placed_asked_for_paid_and_told() {
    let stage = Stage::set(Mode::PublicKey).await;
    let client = stage.client(SHOP);
    let call = new_order("ORDER1", 5990).attach("桌 7").unwrap().jsapi("oALICE").unwrap();
    let first = client.send(&call).await.unwrap().prepay_id;
    let again = client.send(&call).await.unwrap().prepay_id;
    assert_ne!(first, again, "the same order, another ticket");

    let unpaid = query(&client, number("ORDER1")).await;
    assert_eq!((unpaid.trade_state, unpaid.transaction_id), (TradeState::NotPay, None));
    assert_eq!(unpaid.amount.unwrap().total.unwrap().get(), 5990);

    let payment = stage.simulator.pay(&OrderKey::new(SHOP, "ORDER1"), None).unwrap();
    let paid = query(&client, number("ORDER1")).await;
    let by_id = query(&client, OrderNumber::transaction_id(&payment.transaction_id).unwrap()).await;
    assert_eq!(paid, by_id);
    let transaction = paid.transaction().unwrap().unwrap();
    assert_eq!((transaction.out_trade_no.as_str(), transaction.attach.as_deref()), ("ORDER1", Some("桌 7")));
    let told = transaction.payment().unwrap();
    assert_eq!((told.transaction_id, told.total.get()), (payment.transaction_id.as_str(), 5990));
    assert_eq!(
        refused(client.send(&close("ORDER1")).await),
        (400, "ORDER_PAID".to_owned(), Some(268_449_538))
    );
}

#[tokio::test]
async fn every_way_of_paying_takes_everything_that_the_client_can_say() {
    let stage = Stage::set(Mode::PublicKey).await;
    let client = stage.client(SHOP);
    let order = |out_trade_no: &str| {
        let goods = Goods::new("1246464644", 2, Fen::new(100).unwrap()).unwrap().goods_name("豆").unwrap();
        let detail = OrderDetail::new([goods]).unwrap().cost_price(Fen::new(300).unwrap());
        let store = Store::new("0001").unwrap().name("腾讯大厦分店").unwrap();
        let scene = Scene::new().payer_client_ip("203.0.113.7".parse().unwrap()).unwrap();
        let order = new_order(out_trade_no, 200).time_expire("2025-06-16T10:34:56+08:00").unwrap();
        let order = order.goods_tag("WXG").unwrap().support_fapiao(true).profit_sharing(false);
        let order = order.subsidy("PERIOD", [(3, 100)]);
        order.detail(detail).unwrap().scene(scene.device_id("POS1").unwrap().store(store))
    };
    let prepay_id = client.send(&order("ORDER1").jsapi("oALICE").unwrap()).await.unwrap().prepay_id;
    assert!(prepay_id.starts_with("wx"), "{prepay_id}");
    assert!(client.send(&order("ORDER2").app()).await.unwrap().prepay_id.starts_with("wx"));
    let code_url = client.send(&order("ORDER3").native()).await.unwrap().code_url;
    assert!(code_url.starts_with("weixin://wxpay/bizpayurl?pr="), "{code_url}");
    let h5 = H5::new(H5Type::Wap).app_name("shop").unwrap();
    let h5_url = client.send(&order("ORDER4").h5(h5).unwrap()).await.unwrap().h5_url;
    assert!(h5_url.starts_with("https://wx.tenpay.com/"), "{h5_url}");
}

#[tokio::test]
async fn table_of_refusals() {
    let stage = Stage::set(Mode::PublicKey).await;
    let client = stage.client(SHOP);
    client.send(&new_order("ORDER1", 100).native()).await.unwrap();
    let other_amount = client.send(&new_order("ORDER1", 101).native()).await;
    assert_eq!(refused(other_amount), (400, "INVALID_REQUEST".to_owned(), Some(268_498_688)));
    let other_way = client.send(&new_order("ORDER1", 100).app()).await;
    assert_eq!(refused(other_way), (403, "OUT_TRADE_NO_USED".to_owned(), Some(268_498_688)));

    for _ in 0..2 {
        client.send(&close("ORDER1")).await.unwrap();
    }
    assert_eq!(query(&client, number("ORDER1")).await.trade_state, TradeState::Closed);
    let closed = client.send(&new_order("ORDER1", 100).native()).await;
    assert_eq!(refused(closed), (400, "ORDER_CLOSED".to_owned(), Some(268_447_914)));

    let not_found = (404, "ORDER_NOT_EXIST".to_owned(), Some(268_512_771));
    assert_eq!(refused(client.send(&close("ORDER2")).await), not_found);
    let call = QueryOrder::new(Merchant::ordinary(SHOP).unwrap(), number("ORDER2"));
    assert_eq!(refused(client.send(&call).await), not_found);
}

#[tokio::test]
async fn a_provider_sells_for_its_sub_merchant() {
    let stage = Stage::set(Mode::PublicKey).await;
    let client = stage.client(PROVIDER);
    let account = Account::partner(PROVIDER_APP, PROVIDER, Some(SUB_APP), SUB).unwrap();
    let order = |out_trade_no: &str| {
        NewOrder::new(&account, out_trade_no, "tea", Fen::new(100).unwrap(), NOTIFY_URL).unwrap()
    };
    client.send(&order("ORDER1").jsapi("oPROVIDERS").unwrap()).await.unwrap();
    client.send(&order("ORDER2").jsapi_sub("oSUBS").unwrap()).await.unwrap();
    client.send(&order("ORDER3").native()).await.unwrap();

    let query = |out_trade_no: &str| QueryOrder::new(account.merchant().clone(), number(out_trade_no));
    let payment = stage.simulator.pay(&OrderKey::new(PROVIDER, "ORDER2"), None).unwrap();
    let paid = client.send(&query("ORDER2")).await.unwrap();
    let payer = paid.payer.unwrap();
    assert_eq!((payer.sp_openid, payer.sub_openid), (Some(payment.openid), Some("oSUBS".to_owned())));

    client.send(&CloseOrder::new(account.merchant().clone(), "ORDER3").unwrap()).await.unwrap();
    let closed = client.send(&query("ORDER3")).await.unwrap();
    assert_eq!(closed.trade_state, TradeState::Closed);
    let other = Merchant::partner(PROVIDER, "1999999999").unwrap();
    let other = client.send(&QueryOrder::new(other, number("ORDER1"))).await;
    assert_eq!(refused(other), (400, "INVALID_REQUEST".to_owned(), Some(268_447_845)));
}
