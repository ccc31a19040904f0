//! No secret, openid or key is ever logged, at whatever level.

use std::{
    io,
    sync::{Mutex, Once, PoisonError},
};

use payonce_server::config::{Robot as Kind, RobotSecret};
use payonce_simulator::{Merchant, Payment};
use tracing_subscriber::fmt::MakeWriter;
use wechatpay::headers;

use crate::{
    alerts::{
        alerting, channel,
        incidents::begun,
        robot::{KEY, Robot, Says},
    },
    letter::Letter,
    stage::{
        API_KEY, APPID, MCHID, OPENID, Stage, merchant, payment, platform, registration, second_merchant,
    },
    store::Trouble,
};

/// Everything that this process logs. The applier logs on a thread of its own, hence for all threads.
static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Lines;

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

/// Every level, into [`LINES`]; once a process.
fn log_everything() {
    static BEGUN: Once = Once::new();
    let begin = || {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(Lines)
            .try_init()
            .unwrap();
    };
    BEGUN.call_once(begin);
}

fn lines() -> String {
    String::from_utf8(LINES.lock().unwrap().clone()).unwrap()
}

/// Whoever mends the APIv3 key because the log says so mends the wrong thing, if the merchant was taken out.
#[tokio::test]
async fn what_keeps_callbacks_from_being_opened_is_said_as_it_is() {
    log_everything();
    let wrongly_keyed = Merchant::new(MCHID, APPID, "apiv3KeyThatNobodyHasEverUsed012").unwrap();
    let stage = Stage::of(&[wrongly_keyed], |_, _| ()).await;
    stage.ask(&stage.callback(payment(1))).await.assert_refused(500, "was the key reset");
    let said = |verdict: &str| {
        let name = format!("verdict=\"{verdict}\"");
        let waiting = |line: &&str| line.contains("verified callbacks wait") && line.contains(&name);
        lines().lines().find(waiting).map(str::to_owned)
    };

    let stage = stage.restarted(&[second_merchant()]).await;
    stage.store.looked_at_unopened().await;
    let line = said("unknown_merchant").unwrap_or_else(|| panic!("{}", lines()));
    assert!(
        line.contains("callbacks=1") && line.contains("no merchant \"1900000001\" is configured"),
        "{line}"
    );
    stage.struck().await;
}

#[tokio::test]
async fn no_secret_openid_or_key_is_logged_at_the_finest_level() {
    log_everything();
    let stage = Stage::set().await;
    stage.register(1).await;
    let genuine = stage.callback(payment(1));
    let signature = String::from_utf8(genuine.header(headers::SIGNATURE).to_vec()).unwrap();
    stage.ask(&genuine).await.assert_acknowledged();
    stage.ask(&genuine).await.assert_acknowledged();
    stage.ask(&stage.callback(Payment { amount_fen: 1, ..payment(1) })).await.assert_acknowledged();
    stage.ask(&genuine.clone().with(headers::NONCE, "x")).await.assert_refused(401, "does not fit");
    stage
        .ask(&stage.callback(Payment { amount_fen: -1, ..payment(2) }))
        .await
        .assert_refused(400, "0 or more");
    stage.ask(&stage.signed(OPENID)).await.assert_refused(400, "not a notification");
    stage.ask(&Letter::get("/v1/messages").and("authorization", format!("Bearer {API_KEY}x"))).await;
    stage.api(Letter::post("/v1/orders", "{")).await;
    stage.store.trouble(Trouble::CommitFails);
    stage.ask(&stage.callback(payment(3))).await.assert_refused(503, "disk full");
    stage.api(Letter::post("/v1/orders", registration(4).to_string())).await;
    stage.struck().await;

    let lines = lines();
    // What is looked through is what was logged.
    for line in ["payonce listens", "callback refused", "facts were not committed", "payonce has stopped"] {
        assert!(lines.contains(line), "{line:?} is not in\n{lines}");
    }
    let pem_line = platform().public_key_pem().lines().nth(1).unwrap();
    let merchant = merchant();
    for secret in [OPENID, merchant.apiv3_key(), API_KEY, &signature, pem_line, "-----BEGIN", "Bearer"] {
        assert!(!lines.contains(secret), "{secret} is in\n{lines}");
    }
}

/// A robot's URL is its key: whoever reads it can write to the group.
#[tokio::test]
async fn no_robots_url_is_logged_at_the_finest_level() {
    log_everything();
    let mut robot = Robot::open().await;
    robot.says([Says::Code(93000), Says::Status(500), Says::Hangs, Says::Status(502)]);
    let secret = Some(RobotSecret::new("SECthisisasecretofatest".to_owned()));
    let stage = Stage::with(alerting(vec![channel(Kind::Dingtalk { secret }, &robot)])).await;
    for _ in 0..3 {
        stage.api(Letter::post("/v1/alerts/test", "")).await;
        robot.told().await;
    }
    begun(&stage).await;
    stage.register(1).await;
    stage.ask(&stage.callback(Payment { amount_fen: 1, ..payment(1) })).await.assert_acknowledged();
    robot.told().await;
    robot.told().await;
    stage.struck().await;

    let lines = lines();
    assert!(lines.contains("an alert did not get through"), "{lines}");
    for secret in [KEY, "send?key", "SECthis", "sign=", OPENID] {
        assert!(!lines.contains(secret), "{secret} is in\n{lines}");
    }
}
