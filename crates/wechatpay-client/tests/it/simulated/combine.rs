//! Combined orders as the client places them: a provider for its sub-merchant, and for two merchants in one app.

use payonce_simulator::books::{Account as Enrolled, OrderKey};
use payonce_simulator::keys::Mode;
use wechatpay::Fen;
use wechatpay::api::{
    CloseCombine, ClosedSubOrder, H5, H5Type, Merchant, NewCombine, NewSubOrder, OrderNumber, QueryCombine,
    RequestRefund, Scene, TradeState,
};

use super::{NOTIFY_URL, PROVIDER, PROVIDER_APP, SHOP, SHOP_APP, SUB, SUB_APP, Stage, refused};

const NEIGHBOUR: &str = "1900000002";

fn part(mchid: &str, out_trade_no: &str, fen: i64) -> NewSubOrder {
    NewSubOrder::new(mchid, out_trade_no, "Coffee", Fen::new(fen).unwrap(), "table 7").unwrap()
}

fn whole(number: &str) -> NewCombine {
    let parts = [part(SHOP, &format!("{number}-1"), 1000), part(NEIGHBOUR, &format!("{number}-2"), 2000)];
    let scene = Scene::new().payer_client_ip("203.0.113.7".parse().unwrap()).unwrap();
    let whole = NewCombine::new(SHOP_APP, SHOP, number, parts, NOTIFY_URL).unwrap();
    whole.scene(scene).unwrap().time_expire("2025-06-16T10:34:56+08:00").unwrap()
}

async fn stage() -> Stage {
    let stage = Stage::set(Mode::PublicKey).await;
    stage.simulator.enrol(Enrolled::ordinary(NEIGHBOUR, SHOP_APP), Mode::PublicKey).unwrap();
    stage
}

#[tokio::test]
async fn two_merchants_are_paid_at_once_and_refunded_apart() {
    let stage = stage().await;
    let client = stage.client(SHOP);
    client.send(&whole("WHOLE1").jsapi("oALICE").unwrap()).await.unwrap();
    client.send(&whole("WHOLE2").app()).await.unwrap();
    client.send(&whole("WHOLE3").native()).await.unwrap();
    client.send(&whole("WHOLE4").h5(H5::new(H5Type::Wap)).unwrap()).await.unwrap();

    stage.simulator.pay(&OrderKey::new(SHOP, "WHOLE1"), None).unwrap();
    let query = QueryCombine::new("WHOLE1").unwrap();
    let paid = client.send(&query).await.unwrap();
    let payments: Vec<_> = paid.payments().unwrap().iter().map(|paid| paid.total.get()).collect();
    assert_eq!(payments, [1000, 2000]);
    let id = paid.combine_transaction_id.as_deref().unwrap();
    assert_eq!(client.send(&QueryCombine::by_transaction_id(id).unwrap()).await.unwrap(), paid);

    let neighbour = Merchant::ordinary(NEIGHBOUR).unwrap();
    let theirs = OrderNumber::transaction_id(paid.sub_orders[1].transaction_id.as_deref().unwrap()).unwrap();
    let fen = Fen::new(2000).unwrap();
    let refund = RequestRefund::new(neighbour, theirs, "R1", fen, fen).unwrap();
    stage.client(NEIGHBOUR).send(&refund).await.unwrap();
    let states: Vec<_> =
        client.send(&query).await.unwrap().sub_orders.into_iter().map(|part| part.trade_state).collect();
    assert_eq!(states, [TradeState::Success, TradeState::Refund]);
}

#[tokio::test]
async fn a_combined_order_is_closed_whole() {
    let stage = stage().await;
    let client = stage.client(SHOP);
    client.send(&whole("WHOLE1").native()).await.unwrap();
    let part = |mchid, number| ClosedSubOrder::new(mchid, number).unwrap();
    let half = CloseCombine::new(SHOP_APP, "WHOLE1", [part(SHOP, "WHOLE1-1")]).unwrap();
    assert_eq!(refused(client.send(&half).await).1, "INVALID_REQUEST");
    let parts = [part(SHOP, "WHOLE1-1"), part(NEIGHBOUR, "WHOLE1-2")];
    client.send(&CloseCombine::new(SHOP_APP, "WHOLE1", parts).unwrap()).await.unwrap();
    let closed = client.send(&QueryCombine::new("WHOLE1").unwrap()).await.unwrap();
    assert!(closed.sub_orders.iter().all(|part| part.trade_state == TradeState::Closed));
}

#[tokio::test]
async fn a_provider_combines_for_its_sub_merchant() {
    let stage = stage().await;
    let client = stage.client(PROVIDER);
    let part = part(PROVIDER, "PART1", 100).partner(SUB, Some(SUB_APP)).unwrap();
    let whole = NewCombine::new(PROVIDER_APP, PROVIDER, "WHOLE1", [part], NOTIFY_URL).unwrap();
    client.send(&whole.jsapi_sub("oSUBS").unwrap()).await.unwrap();
    stage.simulator.pay(&OrderKey::new(PROVIDER, "WHOLE1"), None).unwrap();
    let paid = client.send(&QueryCombine::new("WHOLE1").unwrap()).await.unwrap();
    let part = &paid.sub_orders[0];
    assert_eq!((part.sub_mchid.as_deref(), part.sub_openid.as_deref()), (Some(SUB), Some("oSUBS")));
}
