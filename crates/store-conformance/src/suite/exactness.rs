//! What goes in comes out to the byte, whatever it is. Strings hold no NUL (not every database stores one), bytes do.

use std::time::Duration;

use payonce_core::{
    EventType, Fact, MerchantId, OrderKey, OrderState, OutTradeNo, Outcome, Paid, Terms, UnixMillis,
    fact::{Content, Passed},
    store::{Note, Owner, Rejected, Unopened, UnopenedRow},
};

use crate::{
    Fixture,
    desk::Desk,
    facts::{app, currency, fen, json, key, merchant, notification, number, paid, passed, registered, terms},
};

/// Quotes of every database, an injection, escapes, line ends, characters of one to four bytes, a lone accent.
const HOSTILE: &str =
    "'\"`[]{}\\%_$1?:x\t\r\n\u{1}\u{7f}'); DROP TABLE payment; --\u{85}\u{2028}é\u{301}订单💴\u{10ffff}";

fn hostile_json() -> String {
    serde_json::json!({ HOSTILE: HOSTILE, "nul": "\0", "number": "1e400" }).to_string()
}

/// Identifiers of full length, of every character that WeChat allows in them.
fn hostile_content() -> Content {
    Content {
        key: OrderKey {
            merchant: MerchantId::parse("00000000000000000000000000000001").expect("digits"),
            out_trade_no: OutTradeNo::parse(&"|*@_-0aZ".repeat(4)).expect("WeChat's charset"),
        },
        payment: number(r##"!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~"##),
        amount: fen(i64::MAX),
        currency: currency("XTS"),
        appid: app("wx-_0123456789abcdefABCDEF012345"),
        sub_merchant: MerchantId::parse("00000000000000000000000000000002").ok(),
    }
}

/// Ids of full length, odd characters, the greatest amount, odd times, odd detail: all of it round trips.
pub async fn hostile_payments_round_trip(fixture: &dyn Fixture) {
    for (amount, at) in [(i64::MAX, i64::MAX), (0, -1), (1, 0), (1 << 53, i64::MIN)] {
        let store = fixture.open().await;
        let desk = Desk { now: UnixMillis(at), ..Desk::at(&*store) };
        let content = Content { amount: fen(amount), ..hostile_content() };
        let payment = Paid {
            content: content.clone(),
            paid_at: Some(UnixMillis(at)),
            detail: json(hostile_json()),
            ..paid("A", "P")
        };
        desk.apply(Fact::Paid(payment.clone())).await;

        let mut tx = store.begin().await.expect("the store begins");
        let kept = tx.claim(&[content.claim()]).await.expect("it reads").payments;
        drop(tx);
        assert_eq!((&kept[0].content, &kept[0].detail), (&content, &Some(payment.detail)));
        assert_eq!(kept[0].paid_at, Some(UnixMillis(at)));

        let Content { key, amount, currency, appid, sub_merchant, payment: number } = content.clone();
        let terms = Terms { amount, currency, appid, sub_merchant, expires_at: Some(UnixMillis(at)) };
        let outcome = desk.apply(Fact::Registered { key: key.clone(), terms: terms.clone() }).await;
        assert_eq!(outcome, Outcome::Applied);
        let view = store.order(&key).await.expect("the store reads").expect("it is registered");
        assert_eq!((view.order.key, view.order.terms), (key.clone(), terms));
        assert_eq!(view.order.state, OrderState::Paid { by: number, late: false });
        assert_eq!(view.order.registered_at, UnixMillis(at));
        assert_eq!(view.payments[0].content, content);
        assert_eq!(view.payments[0].learnt_at, UnixMillis(at));
        assert_eq!(desk.ledger().await[0].key, key);
        for message in desk.messages().await {
            assert!(message.body.contains(&hostile_json()), "{}", message.body);
            assert!(message.body.contains(&format!(r#""amount":{}"#, amount.get())), "{}", message.body);
        }
        desk.audit().await;
    }
}

/// A notification that is handed on keeps its bytes, be they JSON or not, short or long.
pub async fn hostile_notifications_round_trip(fixture: &dyn Fixture) {
    let long = format!(r#"{{"long":"{}"}}"#, "长".repeat(100_000));
    let long_id = "!~".repeat(32);
    for plaintext in [&hostile_json(), HOSTILE, "", "null", &long] {
        let store = fixture.open().await;
        let desk = Desk::at(&*store);
        let fact = Fact::Other(Passed {
            notification: notification(&long_id),
            event_type: EventType::parse("'\";--{}%s\\").expect("visible ASCII"),
            plaintext: plaintext.into(),
            ..passed("N")
        });
        assert_eq!(desk.apply(fact.clone()).await, Outcome::Applied);
        assert_eq!(desk.apply(fact).await, Outcome::Duplicate);
        let message = &desk.messages().await[0];
        assert_eq!(message.id.0, format!("event:1900000001:{long_id}"));
        assert_eq!(message.kind, "wechat.'\";--{}%s\\");
        let is_json = serde_json::from_str::<serde_json::Value>(plaintext).is_ok();
        if is_json {
            assert!(message.body.contains(&format!(r#""resource":{plaintext}"#)));
        } else {
            let body: serde_json::Value = serde_json::from_str(&message.body).expect("the body is JSON");
            assert_eq!(body["data"]["resource_text"], plaintext);
        }
    }
}

/// What was refused is kept as it was sent.
pub async fn hostile_notes_round_trip(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    let rejected = |body: Vec<u8>| Rejected {
        received_at: UnixMillis(i64::MIN),
        path_merchant: HOSTILE.to_owned(),
        http_status: u16::MAX,
        verdict: HOSTILE.to_owned(),
        reason: String::new(),
        headers: HOSTILE.repeat(100),
        body,
    };
    let unopened = Unopened {
        merchant: merchant(),
        notification: notification(&"~".repeat(64)),
        received_at: UnixMillis(i64::MAX),
        headers: HOSTILE.to_owned(),
        body: every_byte.repeat(1_000),
    };
    let callbacks = [rejected(Vec::new()), rejected(every_byte.repeat(1_000))];
    let mut notes: Vec<Note> = callbacks.iter().rev().cloned().map(Note::Rejected).collect();
    notes.push(Note::Unopened(unopened.clone()));
    store.note(&notes).await.expect("the store notes");
    assert_eq!(store.rejected_latest(9).await.expect("the store reads"), callbacks);
    let hour = Duration::from_secs(3600);
    let taken = store.take_unopened(&Owner(HOSTILE.to_owned()), hour, UnopenedRow::default(), 9).await;
    let taken: Vec<_> = taken.expect("the store shares out").into_iter().map(|(_, taken)| taken).collect();
    assert_eq!(taken, [unopened]);
}

/// Numbers are compared byte by byte: neither case nor a merchant is folded.
pub async fn numbers_that_differ_are_different(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let elsewhere = OrderKey { merchant: MerchantId::parse("01900000001").expect("digits"), ..key("a") };
    for order in ["a", "A", "a-", "a_", "a*", "0", "00"] {
        assert_eq!(desk.apply(registered(order)).await, Outcome::Applied, "{order}");
    }
    let there = Fact::Registered { key: elsewhere.clone(), terms: terms() };
    assert_eq!(desk.apply(there).await, Outcome::Applied);

    let facts = [Fact::Paid(paid("a", "p1")), Fact::Paid(paid("A", "P1")), Fact::Paid(paid("0", "p1"))];
    let outcomes = desk.apply_each(&facts).await;
    assert_eq!(outcomes, [Outcome::Applied, Outcome::Applied, Outcome::Incident]);
    let mut there = paid("a", "p1");
    there.content.key = elsewhere;
    assert_eq!(desk.apply(Fact::Paid(there)).await, Outcome::Applied);
    assert_eq!(desk.state("a-").await, OrderState::Pending);
    for id in ["n1", "N1", "n1."] {
        assert_eq!(desk.apply(Fact::Other(passed(id))).await, Outcome::Applied, "{id}");
    }
    desk.audit().await;
}
