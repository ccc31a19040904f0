//! Notes: what is worth keeping but changes no order, and how it is forgotten.

use std::time::Duration;

use payonce_core::{
    Fact, MerchantId, Outcome, Store, Submission, UnixMillis, apply,
    store::{Note, Owner, Receipt, Rejected, RejectedRow, Unopened, UnopenedRow},
};

use crate::{
    Fixture,
    desk::{Desk, PATIENT},
    facts::{NOW, merchant, notification, paid, receipt, registered},
};

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

async fn note(desk: &Desk<'_>, notes: &[Note]) {
    desk.store.note(notes).await.expect("the store notes");
}

async fn reasons(desk: &Desk<'_>) -> Vec<String> {
    let latest = desk.store.rejected_latest(usize::MAX).await.expect("the store reads");
    latest.into_iter().map(|callback| callback.reason).collect()
}

/// Deletes all refused callbacks but the newest.
async fn keep(desk: &Desk<'_>, rows: usize) {
    let before = async |row, back| desk.store.rejected_before(row, back).await.expect("the store reads");
    let oldest_kept = if rows == 0 { Some(RejectedRow::END) } else { before(RejectedRow::END, rows).await };
    let Some(oldest_kept) = oldest_kept else { return };
    let surplus = before(oldest_kept, 1).await.unwrap_or_default();
    desk.store.forget_rejected(surplus, 100).await.expect("the store forgets");
}

/// The table of rejected callbacks is bounded: the oldest go first.
pub async fn rejected_callbacks_are_kept_up_to_a_bound(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let notes = |range: std::ops::Range<u32>| -> Vec<Note> {
        range.map(|i| Note::Rejected(rejected(&i.to_string()))).collect()
    };
    let kept = async |range, rows| {
        note(&desk, &notes(range)).await;
        keep(&desk, rows).await;
        reasons(&desk).await
    };
    assert_eq!(kept(0..2, 3).await, ["1", "0"]);
    assert_eq!(kept(2..4, 3).await, ["3", "2", "1"]);
    assert_eq!(kept(4..14, 3).await, ["13", "12", "11"]);
    assert_eq!(desk.counts().await.rejected, 3);
    assert_eq!(kept(14..15, 1).await, ["14"]);
    assert_eq!(kept(15..17, 0).await, [""; 0]);
    assert_eq!(desk.counts().await.rejected, 0);
    assert_eq!(kept(17..19, 2).await, ["18", "17"]);
    assert_eq!(store.rejected_latest(1).await.expect("the store reads"), [rejected("18")]);
}

/// Many are deleted a bounded number at a time, and receipts are not among them.
pub async fn surplus_callbacks_go_a_few_at_a_time(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let mut notes: Vec<Note> = (0..9).map(|i| Note::Rejected(rejected(&i.to_string()))).collect();
    notes.extend((0..9).map(|i| Note::Answered(receipt(&format!("N{i}"), NOW))));
    note(&desk, &notes).await;
    let before = async |row, back| store.rejected_before(row, back).await.expect("the store reads");
    let oldest = before(RejectedRow::END, 9).await.expect("there are nine");
    assert_eq!(before(RejectedRow::END, 10).await, None);
    assert_eq!(before(oldest, 1).await, None);
    let surplus = before(RejectedRow::END, 3).await.expect("there are nine");
    assert_eq!(before(surplus, 6).await, Some(oldest));
    for (gone, left) in [(4, "87654"), (3, "87"), (0, "87")] {
        let forgotten = store.forget_rejected(surplus, 4).await.expect("the store forgets");
        assert_eq!((forgotten, reasons(&desk).await.concat().as_str()), (gone, left));
    }
    let none = store.forget_rejected(RejectedRow::default(), 4).await.expect("the store forgets");
    assert_eq!((none, desk.counts().await.receipts), (0, 9));
}

/// A callback that was answered from memory leaves its receipt like one that was applied.
pub async fn answered_callbacks_leave_receipts(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let answered = Note::Answered(Receipt { outcome: Outcome::Applied, ..receipt("N1", NOW) });
    note(&desk, &[answered.clone(), answered]).await;
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
    note(&desk, &notes).await;
    note(&desk, &[Note::Unopened(resend.clone()), Note::Unopened(elsewhere.clone())]).await;
    let read = async |limit| unopened_by(&*store, "a", limit).await;
    assert_eq!(read(9).await, [one.clone(), two.clone(), elsewhere.clone()]);
    assert_eq!(read(2).await, [one, two.clone()]);
    assert_eq!(desk.counts().await.unopened, 3);

    for _ in 0..2 {
        store.forget_unopened(&merchant(), &notification("N1")).await.expect("the store forgets");
        assert_eq!(read(9).await, [two.clone(), elsewhere.clone()]);
    }
    note(&desk, &[Note::Unopened(resend.clone())]).await;
    assert_eq!(read(9).await, [two, elsewhere, resend]);
}

/// What one node takes up, no other does, until its time is over or it gives it back.
pub async fn unopened_callbacks_are_shared_out(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let all: Vec<Unopened> = (0..6).map(|i| unopened(&format!("N{i}"), b"x")).collect();
    let notes: Vec<Note> = all.iter().cloned().map(Note::Unopened).collect();
    note(&desk, &notes).await;

    assert_eq!(unopened_by(&*store, "a", 2).await, all[..2]);
    assert_eq!(unopened_by(&*store, "b", 2).await, all[2..4], "a's are passed over");
    assert_eq!(unopened_by(&*store, "a", 9).await, [&all[..2], &all[4..]].concat());
    store.return_unopened(&Owner("a".to_owned())).await.expect("the store takes them back");
    assert_eq!(unopened_by(&*store, "c", 9).await, [&all[..2], &all[4..]].concat());

    // Taken for no time at all, they are free again. Reading goes on after a row.
    let owner = Owner("c".to_owned());
    let at_once = |after| store.take_unopened(&owner, Duration::ZERO, after, 9);
    let taken = at_once(UnopenedRow::default()).await.expect("the store shares out");
    assert_eq!(taken.len(), 4);
    assert_eq!(at_once(taken[1].0).await.expect("the store shares out"), taken[2..]);
    assert_eq!(unopened_by(&*store, "a", 9).await, [&all[..2], &all[4..]].concat());
}

/// What an owner gets, for an hour.
async fn unopened_by(store: &dyn Store, owner: &str, limit: usize) -> Vec<Unopened> {
    let hour = Duration::from_secs(3600);
    let taken = store.take_unopened(&Owner(owner.to_owned()), hour, UnopenedRow::default(), limit).await;
    taken.expect("the store shares out").into_iter().map(|(_, callback)| callback).collect()
}

/// Receipts and refused callbacks are forgotten by age, a bounded number at a time; nothing else is.
pub async fn what_came_long_ago_is_pruned(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let at = |ms: i64| UnixMillis(NOW.0 + ms);
    desk.apply(registered("A")).await;
    let callback = Submission { fact: Fact::Paid(paid("A", "P1")), receipt: Some(receipt("N0", at(0))) };
    apply(&*store, &[callback], &desk.policy, NOW, &PATIENT).await;
    let notes: Vec<Note> = (1..10).map(|i| Note::Answered(receipt(&format!("N{i}"), at(i)))).collect();
    note(&desk, &notes).await;
    let picture = desk.picture().await.split_off(1);

    for (before, rows_max, gone, left) in
        [(at(0), 100, 0, 10), (at(1), 100, 1, 9), (at(8), 3, 3, 6), (at(8), 4, 4, 2), (at(8), 4, 0, 2)]
    {
        let pruned = store.prune(before, rows_max).await.expect("the store prunes");
        assert_eq!(pruned, gone, "before {before:?}, at most {rows_max}");
        assert_eq!(desk.counts().await.receipts, left);
    }
    assert_eq!(desk.picture().await.split_off(1), picture);

    let refused: Vec<Note> =
        (0..4).map(|i| Note::Rejected(Rejected { received_at: at(i), ..rejected(&i.to_string()) })).collect();
    note(&desk, &refused).await;
    note(&desk, &[Note::Unopened(unopened("N1", b"x"))]).await;
    for (before, rows_max, gone, left) in [(at(3), 2, 2, "32"), (at(3), 2, 1, "3"), (at(3), 2, 0, "3")] {
        let pruned = store.prune(before, rows_max).await.expect("the store prunes");
        assert_eq!((pruned, reasons(&desk).await.concat().as_str()), (gone, left));
    }
    assert_eq!(desk.counts().await.unopened, 1, "what may yet open is kept");
}

/// What a clock that was ahead has written, in front of all else, does not keep what comes behind it for ever.
pub async fn pruning_gets_past_what_a_clock_ahead_has_written(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let at = |ms: i64| UnixMillis(NOW.0 + ms);
    let ages = [9, 9, 9, 0, 9, 9, 9, 9, 0, 0, 0, 0];
    let receipts = ages.iter().enumerate();
    let receipts = receipts.map(|(i, &age)| Note::Answered(receipt(&format!("N{i}"), at(age))));
    let refused = ages.iter().enumerate();
    let refused = refused
        .map(|(i, &age)| Note::Rejected(Rejected { received_at: at(age), ..rejected(&i.to_string()) }));
    note(&desk, &receipts.chain(refused).collect::<Vec<_>>()).await;

    let mut gone = 0;
    for _ in 0..12 {
        let pruned = store.prune(at(1), 2).await.expect("the store prunes");
        assert!(pruned <= 2, "{pruned} at once");
        gone += pruned;
    }
    assert_eq!(gone, 5);
    assert_eq!(desk.counts().await.receipts, 7);
    assert_eq!(reasons(&desk).await, ["7", "6", "5", "4", "2", "1", "0"]);
}

/// Notes and transactions go on beside each other.
pub async fn notes_change_no_order(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    desk.apply_all(&[registered("A"), Fact::Paid(paid("A", "P1"))]).await;
    let (order, messages) = (format!("{:?}", desk.order("A").await), desk.messages().await);
    let notes = [Note::Rejected(rejected("x")), Note::Unopened(unopened("N1", b"x"))];
    note(&desk, &notes).await;
    note(&desk, &[]).await;
    assert_eq!(format!("{:?}", desk.order("A").await), order);
    assert_eq!(desk.messages().await, messages);
    assert_eq!(desk.apply(Fact::Paid(paid("A", "P1"))).await, Outcome::Duplicate);
    desk.audit().await;
}
