//! A simulation in a file: what was there when it ended is there when it begins again.

use std::path::Path;
use std::sync::Arc;

use payonce_simulator::books::Progress;
use payonce_simulator::keys::KeptRing;
use payonce_simulator::{Pace, Scenario, Setup, Simulator};
use serde_json::{Value, json};
use wechatpay::UnixSeconds;

use crate::fixture::NOW;
use crate::receiver::Receiver;
use crate::shop::{Shop, setup};

fn kept_in(path: &Path) -> Setup {
    Setup { state: Some(path.to_owned()), ..setup() }
}

async fn refusal(path: &Path) -> String {
    Simulator::start(kept_in(path)).await.unwrap_err().to_string()
}

/// The order is there, its notice is where it was in the schedule, under the same keys and with the same bytes.
#[tokio::test]
async fn orders_notices_keys_clock_and_rules_outlive_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let receiver = Receiver::answering(500).await;
    let scenario =
        "[[notices]]\nname = \"amount\"\nwhen = { nth = 2 }\ndo = { other_amount = { by_fen = 1 } }";
    let scenario = Scenario::from_toml(scenario).unwrap();
    let shop = Shop::of(Setup { scenario, ..kept_in(&path) }).await;
    shop.paid("ORDER1", &receiver.url()).await;
    shop.simulator.step(std::time::Duration::from_secs(10));
    let before = (shop.mchid.clone(), serde_json::to_string(&KeptRing::of(&shop.ring)).unwrap());
    let orders = shop.sim("GET /_sim/orders", Value::Null).await;
    let rules = shop.sim("GET /_sim/trouble", Value::Null).await;
    shop.simulator.finish().await.unwrap();

    let shop = Shop::of(kept_in(&path)).await;
    assert_eq!((shop.mchid.clone(), serde_json::to_string(&KeptRing::of(&shop.ring)).unwrap()), before);
    assert_eq!(shop.sim("GET /_sim/orders", Value::Null).await, orders);
    assert_eq!(shop.sim("GET /_sim/trouble", Value::Null).await, rules);
    assert_eq!(shop.simulator.clock().now(), UnixSeconds(NOW.0 + 10));
    assert_eq!(shop.progress(), [Progress::Due { at: UnixSeconds(NOW.0 + 15) }]);
    receiver.answer(204);
    shop.simulator.step(std::time::Duration::from_secs(5));
    shop.simulator.quiet().await;
    let came = receiver.came();
    assert_eq!((came.len(), &came[0].body), (2, &came[1].body));
    assert_eq!(shop.progress(), [Progress::Acknowledged]);
    // The second notice that fits, counted over the stop.
    shop.paid("ORDER2", &receiver.url()).await;
    assert_eq!(shop.last_heard().trouble, ["amount"]);
}

/// Killed without a word: what a test waited for is in the file, and what was on its way is due again.
#[tokio::test]
async fn what_was_on_its_way_when_it_was_killed_is_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let (path, silent) = (folder.path().join("state.json"), Receiver::silent().await);
    let shop = Shop::of(kept_in(&path)).await;
    shop.place_for("ORDER1", &silent.url()).await;
    shop.sim("POST /_sim/pay", json!({ "out_trade_no": "ORDER1" })).await;
    silent.until(1).await;
    shop.simulator.saved().await.unwrap();
    drop(shop);
    let shop = Shop::of(kept_in(&path)).await;
    silent.until(2).await;
    assert_eq!(shop.sim("GET /_sim/orders", Value::Null).await["orders"][0]["trade_state"], "SUCCESS");
}

/// A number that was given out is not given out again.
#[tokio::test]
async fn the_seed_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (path, receiver) = (folder.path().join("state.json"), Receiver::answering(204).await);
    let mut numbers = Vec::new();
    for number in ["ORDER1", "ORDER2"] {
        let shop = Shop::of(kept_in(&path)).await;
        shop.place_for(number, &receiver.url()).await;
        let paid = shop.sim("POST /_sim/pay", json!({ "out_trade_no": number })).await;
        numbers.push(paid["transaction_id"].clone());
        shop.simulator.stop().await;
    }
    assert_ne!(numbers[0], numbers[1]);
}

/// Who only asks, and who is refused, does not keep the disk busy.
#[tokio::test]
async fn what_changes_nothing_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let shop = Shop::of(kept_in(&path)).await;
    shop.place("ORDER1").await;
    shop.simulator.saved().await.unwrap();
    std::fs::remove_file(&path).unwrap();
    for (number, status) in [("ORDER1", 200), ("ORDER9", 404)] {
        let url = format!("/v3/pay/transactions/out-trade-no/{number}?mchid={}", shop.mchid);
        assert_eq!(shop.get(&url).await.status, status);
    }
    let mut dearer = shop.order("ORDER1");
    dearer["amount"]["total"] = 101.into();
    assert_eq!(shop.post("/v3/pay/transactions/jsapi", &dearer).await.status, 400);
    let code = "/sns/jscode2session?appid=wx0&secret=0&js_code=0&grant_type=authorization_code";
    assert_eq!(shop.get(code).await.json()["errcode"], 40013);
    shop.sim("GET /_sim/orders", Value::Null).await;
    shop.simulator.saved().await.unwrap();
    assert!(!path.exists());
    shop.place("ORDER2").await;
    shop.simulator.saved().await.unwrap();
    assert!(path.exists());
}

/// WeChat's time goes on while nobody looks; a clock that is stepped by hand stands.
#[tokio::test]
async fn time_goes_by_while_it_is_stopped() {
    for (pace, seconds) in [(Pace::REAL, 500), (Pace::ByHand, 0)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        Simulator::start(Setup { pace, ..kept_in(&path) }).await.unwrap().stop().await;
        let wall = Arc::new(|| UnixSeconds(NOW.0 + 500));
        let again = Simulator::start(Setup { wall, ..kept_in(&path) }).await.unwrap();
        let now = again.clock().now().0 - NOW.0;
        assert!((seconds..seconds + 60).contains(&now), "{pace:?}: {now}");
        assert_eq!(again.clock().pace(), pace);
    }
}

#[tokio::test]
async fn a_damaged_file_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    Simulator::start(kept_in(&path)).await.unwrap().stop().await;
    let whole = std::fs::read_to_string(&path).unwrap();
    for (spoilt, says) in [
        (whole[..whole.len() / 2].to_owned(), "is damaged"),
        (String::new(), "is damaged"),
        (whole.replacen("\"books\"", "\"boks\"", 1), "unknown field `boks`"),
        (whole.replacen("PRIVATE KEY", "PRIVATE LEY", 1), "is damaged"),
        (whole.replacen("\"version\":1", "\"version\":2", 1), "written as version 2"),
    ] {
        assert_ne!(spoilt, whole);
        std::fs::write(&path, &spoilt).unwrap();
        let error = refusal(&path).await;
        assert!(error.contains(says) && error.contains("remove it to begin"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), spoilt);
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let error = refusal(&folder.path().join("missing/state.json")).await;
    assert!(error.contains("give another with --state"), "{error}");
    let path = folder.path().join("state.json");
    let shop = Shop::of(kept_in(&path)).await;
    // A folder cannot be replaced by a file.
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir_all(path.join("in the way")).unwrap();
    shop.place("ORDER1").await;
    let (status, json) = shop.control("POST /_sim/quiet", &Value::Null).await;
    assert_eq!((status, &json["error"]["code"]), (500, &json!("state")));
    shop.simulator.finish().await.unwrap_err();
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_may_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    Simulator::start(kept_in(&path)).await.unwrap().stop().await;
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

/// What befalls an attempt befalls it also when the simulation is killed in the middle of it: `times` was counted for it.
#[tokio::test]
async fn an_attempt_that_is_made_again_has_the_same_fate() {
    let folder = tempfile::tempdir().unwrap();
    let (path, silent) = (folder.path().join("state.json"), Receiver::silent().await);
    let scenario =
        "[[notices]]\nname = \"once\"\nwhen = { times = 1 }\ndo = { other_amount = { by_fen = 1 } }";
    let shop = Shop::of(Setup { scenario: Scenario::from_toml(scenario).unwrap(), ..kept_in(&path) }).await;
    shop.place_for("ORDER1", &silent.url()).await;
    shop.sim("POST /_sim/pay", json!({ "out_trade_no": "ORDER1" })).await;
    let first = silent.until(1).await[0].body.clone();
    shop.simulator.saved().await.unwrap();
    drop(shop);
    let shop = Shop::of(kept_in(&path)).await;
    assert_eq!(silent.until(2).await[1].body, first);
    assert_eq!(shop.sim("GET /_sim/trouble", Value::Null).await["notices"][0]["hits"], 1);
}

#[tokio::test]
async fn a_file_has_one_simulation_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let first = Simulator::start(kept_in(&path)).await.unwrap();
    let error = refusal(&path).await;
    assert!(error.contains("another simulation keeps its state") && error.contains("--state"), "{error}");
    first.stop().await;
    Simulator::start(kept_in(&path)).await.unwrap();
}
