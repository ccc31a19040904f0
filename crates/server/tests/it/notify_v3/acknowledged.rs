//! 204: whatever is verified, understood and committed, be it good news or not.

use payonce_simulator::{Merchant, Payment};
use wechatpay::{UnixSeconds, headers};

use crate::{
    letter::Letter,
    stage::{APPID, MCHID, NOW, Stage, merchant, payment, platform},
};

#[tokio::test]
async fn every_outcome_is_acknowledged_alike() {
    let stage = Stage::set().await;
    stage.register(1).await;
    stage.register(2).await;
    let refund = stage.edited(payment(4), |envelope| {
        envelope["event_type"] = "REFUND.SUCCESS".into();
        envelope["resource"]["original_type"] = "refund".into();
    });
    for (outcome, letter) in [
        ("applied", stage.callback(payment(1))),
        ("duplicate", stage.callback(payment(1))),
        ("incident", stage.callback(Payment { amount_fen: 1, ..payment(2) })),
        ("unmatched", stage.callback(payment(3))),
        ("applied", refund.clone()),
        ("duplicate", refund),
    ] {
        let line = format!("payonce_callbacks_accepted_total{{outcome=\"{outcome}\"}}");
        let counted = async || stage.metric(&line).await.unwrap().parse::<u64>().unwrap();
        let before = counted().await;
        stage.ask(&letter).await.assert_acknowledged();
        assert_eq!(counted().await, before + 1, "{outcome}");
    }

    assert_eq!(
        stage.message_types().await,
        ["payment.succeeded", "payment.mismatched", "payment.unmatched", "wechat.REFUND.SUCCESS"]
    );
    assert_eq!([stage.order_state(1).await, stage.order_state(2).await], ["paid", "pending"]);
    let counts = stage.struck().await.counts().await;
    assert_eq!((counts.payments, counts.receipts, counts.rejected), (3, 6, 0));
}

/// A framework that said 201, a filter that said 302, a page of one's own under 200: the first two are no
/// acknowledgement, the third is one that nothing stands behind. Only a commit says 204; whatever else comes is refused.
#[tokio::test]
async fn trap_201_302_or_200_of_another_making_is_never_said() {
    let stage = Stage::set().await;
    let genuine = stage.callback(payment(1));
    for path in [
        format!("/notify/v3/{MCHID}/"),
        format!("/notify/v3//{MCHID}"),
        format!("//notify/v3/{MCHID}"),
        format!("/Notify/v3/{MCHID}"),
        format!("/notify/v3/{MCHID}/.."),
        format!("/notify/v2/{MCHID}"),
        format!("/notify/{MCHID}"),
        "/notify/v3/".to_owned(),
        "/notify/v3".to_owned(),
        "/notify".to_owned(),
        "/".to_owned(),
    ] {
        let answer = stage.ask(&genuine.clone().to(&path)).await;
        assert!((400..=599).contains(&answer.status), "{path}: {answer:?}");
    }
    for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let answer = stage.ask(&genuine.clone().method(method)).await;
        assert!((400..=599).contains(&answer.status), "{method}: {answer:?}");
    }
    assert_eq!(stage.counts().await.payments, 0);
    stage.ask(&genuine).await.assert_acknowledged();
    let with_query = genuine.clone().to(&format!("/notify/v3/{MCHID}?from=wechat"));
    stage.ask(&with_query).await.assert_acknowledged();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_concurrent_copies_have_one_effect() {
    let stage = Stage::set().await;
    stage.register(1).await;
    let letter = stage.callback(payment(1));
    for answer in stage.ask_all(vec![letter; 100]).join_all().await {
        answer.assert_acknowledged();
    }
    assert_eq!(stage.message_types().await, ["payment.succeeded"]);
    let counts = stage.struck().await.counts().await;
    assert_eq!((counts.payments, counts.messages, counts.receipts), (1, 1, 100));
}

/// Paid through two channels: the second callback rolled back for ever elsewhere, and the customer was charged twice.
#[tokio::test]
async fn the_second_payment_of_an_order_is_acknowledged_and_told() {
    let stage = Stage::set().await;
    stage.register(1).await;
    let second = Payment { out_trade_no: "ORDER1".to_owned(), ..payment(2) };
    stage.ask(&stage.callback(payment(1))).await.assert_acknowledged();
    for _ in 0..2 {
        stage.ask(&stage.callback(second.clone())).await.assert_acknowledged();
    }
    assert_eq!(stage.message_types().await, ["payment.succeeded", "payment.duplicated"]);
}

/// Amount, currency and appid are compared with the order; a valid signature says nothing about them.
#[tokio::test]
async fn a_payment_in_another_app_does_not_pay_the_order() {
    let stage = Stage::set().await;
    stage.register(1).await;
    let other_app = Merchant::new(MCHID, "wxanotherapp", merchant().apiv3_key()).unwrap();
    assert_ne!(other_app.appid(), APPID);
    let stage = stage.writing_to(other_app);
    stage.ask(&stage.callback(payment(1))).await.assert_acknowledged();
    assert_eq!(stage.order_state(1).await, "pending");
    assert_eq!(stage.message_types().await, ["payment.mismatched"]);
}

/// `TRANSACTION.SUCCESS` is also sent for profit sharing, parking and others: the resource's own type decides.
#[tokio::test]
async fn trap_transaction_success_of_another_product_is_passed_on_and_pays_nothing() {
    let stage = Stage::set().await;
    stage.register(1).await;
    let sharing =
        stage.edited(payment(1), |envelope| envelope["resource"]["original_type"] = "profitsharing".into());
    stage.ask(&sharing).await.assert_acknowledged();
    assert_eq!(stage.order_state(1).await, "pending");
    assert_eq!(stage.message_types().await, ["wechat.TRANSACTION.SUCCESS"]);
}

#[tokio::test]
async fn a_payment_under_a_number_that_no_order_can_have_is_passed_on() {
    let stage = Stage::set().await;
    let foreign = Payment { out_trade_no: "订单 1".to_owned(), ..payment(1) };
    stage.ask(&stage.callback(foreign)).await.assert_acknowledged();
    assert_eq!(stage.message_types().await, ["wechat.TRANSACTION.SUCCESS"]);
}

#[tokio::test]
async fn a_timestamp_is_good_for_299_seconds_on_either_side() {
    let stage = Stage::set().await;
    for (number, seconds) in [(1, 299), (2, -299)] {
        stage.clock_seconds(UnixSeconds(NOW.0 + seconds));
        stage.ask(&stage.callback(payment(number))).await.assert_acknowledged();
    }
}

/// Proxies change the case of names, their order and the space round values; none of it is signed.
#[tokio::test]
async fn names_in_capitals_and_indented_values_are_read() {
    let stage = Stage::set().await;
    stage.ask(&stage.callback(payment(1)).shouted()).await.assert_acknowledged();
}

#[tokio::test]
async fn the_signature_type_may_be_absent() {
    let stage = Stage::set().await;
    let letter = stage.callback(payment(1)).without(headers::SIGNATURE_TYPE);
    stage.ask(&letter).await.assert_acknowledged();
}

/// The raw bytes are what is signed; what they mean is read afterwards.
#[tokio::test]
async fn a_body_with_spaces_escapes_and_unknown_fields_is_taken_as_it_was_signed() {
    let stage = Stage::set().await;
    let compact = String::from_utf8(stage.notice(payment(1)).body().to_vec()).unwrap();
    let loose = compact.replacen('{', "\r\n{ \"new\\u0020field\" : [1.5, null] , ", 1) + " \n\t";
    stage.ask(&stage.signed(loose)).await.assert_acknowledged();
    assert_eq!(stage.message_types().await, ["payment.unmatched"]);
}

/// One URL for many merchants, and which key decrypts? The merchant is in the path.
#[tokio::test]
async fn merchants_share_a_server_and_not_their_orders() {
    let second = crate::stage::second_merchant();
    let stage = Stage::of(&[merchant(), crate::stage::second_merchant()], |_, _| ()).await;
    stage.ask(&stage.callback(payment(1))).await.assert_acknowledged();
    let paid = Payment { seller: second.seller(), ..payment(1) };
    let notice = payonce_simulator::Notification::new(paid, &second, NOW, &mut crate::stage::rng(1));
    let letter = Letter::callback(second.mchid(), &notice.signed(platform(), NOW, &mut crate::stage::rng(1)));
    stage.ask(&letter).await.assert_acknowledged();
    let counts = stage.struck().await.counts().await;
    assert_eq!(
        (counts.payments, counts.messages),
        (2, 2),
        "one number in two merchants' books is two payments"
    );
}
