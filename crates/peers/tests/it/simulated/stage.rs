//! A simulation in this process, and an SDK that takes it for WeChat Pay.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use payonce_peers::{Peer, Sdk, require};
use payonce_simulator::books::{Account, OrderKey};
use payonce_simulator::keys::Mode;
use payonce_simulator::{Pace, Scenario, Setup, Simulator};
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;
use wechatpay::UnixSeconds;

const MCHID: &str = "1900000001";
const APPID: &str = "wx0000000000000001";

pub(super) struct Stage {
    /// Order matters: the SDK ends before the simulation that it calls.
    peer: Peer,
    /// Where the SDK hears notices.
    pub(super) notify_url: String,
    pub(super) simulator: Simulator,
    pub(super) runtime: Runtime,
}

impl Stage {
    /// `None` where the SDK is not installed.
    pub(super) fn set(sdk: Sdk, mode: Mode, scenario: &str) -> Option<Self> {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let mut peer = require(Peer::start(sdk, target))?;
        let runtime = Runtime::new().unwrap();
        let scenario = Scenario::from_toml(scenario).unwrap();
        let setup = Setup { pace: Pace::ByHand, scenario, ..Setup::new(Arc::new(wall)) };
        let setup = setup.with(Account::ordinary(MCHID, APPID), mode);
        let simulator = runtime.block_on(Simulator::start(setup)).unwrap();
        peer.ask("connect", settings(&simulator)).unwrap();
        let notify_url = peer.ask("listen", Value::Null).unwrap().as_str().unwrap().to_owned();
        Some(Self { peer, notify_url, simulator, runtime })
    }

    /// What the SDK itself makes of a call: a status and a body.
    pub(super) fn call(&mut self, task: &str, given: Value) -> (u64, Value) {
        let mut answer = self.peer.ask(task, given).unwrap();
        (answer["status"].as_u64().unwrap(), answer["body"].take())
    }

    /// Why the SDK does not believe an answer.
    pub(super) fn disbelieved(&mut self, task: &str, given: Value) -> String {
        self.peer.ask(task, given).unwrap_err().to_string()
    }

    /// The next notice that the SDK verified and opened.
    pub(super) fn received(&mut self) -> Value {
        self.peer.ask("received", Value::Null).unwrap()
    }

    /// Somebody pays at the cashier, and whoever is told has answered.
    pub(super) fn pay(&self, out_trade_no: &str) {
        // Notices are caused inside the runtime, where they are sent from.
        let _inside = self.runtime.enter();
        self.simulator.pay(&OrderKey::new(MCHID, out_trade_no), None).unwrap();
        self.runtime.block_on(self.simulator.quiet());
    }
}

fn settings(simulator: &Simulator) -> Value {
    let ring = simulator.ring(MCHID).unwrap();
    let own = &ring.own()[0];
    let platform = ring.public_key().map(|key| (key.serial().to_owned(), key.public_key_pem().into()));
    let certificates = ring.certificates().iter().map(|key| {
        let certificate = key.certificate().unwrap();
        (certificate.serial.clone(), Value::from(certificate.pem.clone()))
    });
    let certificates: Map<String, Value> = certificates.collect();
    json!({
        "base_url": simulator.base_url(),
        "mchid": MCHID,
        "appid": APPID,
        "apiv3_key": ring.sealing_key().text(),
        "merchant_serial": own.certificate().serial,
        "merchant_private_pem": own.private_pem(),
        "public_key": platform.map(|(id, pem): (String, Value)| json!({ "id": id, "pem": pem })),
        "certificates": certificates,
    })
}

/// SDKs date their requests by the machine's clock and hold answers against it.
#[expect(clippy::disallowed_methods, reason = "the SDKs are processes that read the same clock")]
fn wall() -> UnixSeconds {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    UnixSeconds(since.as_secs().try_into().unwrap())
}
