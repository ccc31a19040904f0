//! Notes: what is worth keeping but changes no order, and how it is forgotten.

use payonce_core::{
    Fact, MerchantId, Outcome, Submission, UnixMillis, apply,
    store::{Note, Receipt, Rejected, Retention, Unopened},
};

use crate::{
    Fixture,
    desk::Desk,
    facts::{NOW, merchant, notification, paid, receipt, registered},
};

const PLENTY: Retention = Retention { rejected_rows_max: 1_000 };

fn rejected(reason: &str) -> Rejected {
    Rejected {
        received_at: NOW,
        path_merchant: "1900000001".to_owned(),
        http_status: 401,
        verdict: "signature_mismatch".to_owned(),
        reason: reason.to_owned(),
        headers: "Wechatpay-Serial: PUB_KEY_ID_1\nWechatpay-Nonce: n".to_owned(),
        body: b"{}".to_vec(),
    }
}

fn unopened(id: &str, body: &[u8]) -> Unopened {
    Unopened {
        merchant: merchant(),
        notification: notification(id),
        received_at: NOW,
        headers: "Wechatpay-Signature: c2ln".to_owned(),
        body: body.to_vec(),
    }
}

async fn note(desk: &Desk<'_>, notes: &[Note], retention: Retention) {
    desk.store.note(notes, &retention).await.expect("the store notes");
}

async fn reasons(desk: &Desk<'_>) -> Vec<String> {
    let latest = desk.store.rejected_latest(usize::MAX).await.expect("the store reads");
    latest.into_iter().map(|callback| callback.reason).collect()
}

/// The table of rejected callbacks is bounded: the oldest go first.
pub async fn rejected_callbacks_are_kept_up_to_a_bound(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let keep = |rejected_rows_max| Retention { rejected_rows_max };
    let notes = |range: std::ops::Range<u32>| -> Vec<Note> {
        range.map(|i| Note::Rejected(rejected(&i.to_string()))).collect()
    };
    note(&desk, &notes(0..2), keep(3)).await;
    assert_eq!(reasons(&desk).await, ["1", "0"]);
    note(&desk, &notes(2..4), keep(3)).await;
    assert_eq!(reasons(&desk).await, ["3", "2", "1"]);
    note(&desk, &notes(4..14), keep(3)).await;
    assert_eq!(reasons(&desk).await, ["13", "12", "11"]);
    assert_eq!(desk.counts().await.rejected, 3);
    note(&desk, &notes(14..15), keep(1)).await;
    assert_eq!(reasons(&desk).await, ["14"]);
    note(&desk, &notes(15..17), keep(0)).await;
    assert_eq!(desk.counts().await.rejected, 0);
    note(&desk, &notes(17..19), keep(2)).await;
    assert_eq!(reasons(&desk).await, ["18", "17"]);
    assert_eq!(store.rejected_latest(1).await.expect("the store reads"), [rejected("18")]);
}

/// A callback that was answered from memory leaves its receipt like one that was applied.
pub async fn answered_callbacks_leave_receipts(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let answered = Note::Answered(Receipt { outcome: Outcome::Applied, ..receipt("N1", NOW) });
    note(&desk, &[answered.clone(), answered], PLENTY).await;
    assert_eq!(desk.counts().await.receipts, 2);
    assert!(desk.messages().await.is_empty());
}

/// A callback that does not open is kept once, as it first came, until it opened after all.
pub async fn unopened_callbacks_are_kept_once(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let (one, two) = (unopened("N1", b"first"), unopened("N2", b"other"));
    let elsewhere = Unopened { merchant: MerchantId::parse("1900000002").expect("digits"), ..one.clone() };
    let resend = Unopened { received_at: UnixMillis(NOW.0 + 1), ..unopened("N1", b"second") };
    let notes = [&one, &resend, &two].map(|callback| Note::Unopened(callback.clone()));
    note(&desk, &notes, PLENTY).await;
    note(&desk, &[Note::Unopened(resend.clone()), Note::Unopened(elsewhere.clone())], PLENTY).await;
    let read = |limit| store.unopened_earliest(limit);
    assert_eq!(read(9).await.expect("the store reads"), [one.clone(), two.clone(), elsewhere.clone()]);
    assert_eq!(read(2).await.expect("the store reads"), [one, two.clone()]);
    assert_eq!(desk.counts().await.unopened, 3);

    for _ in 0..2 {
        store.forget_unopened(&merchant(), &notification("N1")).await.expect("the store forgets");
        assert_eq!(read(9).await.expect("the store reads"), [two.clone(), elsewhere.clone()]);
    }
    note(&desk, &[Note::Unopened(resend.clone())], PLENTY).await;
    assert_eq!(read(9).await.expect("the store reads"), [two, elsewhere, resend]);
}

/// Receipts are forgotten by age, a bounded number at a time; nothing else is.
pub async fn receipts_are_forgotten_by_age(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let at = |ms: i64| UnixMillis(NOW.0 + ms);
    desk.apply(registered("A")).await;
    let callback = Submission { fact: Fact::Paid(paid("A", "P1")), receipt: Some(receipt("N0", at(0))) };
    apply(&*store, &[callback], &desk.policy, NOW).await;
    let notes: Vec<Note> = (1..10).map(|i| Note::Answered(receipt(&format!("N{i}"), at(i)))).collect();
    note(&desk, &notes, PLENTY).await;
    let picture = desk.picture().await.split_off(1);

    for (before, rows_max, gone, left) in
        [(at(0), 100, 0, 10), (at(1), 100, 1, 9), (at(8), 3, 3, 6), (at(8), 4, 4, 2), (at(8), 4, 0, 2)]
    {
        let forgotten = store.forget_receipts(before, rows_max).await.expect("the store forgets");
        assert_eq!(forgotten, gone, "before {before:?}, at most {rows_max}");
        assert_eq!(desk.counts().await.receipts, left);
    }
    assert_eq!(desk.picture().await.split_off(1), picture);
}

/// Notes and transactions go on beside each other.
pub async fn notes_change_no_order(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    desk.apply_all(&[registered("A"), Fact::Paid(paid("A", "P1"))]).await;
    let (order, messages) = (format!("{:?}", desk.order("A").await), desk.messages().await);
    let notes = [Note::Rejected(rejected("x")), Note::Unopened(unopened("N1", b"x"))];
    note(&desk, &notes, PLENTY).await;
    note(&desk, &[], PLENTY).await;
    assert_eq!(format!("{:?}", desk.order("A").await), order);
    assert_eq!(desk.messages().await, messages);
    assert_eq!(desk.apply(Fact::Paid(paid("A", "P1"))).await, Outcome::Duplicate);
    desk.audit().await;
}
