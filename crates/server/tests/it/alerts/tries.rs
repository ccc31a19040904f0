//! What does not get through is tried again.

use payonce_server::config::{AlertKind, Robot as Kind};

use super::{
    alerting, channel,
    robot::{Robot, Says},
};
use crate::stage::{AMOUNT_FEN, Stage, payment};

/// Somebody pays less than order `number` costs.
async fn underpay(stage: &Stage, number: u32) {
    stage.register(number).await;
    let payment = payonce_simulator::Payment { amount_fen: AMOUNT_FEN - 1, ..payment(number) };
    stage.ask(&stage.callback(payment)).await.assert_acknowledged();
}

#[tokio::test]
async fn a_notice_that_is_not_taken_comes_again_as_it_was() {
    for trouble in [Says::Status(500), Says::Hangs] {
        let mut robot = Robot::open().await;
        robot.says([trouble]);
        let stage = Stage::with(alerting(vec![channel(Kind::Webhook { key: None }, &robot)])).await;
        super::incidents::begun(&stage).await;
        underpay(&stage, 1).await;
        assert_eq!(robot.told().await.body, robot.told().await.body);
        let failed = stage.metric("payonce_alerts_total{channel=\"ops\",result=\"failed\"}").await;
        assert_eq!(failed.as_deref(), Some("1"));
    }
}

#[tokio::test]
async fn a_robot_that_refuses_with_status_200_is_asked_again() {
    let mut robot = Robot::open().await;
    robot.says([Says::Code(93000)]);
    let stage = Stage::with(alerting(vec![channel(Kind::Wecom, &robot)])).await;
    super::incidents::begun(&stage).await;
    underpay(&stage, 1).await;
    assert_eq!(robot.told().await.text(), robot.told().await.text());
    robot.expect_quiet().await;
}

/// Robots that have had too many take none for a minute or ten: whoever goes on asking prolongs that.
#[tokio::test]
async fn a_robot_that_has_had_too_many_is_left_alone() {
    let mut robot = Robot::open().await;
    robot.says([Says::Code(45009)]);
    let stage = Stage::with(alerting(vec![channel(Kind::Wecom, &robot)])).await;
    super::incidents::begun(&stage).await;
    underpay(&stage, 1).await;
    robot.told().await;
    robot.expect_quiet().await;
    let answer = stage.api(crate::letter::Letter::post("/v1/alerts/test", "")).await.json();
    let error = answer["channels"][0]["error"].as_str().unwrap();
    assert!(error.starts_with("its rate is used up: ask again in "), "{error}");
}

#[tokio::test]
async fn a_channel_gets_what_it_wants_alone() {
    let (mut money, mut delivery) = (Robot::open().await, Robot::open().await);
    let mut channels = [channel(Kind::Wecom, &money), channel(Kind::Wecom, &delivery)];
    channels[0].only = [AlertKind::Incident].into();
    channels[1].only = [AlertKind::EndpointDisabled].into();
    channels[1].name = "delivery".to_owned();
    let stage = Stage::with(alerting(channels.into())).await;
    super::incidents::begun(&stage).await;
    underpay(&stage, 1).await;
    assert!(money.told().await.text().contains("amount_mismatch"));
    delivery.expect_quiet().await;
}
