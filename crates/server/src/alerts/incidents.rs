//! Follows the outbox for payments that do not add up, from an offset that is kept in the database.
//!
//! Each row of `incident` is written with a message that names it (`data.incident`), so that the outbox tells of all of
//! them, in order, once they are committed. Invariant: the offset moves over a message when every channel has told or given
//! up what it says: a crash tells an incident twice rather than never. The first time it begins with what comes next: what is
//! history when alerts are first configured is not news.

use std::time::Duration;

use payonce_core::{
    OrderKey, StoreError,
    ids::{MerchantId, OutTradeNo},
    store::{ConsumerName, MessageView, Moved, Position},
};
use serde::Deserialize;
use tokio::time::{Instant, sleep, sleep_until};

use super::{
    alert::{Alert, Incident},
    under_way::UnderWay,
};
use crate::server::App;

/// Under which name the offset is kept.
const CONSUMER: &str = "payonce.alerts";

/// Messages looked at in one go.
const PAGE: usize = 200;

/// A payment whose order is not there: often it is registered a moment later.
const UNKNOWN_ORDER: &str = "unknown_order";

/// Follows for as long as the role is this node's.
pub(crate) async fn follow(app: &App, every: Duration) {
    let name = ConsumerName::parse(CONSUMER).expect("BUG: it is a name");
    loop {
        match offset(app, &name).await {
            Ok(Some(offset)) => follow_from(app, every, &name, offset).await,
            Ok(None) => {}
            Err(error) => waits(&error),
        }
        sleep(every).await;
    }
}

fn waits(error: &StoreError) {
    tracing::warn!(error = error.with_causes(), "alerts of incidents wait for the database");
}

/// Where it is kept that everything was told. Made at the first start: `None` then.
async fn offset(app: &App, name: &ConsumerName) -> Result<Option<Position>, StoreError> {
    let consumers = app.store.consumers();
    if let Some(consumer) = consumers.consumer(name).await? {
        return Ok(Some(consumer.position));
    }
    let newest = consumers.newest_position().await?;
    consumers.move_consumer(name, Some(Position(0)), newest).await?;
    Ok(None)
}

/// Reads on while earlier alerts are being told: a channel that is away holds up the offset, and not the others. Returns if
/// another node has moved the offset.
async fn follow_from(app: &App, every: Duration, name: &ConsumerName, mut offset: Position) {
    let (mut read, mut next_look) = (offset, Instant::now());
    let mut under_way = UnderWay::default();
    loop {
        if next_look <= Instant::now() {
            next_look = Instant::now() + every;
            match look(app, read, &mut under_way).await {
                Ok(Looked { last, is_all }) => {
                    read = last;
                    if !is_all {
                        next_look = Instant::now();
                    }
                }
                Err(error) => waits(&error),
            }
        }
        let last = tokio::select! {
            biased;
            last = under_way.first() => last,
            () = sleep_until(next_look) => continue,
        };
        match app.store.consumers().move_consumer(name, Some(offset), last).await {
            Ok(Moved::There) => offset = last,
            // It was moved, and its answer was lost.
            Ok(Moved::Elsewhere { stands_at }) if stands_at == Some(last) => offset = last,
            Ok(Moved::Elsewhere { .. }) => return,
            Err(error) => {
                waits(&error);
                sleep(every).await;
                continue;
            }
        }
        under_way.moved();
    }
}

/// How far it was looked.
struct Looked {
    last: Position,
    /// Whether there was no more.
    is_all: bool,
}

/// Looks at the messages after a position, and begins to tell of them.
async fn look(app: &App, after: Position, under_way: &mut UnderWay) -> Result<Looked, StoreError> {
    let page = app.store.messages_after(after, PAGE).await?;
    let Some(last) = page.last().map(|message| message.position) else {
        return Ok(Looked { last: after, is_all: true });
    };
    let mut alerts = Vec::new();
    for message in &page {
        if let Some(incident) = incident(message)
            && !is_registered_since(app, &incident).await?
        {
            alerts.push(Alert::Incident(incident));
        }
    }
    if alerts.is_empty() {
        under_way.pass(last);
    } else {
        let receipt = under_way.add(last);
        if app.alerts.raise_all(alerts, Some(&receipt)).await.is_err() {
            tracing::error!("a channel's line has ended: it is told of incidents after the next start");
            under_way.hold(receipt);
        }
    }
    Ok(Looked { last, is_all: page.len() < PAGE })
}

/// Whether the order that a payment waits for is there by now, and nothing is amiss any longer.
async fn is_registered_since(app: &App, incident: &Incident) -> Result<bool, StoreError> {
    if incident.kind != UNKNOWN_ORDER {
        return Ok(false);
    }
    let (Ok(merchant), Ok(out_trade_no)) =
        (MerchantId::parse(&incident.mchid), OutTradeNo::parse(&incident.out_trade_no))
    else {
        return Ok(false);
    };
    Ok(app.store.order(&OrderKey { merchant, out_trade_no }).await?.is_some())
}

/// The incident that a message tells of, if it does.
fn incident(message: &MessageView) -> Option<Incident> {
    #[derive(Deserialize)]
    struct Body {
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        incident: Option<String>,
        mchid: String,
        out_trade_no: String,
        transaction_id: String,
        amount: i64,
        currency: String,
        expected: Option<Expected>,
    }
    #[derive(Deserialize)]
    struct Expected {
        amount: i64,
    }
    // Most messages tell of none: their bodies need not be parsed.
    if !message.kind.starts_with("payment.") || !message.body.contains("\"incident\":") {
        return None;
    }
    // What WeChat sent stands under `detail`, and is none of this.
    let data = match serde_json::from_str(&message.body) {
        Ok(Body { data }) => data,
        Err(error) => {
            tracing::error!(message = message.id.0, %error, "a message tells of an incident in a way that is not known");
            return None;
        }
    };
    Some(Incident {
        kind: data.incident?,
        mchid: data.mchid,
        out_trade_no: data.out_trade_no,
        transaction_id: data.transaction_id,
        amount: data.amount,
        currency: data.currency,
        expected: data.expected.map(|expected| expected.amount),
    })
}
