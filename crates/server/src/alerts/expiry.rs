//! Watches when certificates end: WeChat Pay's, by which callbacks are proved, and the merchants' own.
//!
//! A platform certificate that ends matters only if no key outlasts it: WeChat Pay changes them some time before, and a
//! public key has no end. Each is told of at 30 days, at 7, at 1 and once it is over, and once more after the role has gone to
//! another node or payonce was started: what was told is remembered in memory alone.

use std::{collections::HashMap, time::Duration};

use payonce_core::{MerchantId, UnixMillis};
use tokio::time::sleep;

use super::alert::{Alert, KeyOf};
use crate::{config::Merchant, server::App};

/// How often it is looked for.
const EVERY: Duration = Duration::from_secs(3600);

/// Days before the end; the last one means that it is over.
const STAGES: [i64; 4] = [30, 7, 1, -1];

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// A certificate and when it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Certificate {
    merchant: MerchantId,
    of: KeyOf,
    serial: String,
    ends: UnixMillis,
}

/// What was told of which certificate: the stage.
type Told = HashMap<(MerchantId, KeyOf, String), i64>;

/// Watches for as long as the role is this node's.
pub(crate) async fn watch(app: &App) {
    let mut told = Told::new();
    loop {
        let merchants = app.merchants.load_full();
        let certificates = merchants.iter().flat_map(|merchant| certificates(merchant));
        let alerts = news(&mut told, certificates, app.clock.now());
        // Waits for room, as what counts as told is not told again. A line that has ended says so wherever others are raised.
        let _ = app.alerts.raise_all(alerts, None).await;
        sleep(EVERY).await;
    }
}

/// Those of a merchant's whose end matters.
fn certificates(merchant: &Merchant) -> Vec<Certificate> {
    let certificate = |of, serial: &str, seconds: i64| Certificate {
        merchant: merchant.mchid.clone(),
        of,
        serial: serial.to_owned(),
        ends: UnixMillis(seconds.saturating_mul(1000)),
    };
    let own = merchant.certificate.as_ref().map(|pair| &pair.certificate);
    let own = own.map(|own| certificate(KeyOf::Merchant, own.serial().as_str(), own.expires().0));
    let keys = merchant.keys.health();
    let ends: Option<Vec<_>> =
        keys.iter().map(|key| key.expires.map(|ends| (ends.0, key.serial.as_str()))).collect();
    // `None`: one of them has no end.
    let last = ends.and_then(|ends| ends.into_iter().max());
    let last = last.map(|(ends, serial)| certificate(KeyOf::Platform, serial, ends));
    own.into_iter().chain(last).collect()
}

/// What has come into a further stage since it was looked for last.
fn news(told: &mut Told, certificates: impl IntoIterator<Item = Certificate>, now: UnixMillis) -> Vec<Alert> {
    let mut alerts = Vec::new();
    for Certificate { merchant, of, serial, ends } in certificates {
        let days = (ends.0 - now.0).div_euclid(DAY_MILLIS);
        let Some(stage) = STAGES.into_iter().rev().find(|stage| days <= *stage) else { continue };
        let before = told.insert((merchant.clone(), of, serial.clone()), stage);
        if before.is_none_or(|before| stage < before) {
            alerts.push(Alert::KeyExpiring { merchant, of, serial, ends, days });
        }
    }
    alerts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stage_is_told_once() {
        let ends = UnixMillis(100 * DAY_MILLIS);
        let certificate = |serial: &str| Certificate {
            merchant: MerchantId::parse("1900000001").unwrap(),
            of: KeyOf::Merchant,
            serial: serial.to_owned(),
            ends,
        };
        let mut told = Told::new();
        let mut days_told = Vec::new();
        // Every six hours, from 60 days before the end to some days after it.
        for quarter in 0..260 {
            let now = UnixMillis(ends.0 - 60 * DAY_MILLIS + quarter * DAY_MILLIS / 4);
            for alert in news(&mut told, [certificate("A")], now) {
                let Alert::KeyExpiring { days, .. } = alert else { panic!("{alert:?}") };
                days_told.push(days);
            }
        }
        assert_eq!(days_told, [30, 7, 1, -1]);
        let late = UnixMillis(ends.0 - 2 * DAY_MILLIS);
        let days = |alerts: Vec<Alert>| alerts.len();
        assert_eq!(
            days(news(&mut told, [certificate("B")], late)),
            1,
            "one that is seen late is told at once"
        );
        assert_eq!(days(news(&mut told, [certificate("A"), certificate("B")], late)), 0);
    }
}
