//! Payments that do not add up: told once, by one node, and after a restart from where it was.

use std::sync::Arc;

use payonce_core::{
    Store as _,
    store::{ConsumerName, Owner},
};
use payonce_server::{Patience, Server, config::Robot as Kind};
use payonce_simulator::Payment;

use super::{alerting, channel, robot::Robot};
use crate::{
    stage::{AMOUNT_FEN, OPENID, Stage, configuration, merchant, payment},
    wire::within,
};

/// Waits until incidents are followed: what comes from then on is told.
pub(crate) async fn begun(stage: &Stage) {
    let name = ConsumerName::parse("payonce.alerts").unwrap();
    within("the offset of alerts", async {
        while stage.store.consumers().consumer(&name).await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Waits until the incidents up to this position are told.
async fn told_up_to(stage: &Stage, position: i64) {
    let name = ConsumerName::parse("payonce.alerts").unwrap();
    within("the end of an alert", async {
        while stage.store.consumers().consumer(&name).await.unwrap().is_none_or(|at| at.position.0 < position)
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

async fn underpay(stage: &Stage, number: u32) {
    stage.register(number).await;
    let payment = Payment { amount_fen: AMOUNT_FEN - 1, ..payment(number) };
    stage.ask(&stage.callback(payment)).await.assert_acknowledged();
}

#[tokio::test]
async fn a_payment_that_differs_from_its_order_is_told_with_what_to_do() {
    let mut robot = Robot::open().await;
    let stage = Stage::with(alerting(vec![channel(Kind::Wecom, &robot)])).await;
    begun(&stage).await;
    stage.register(9).await;
    stage.ask(&stage.callback(payment(9))).await.assert_acknowledged();
    underpay(&stage, 1).await;
    let text = robot.told().await.text();
    for said in [
        "merchant 1900000001",
        "amount_mismatch",
        "ORDER1",
        "59.89 CNY in place of 59.90",
        "GET /v1/orders/ORDER1",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(!text.contains(OPENID) && !text.contains("ORDER9"), "{text}");
    told_up_to(&stage, 2).await;
    robot.expect_quiet().await;
}

#[tokio::test]
async fn a_payment_that_waits_for_its_order_is_told_if_nobody_registers_it() {
    let mut robot = Robot::open().await;
    let stage = Stage::with(alerting(vec![channel(Kind::Wecom, &robot)])).await;
    begun(&stage).await;
    stage.ask(&stage.callback(payment(1))).await.assert_acknowledged();
    let text = robot.told().await.text();
    assert!(text.contains("unknown_order") && text.contains("POST /v1/orders"), "{text}");
}

#[tokio::test]
async fn many_of_one_kind_become_one_notice() {
    let mut robot = Robot::open().await;
    let mut channel = channel(Kind::Wecom, &robot);
    channel.group = std::time::Duration::from_millis(500);
    let stage = Stage::with(alerting(vec![channel])).await;
    begun(&stage).await;
    for number in 1..=8 {
        underpay(&stage, number).await;
    }
    let first = robot.told().await.text();
    let (mut told, mut notices) = (1, 1);
    while told < 8 {
        let text = robot.told().await.text();
        let count = text.lines().nth(1).and_then(|line| line.strip_suffix(" alerts"));
        told += count.map_or(1, |count| count.parse::<u32>().unwrap());
        notices += 1;
    }
    assert!(first.contains("ORDER1"), "{first}");
    assert_eq!(told, 8);
    assert!(notices < 8, "{notices} notices");
}

#[tokio::test]
async fn after_a_restart_incidents_are_told_from_where_it_was() {
    let mut robot = Robot::open().await;
    let stage = Stage::set().await;
    underpay(&stage, 1).await;
    // What is history when alerts are configured is no news.
    let stage = stage.restarted_with(&[merchant()], alerting(vec![channel(Kind::Wecom, &robot)])).await;
    begun(&stage).await;
    underpay(&stage, 2).await;
    assert!(robot.told().await.text().contains("ORDER2"));
    told_up_to(&stage, 2).await;

    let stage = stage.restarted(&[merchant()]).await;
    underpay(&stage, 3).await;
    let stage = stage.restarted_with(&[merchant()], alerting(vec![channel(Kind::Wecom, &robot)])).await;
    let text = robot.told().await.text();
    assert!(text.contains("ORDER3") && !text.contains("ORDER2"), "{text}");
    told_up_to(&stage, 3).await;
    robot.expect_quiet().await;
}

/// An alert that nobody has heard when payonce stops is told by the next one.
#[tokio::test]
async fn an_alert_that_was_not_taken_before_the_end_comes_again() {
    let mut robot = Robot::open().await;
    robot.says([super::robot::Says::Status(500)]);
    let stage = Stage::with(alerting(vec![channel(Kind::Wecom, &robot)])).await;
    begun(&stage).await;
    underpay(&stage, 1).await;
    robot.told().await;
    let stage = stage.restarted_with(&[merchant()], alerting(vec![channel(Kind::Wecom, &robot)])).await;
    assert!(robot.told().await.text().contains("ORDER1"));
    told_up_to(&stage, 1).await;
    robot.expect_quiet().await;
}

/// One robot that is away keeps nobody else from being told.
#[tokio::test]
async fn a_channel_that_is_away_holds_up_no_other() {
    let (mut away, mut there) = (Robot::open().await, Robot::open().await);
    away.says([super::robot::Says::Code(45009)]);
    let mut channels = [channel(Kind::Wecom, &away), channel(Kind::Wecom, &there)];
    channels[0].name = "away".to_owned();
    let stage = Stage::with(alerting(channels.into())).await;
    begun(&stage).await;
    underpay(&stage, 1).await;
    away.told().await;
    assert!(there.told().await.text().contains("ORDER1"));
    // Another kind of incident, which is not grouped with the first.
    stage.ask(&stage.callback(payment(2))).await.assert_acknowledged();
    assert!(there.told().await.text().contains("ORDER2"));
    away.expect_quiet().await;
    let name = ConsumerName::parse("payonce.alerts").unwrap();
    let offset = stage.store.consumers().consumer(&name).await.unwrap().unwrap().position;
    assert_eq!(offset.0, 0, "not before the one that is away has given up");
}

#[tokio::test]
async fn two_nodes_tell_an_incident_once() {
    let mut robot = Robot::open().await;
    let stage = Stage::with(alerting(vec![channel(Kind::Wecom, &robot)])).await;
    let folder = tempfile::tempdir().unwrap();
    let mut config = configuration(folder.path(), &[merchant()]);
    let mut patience = Patience::default();
    alerting(vec![channel(Kind::Wecom, &robot)])(&mut config, &mut patience);
    let owner = Owner("another node".to_owned());
    let store = Arc::clone(&stage.store);
    let other = Server::new(config, store, Arc::new(payonce_core::SystemClock), owner).patience(patience);
    let other = other.start().await.unwrap();
    begun(&stage).await;
    for number in 1..=3 {
        underpay(&stage, number).await;
        if number == 1 {
            assert!(robot.told().await.text().contains("ORDER1"));
        }
    }
    robot.expect_quiet().await;
    within("the end of the other node", other.stop()).await;
}
