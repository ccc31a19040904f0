//! Effects: what the merchant does in a message's transaction happens with it or not at all, and once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use payonce_core::{
    Fact, Fen, NotApplied, Outcome, Policy, Store, Submission, UnixMillis, apply_with,
    delivery::Filter,
    effect::{
        Argument, Effect, EffectError, EffectFailure, EffectMessage, EffectTx, Effects, Parameter, SqlEffect,
        Statement,
    },
    store::{StatementFailure, archive::Value},
};
use tokio::task::JoinSet;

use crate::{
    Fixture,
    desk::{Desk, PATIENT},
    facts::{NOW, closed, json, paid, paid_amount, passed, registered},
    shop::{self, CREDIT, Merchant, NO_TABLE, PAY, SEE, SEE_TEXT, SEEN_AT, statement},
    tap::Tap,
};

/// Effects for messages of these kinds.
fn on(kinds: &str, effect: impl Effect + 'static) -> Effects {
    let kinds: Vec<&str> = kinds.split(' ').collect();
    Effects::none().with(Filter::parse(&kinds).expect("a filter"), Arc::new(effect))
}

/// The order is paid in the merchant's own table, which has to have it.
fn pay() -> SqlEffect {
    shop::sql("pay", &[(PAY, "1")])
}

async fn apply_all(
    store: &dyn Store,
    effects: &Effects,
    facts: &[Fact],
) -> Vec<Result<Outcome, Vec<EffectFailure>>> {
    let batch: Vec<Submission> = facts.iter().cloned().map(Submission::from).collect();
    let applied = apply_with(store, &batch, &Policy::default(), effects, NOW, &PATIENT).await;
    let failed = |not_applied| match not_applied {
        NotApplied::Effects(failures) => failures,
        NotApplied::Store(error) => panic!("the store applies it: {}", error.with_causes()),
    };
    applied.into_iter().map(|outcome| outcome.map_err(failed)).collect()
}

async fn apply(
    store: &dyn Store,
    effects: &Effects,
    fact: impl Into<Fact>,
) -> Result<Outcome, Vec<EffectFailure>> {
    apply_all(store, effects, &[fact.into()]).await.remove(0)
}

/// A store with the merchant's tables in it, and these orders in both.
async fn shop(fixture: &dyn Fixture, orders: &[&str]) -> Box<dyn Store> {
    let store = fixture.open().await;
    fixture.make_shop().await;
    Merchant(&*store).add(orders).await;
    let desk = Desk::at(&*store);
    desk.apply_each(&orders.iter().map(|order| registered(order)).collect::<Vec<_>>()).await;
    store
}

/// The payment and what the merchant does are there together, once, whatever comes again.
pub async fn an_effect_commits_with_its_message(fixture: &dyn Fixture) {
    let store = shop(fixture, &["A", "B"]).await;
    let effects = on("payment.*", pay());
    assert_eq!(apply(&*store, &effects, paid("A", "P1")).await, Ok(Outcome::Applied));
    assert_eq!(apply(&*store, &effects, paid("A", "P1")).await, Ok(Outcome::Duplicate));
    let batch = [Fact::Paid(paid("B", "P2")), Fact::Paid(paid("A", "P1")), Fact::Paid(paid("B", "P2"))];
    let outcomes = [Ok(Outcome::Applied), Ok(Outcome::Duplicate), Ok(Outcome::Duplicate)];
    assert_eq!(apply_all(&*store, &effects, &batch).await, outcomes);
    for order in ["A", "B"] {
        assert_eq!(Merchant(&*store).order(order).await, (1, 0), "{order}");
    }
    let desk = Desk::at(&*store);
    assert_eq!(desk.told().await, ["payment.succeeded"; 2]);
    desk.audit().await;
}

/// Nothing of the fact is there, and it says why; once the effect can be done, the same fact is applied.
pub async fn an_effect_that_fails_leaves_its_fact_unapplied(fixture: &dyn Fixture) {
    let store = shop(fixture, &[]).await;
    let (desk, effects) = (Desk::at(&*store), on("payment.succeeded", pay()));
    desk.apply(registered("A")).await;
    let before = desk.picture().await;
    let failures = apply(&*store, &effects, paid("A", "P1")).await.expect_err("the shop has no such order");
    let [failure] = &failures[..] else { panic!("one effect failed: {failures:?}") };
    let EffectFailure { effect, kind, subject, merchant, reason, .. } = failure;
    assert_eq!(
        (effect.as_str(), kind.as_str(), merchant.as_str()),
        ("pay", "payment.succeeded", "1900000001")
    );
    assert_eq!((subject.as_str(), failure.at), ("payment:1900000001:P1", NOW));
    assert_eq!(failure.transaction_id.as_ref().map(|number| number.as_str()), Some("P1"));
    assert_eq!(failure.out_trade_no.as_ref().map(|number| number.as_str()), Some("A"));
    assert_eq!(failure.amount, Fen::new(100).ok());
    assert_eq!(reason, "statement 1 touched 0 rows, expected 1");
    assert_eq!(desk.picture().await, before);

    Merchant(&*store).add(&["A"]).await;
    assert_eq!(apply(&*store, &effects, paid("A", "P1")).await, Ok(Outcome::Applied));
    assert_eq!(Merchant(&*store).order("A").await, (1, 0));
    desk.audit().await;
}

/// All that fail are found in one pass, and everything else of the batch is there in full: two transactions.
pub async fn neighbours_of_a_failing_effect_are_applied(fixture: &dyn Fixture) {
    let store = shop(fixture, &["A", "C", "E"]).await;
    let (desk, effects) = (Desk::at(&*store), on("payment.succeeded", pay()));
    desk.apply_each(&[registered("B"), registered("D")]).await;
    let saves = AtomicUsize::new(0);
    let count = |_: &_| {
        saves.fetch_add(1, Ordering::Relaxed);
        Ok(())
    };
    let tap = Tap { store: &*store, alone: true, before_save: &count };
    let batch = [
        Fact::Paid(paid("A", "P1")),
        Fact::Paid(paid("B", "P2")),
        Fact::Other(passed("N1")),
        Fact::Paid(paid("D", "P3")),
        registered("F"),
        Fact::Paid(paid("C", "P4")),
        Fact::Paid(paid("E", "P5")),
        Fact::Paid(paid("E", "P6")),
    ];
    let outcomes = apply_all(&tap, &effects, &batch).await;
    let failed: Vec<usize> = (0..batch.len()).filter(|place| outcomes[*place].is_err()).collect();
    assert_eq!(failed, [1, 3]);
    for (place, outcome) in outcomes.iter().enumerate().filter(|(_, outcome)| outcome.is_ok()) {
        let expected = if place == 7 { Outcome::Incident } else { Outcome::Applied };
        assert_eq!(outcome, &Ok(expected), "{place}");
    }
    assert_eq!(saves.load(Ordering::Relaxed), 2);
    for order in ["A", "C", "E"] {
        assert_eq!(Merchant(&*store).order(order).await, (1, 0), "{order}");
    }
    let mut told = desk.told().await;
    told.sort_unstable();
    let mut expected = vec!["payment.duplicated"];
    expected.extend(["payment.succeeded"; 3]);
    expected.push("wechat.REFUND.SUCCESS");
    assert_eq!(told, expected);
    desk.audit().await;
}

/// What counts is what is expected: none, one, or any number.
pub async fn another_number_of_rows_is_a_failure(fixture: &dyn Fixture) {
    let orders = ["A", "B", "C"];
    let store = shop(fixture, &orders).await;
    for (rows, order, is_there, is_applied) in [
        ("1", "A", true, true),
        ("0..1", "B", true, true),
        ("0", "C", true, false),
        ("2..", "C", true, false),
        ("any", "C", true, true),
        ("1", "D", false, false),
        ("0..1", "D", false, true),
        ("0", "E", false, true),
    ] {
        let fact = Fact::Paid(paid(order, &format!("P{order}")));
        if !is_there {
            Desk::at(&*store).apply(registered(order)).await;
        }
        let effects = on("payment.succeeded", shop::sql("pay", &[(PAY, rows)]));
        assert_eq!(apply(&*store, &effects, fact).await.is_ok(), is_applied, "{rows} {order}");
    }
    for order in orders {
        assert_eq!(Merchant(&*store).order(order).await, (1, 0), "{order}");
    }
}

/// Of an effect with several statements, and of several effects of one message, all are there or none.
pub async fn what_an_effect_did_before_it_failed_is_undone(fixture: &dyn Fixture) {
    let store = shop(fixture, &["A", "B"]).await;
    let effects = on("payment.succeeded", shop::sql("see", &[(SEE, "1")]))
        .with(Filter::all(), Arc::new(shop::sql("pay twice", &[(PAY, "1"), (PAY, "0..1")])))
        .with(Filter::all(), Arc::new(shop::sql("see again", &[(SEE, "1")])));
    let failures = apply(&*store, &effects, paid("A", "P1")).await.expect_err("one row has that key already");
    assert_eq!(failures.iter().map(|failure| failure.effect.as_str()).collect::<Vec<_>>(), ["see again"]);
    assert_eq!(Merchant(&*store).order("A").await, (0, 0));
    assert_eq!(Merchant(&*store).seen().await.len(), 0);
    // A transaction in which it happened is as good as any.
    let batch = [Fact::Paid(paid("A", "P1")), Fact::Other(passed("N1")), closed("B")];
    let effects = on("payment.succeeded", shop::sql("twice", &[(SEE, "1"), (SEE, "1")]))
        .with(Filter::all(), Arc::new(shop::sql("see", &[(SEE, "any")])));
    let outcomes = apply_all(&*store, &effects, &batch).await;
    assert_eq!(outcomes.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, true, true]);
    let seen = Merchant(&*store).seen().await;
    let kinds: Vec<_> = seen.iter().map(|row| row[1].clone()).collect();
    assert_eq!(kinds, ["wechat.REFUND.SUCCESS", "order.closed"].map(|kind| Value::Text(kind.to_owned())));
}

/// Passes over the error of a statement.
struct PassesOver;

#[async_trait]
impl Effect for PassesOver {
    fn name(&self) -> &str {
        "passes over"
    }

    async fn run(&self, tx: &mut EffectTx<'_>, message: &EffectMessage<'_>) -> Result<(), EffectError> {
        let no = message.order.map(|key| key.out_trade_no.as_str());
        let refused = tx.execute(&statement(NO_TABLE), &[("out_trade_no", no.into())]).await;
        assert!(matches!(refused, Err(EffectError::Refused { .. })), "{refused:?}");
        let again = tx.execute(&statement(PAY), &[("out_trade_no", no.into())]).await;
        assert!(matches!(again, Err(EffectError::Refused { .. })), "nothing goes on: {again:?}");
        Ok(())
    }
}

/// What the database refused in it cannot be committed.
pub async fn a_refused_statement_fails_whatever_the_effect_returns(fixture: &dyn Fixture) {
    let store = shop(fixture, &["A", "B"]).await;
    let effects = on("payment.*", pay()).with(Filter::all(), Arc::new(PassesOver));
    let failures = apply(&*store, &effects, paid("A", "P1")).await.expect_err("a statement was refused");
    assert_eq!(failures.iter().map(|failure| failure.effect.as_str()).collect::<Vec<_>>(), ["passes over"]);
    assert!(failures[0].reason.contains("no_such_table"), "the database's words: {failures:?}");
    assert_eq!(Merchant(&*store).order("A").await, (0, 0));
    assert_eq!(Desk::at(&*store).order("A").await.payments.len(), 0);
}

/// A payment that waited is told of by the registration, which is undone if that fails; the payment goes on waiting.
pub async fn a_registration_waits_for_the_effects_of_what_waited(fixture: &dyn Fixture) {
    let store = shop(fixture, &[]).await;
    let (desk, effects) = (Desk::at(&*store), on("payment.succeeded", pay()));
    assert_eq!(apply(&*store, &effects, paid("A", "P1")).await, Ok(Outcome::Unmatched));
    let batch = [registered("A"), registered("B")];
    let outcomes = apply_all(&*store, &effects, &batch).await;
    assert!(matches!(&outcomes[..], [Err(_), Ok(Outcome::Applied)]), "{outcomes:?}");
    assert!(desk.find("A").await.is_none());

    Merchant(&*store).add(&["A"]).await;
    assert_eq!(apply(&*store, &effects, registered("A")).await, Ok(Outcome::Applied));
    assert_eq!(Merchant(&*store).order("A").await, (1, 0));
    assert_eq!(desk.told().await, ["payment.unmatched", "payment.succeeded"]);
    desk.audit().await;
}

/// Adds to what the order was credited, so that twice would show.
struct Credits;

#[async_trait]
impl Effect for Credits {
    fn name(&self) -> &str {
        "credits"
    }

    async fn run(&self, tx: &mut EffectTx<'_>, message: &EffectMessage<'_>) -> Result<(), EffectError> {
        let paid = message.payment.ok_or_else(|| EffectError::failed("no payment"))?;
        let no = paid.content.key.out_trade_no.as_str();
        let credited =
            tx.execute(&statement(CREDIT), &[("no", no.into()), ("fen", paid.content.amount.into())]).await?;
        if credited == 1 { Ok(()) } else { Err(EffectError::failed("no such order in the shop")) }
    }
}

/// However many copies come to however many nodes at once.
pub async fn copies_on_two_nodes_run_an_effect_once(fixture: &dyn Fixture) {
    const COPIES: usize = 10;
    let orders = ["A", "B", "C"];
    let mut nodes: Vec<Arc<dyn Store>> = vec![Arc::from(shop(fixture, &orders).await)];
    nodes.extend(fixture.second_handle().await.map(Arc::from));
    let effects = on("payment.succeeded", Credits);
    for order in orders {
        let mut tasks = JoinSet::new();
        for copy in 0..COPIES {
            let (node, effects) = (Arc::clone(&nodes[copy % nodes.len()]), effects.clone());
            tasks.spawn(async move { apply(&*node, &effects, paid(order, order)).await });
        }
        let outcomes = tasks.join_all().await;
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Ok(Outcome::Applied)).count(), 1);
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Ok(Outcome::Duplicate)).count(), COPIES - 1);
        assert_eq!(Merchant(&*nodes[0]).order(order).await, (0, 100), "{order}");
    }
}

/// Whole numbers, texts, truth values, times, and none of each.
pub async fn values_arrive_as_they_are(fixture: &dyn Fixture) {
    const AMOUNT: i64 = 9_007_199_254_740_993;
    let store = shop(fixture, &["A"]).await;
    let effects = on("*", shop::sql("see", &[(SEE, "1")]));
    let mut odd = paid_amount("A", "P1", AMOUNT);
    odd.detail = json(r#"{"attach":"é 订单 😀 ' \" \\ ; -- :x ?"}"#);
    assert_eq!(apply(&*store, &effects, odd).await, Ok(Outcome::Incident));
    assert_eq!(apply(&*store, &effects, closed("A")).await, Ok(Outcome::Applied));
    assert_eq!(apply(&*store, &effects, paid("A", "P2")).await, Ok(Outcome::Incident), "it is late");
    assert_eq!(apply(&*store, &effects, Fact::Other(passed("N1"))).await, Ok(Outcome::Applied));

    let seen = Merchant(&*store).seen().await;
    let messages = Desk::at(&*store).messages().await;
    let (text, int, null) = (|text: &str| Value::Text(text.to_owned()), Value::Int, Value::Null);
    let of = |kind: &str| {
        let message = messages.iter().find(|message| message.kind == kind).expect("it was told");
        let row = seen.iter().find(|row| row[0] == text(&message.id.0)).expect("it was seen");
        assert_eq!((&row[1], &row[11]), (&text(kind), &text(&message.body)));
        row[2..11].to_vec()
    };
    let (mchid, cny, appid) = (text("1900000001"), text("CNY"), text("wx8888888888888888"));
    let paid_row = |number: &str, amount, late: Value, sequence| {
        let (mchid, cny, appid) = (mchid.clone(), cny.clone(), appid.clone());
        [mchid, text("A"), text(number), int(amount), cny, appid, null.clone(), late, int(sequence)]
    };
    assert_eq!(of("payment.mismatched"), paid_row("P1", AMOUNT, null.clone(), 1));
    assert_eq!(of("payment.succeeded"), paid_row("P2", 100, int(1), 3));
    let mut close = vec![mchid.clone(), text("A")];
    close.extend([
        null.clone(),
        null.clone(),
        null.clone(),
        null.clone(),
        null.clone(),
        null.clone(),
        int(2),
    ]);
    assert_eq!(of("order.closed"), close);
    let mut handed_on = vec![mchid.clone()];
    handed_on.extend(std::iter::repeat_n(null, 8));
    assert_eq!(of("wechat.REFUND.SUCCESS"), handed_on);
    let at = |at: i64| [Argument::Time(Some(UnixMillis(at)))];
    assert_eq!(Merchant(&*store).rows(SEEN_AT, &at(NOW.0 - 5_000)).await.len(), 2);
    assert_eq!(Merchant(&*store).rows(SEEN_AT, &at(NOW.0)).await.len(), 0);
    assert_eq!(Merchant(&*store).rows(SEEN_AT, &[Argument::Time(None)]).await.len(), 0);
}

const HOSTILE: [&str; 7] = [
    "'; DROP TABLE shop_order; --",
    "\" OR 1 = 1 --",
    "\\'; DELETE FROM shop_seen; #",
    ":no $1 ? @x {}",
    "NULL",
    "line\r\nline\t\u{1}\u{7f} trailing  ",
    "é 订单 😀 \u{10ffff} e\u{301}",
];

/// Writes hostile texts.
struct Writes;

#[async_trait]
impl Effect for Writes {
    fn name(&self) -> &str {
        "writes"
    }

    async fn run(&self, tx: &mut EffectTx<'_>, _: &EffectMessage<'_>) -> Result<(), EffectError> {
        let see: Statement = statement(SEE_TEXT);
        for (text, number) in HOSTILE.into_iter().zip([0, 1, -1, i64::MAX, i64::MIN, 1 << 53, 7]) {
            let id = format!("{number}");
            let arguments = [("text", text.into()), ("number", number.into()), ("id", id.as_str().into())];
            tx.execute(&see, &arguments).await?;
        }
        Ok(())
    }
}

/// Quotes, semicolons and other parameters in a value are the value's.
pub async fn values_are_never_read_as_sql(fixture: &dyn Fixture) {
    let store = shop(fixture, &["A"]).await;
    assert_eq!(apply(&*store, &on("payment.*", Writes), paid("A", "P1")).await, Ok(Outcome::Applied));
    let seen = Merchant(&*store).seen().await;
    assert_eq!(seen.len(), HOSTILE.len());
    for row in seen {
        let (Value::Text(id), Value::Int(number), Value::Text(body)) = (&row[0], &row[5], &row[11]) else {
            panic!("{row:?}")
        };
        assert_eq!(*id, number.to_string());
        assert!(HOSTILE.contains(&body.as_str()), "{body:?}");
    }
    assert_eq!(Merchant(&*store).order("A").await, (0, 0));
}

/// Gives arguments that do not fit, and one statement's that do.
struct Misnames;

#[async_trait]
impl Effect for Misnames {
    fn name(&self) -> &str {
        "misnames"
    }

    async fn run(&self, tx: &mut EffectTx<'_>, _: &EffectMessage<'_>) -> Result<(), EffectError> {
        let credit = statement(CREDIT);
        for arguments in [
            &[("no", Argument::from("A"))][..],
            &[("no", "A".into()), ("fee", 1.into())],
            &[("no", "A".into()), ("fen", 1.into()), ("more", 1.into())],
        ] {
            let misnamed = tx.execute(&credit, arguments).await;
            assert!(matches!(misnamed, Err(EffectError::Arguments { .. })), "{misnamed:?}");
        }
        tx.execute(&credit, &[("fen", 5.into()), ("no", "A".into())]).await.map(drop)
    }
}

/// Each name gets its argument, in whichever order; anything else is not executed.
pub async fn arguments_have_the_statements_names(fixture: &dyn Fixture) {
    let store = shop(fixture, &["A"]).await;
    assert_eq!(apply(&*store, &on("payment.*", Misnames), paid("A", "P1")).await, Ok(Outcome::Applied));
    assert_eq!(Merchant(&*store).order("A").await, (0, 5));
}

/// One row for an effect and a subject; it is open until the fact is applied, by whomever and with whichever effects.
pub async fn failures_are_counted_and_resolve_by_themselves(fixture: &dyn Fixture) {
    let store = shop(fixture, &[]).await;
    let (book, effects) = (store.effects(), on("*", pay()));
    let facts =
        [Fact::Paid(paid("A", "P1")), Fact::Other(passed("N1")), closed("B"), Fact::Paid(paid("C", "P3"))];
    Desk::at(&*store).apply_each(&[registered("A"), registered("B")]).await;
    for round in 1..=2 {
        for outcome in apply_all(&*store, &effects, &facts).await {
            let failures = outcome.expect_err("the shop has no such order");
            let later = |failure: EffectFailure| EffectFailure { at: UnixMillis(NOW.0 + round), ..failure };
            let failures: Vec<_> = failures.into_iter().map(later).collect();
            book.keep_failures(&failures).await.expect("the store keeps them");
        }
    }
    let open = async || book.failures_before(None, true, 10).await.expect("the store reads");
    let subjects = |found: &[payonce_core::effect::FailureView]| -> Vec<String> {
        found.iter().map(|view| view.last.subject.clone()).collect()
    };
    let found = open().await;
    let all = ["payment:1900000001:P3", "order:1900000001:B", "event:1900000001:N1", "payment:1900000001:P1"];
    assert_eq!(subjects(&found), all);
    for view in &found {
        assert_eq!(
            (view.count, view.first_at.0, view.last.at.0, view.resolved),
            (2, NOW.0 + 1, NOW.0 + 2, false)
        );
        assert_eq!(view.last.reason, "statement 1 touched 0 rows, expected 1");
    }
    let second = book.failures_before(Some(found[0].row), true, 2).await.expect("the store reads");
    assert_eq!(second, found[1..3]);

    let without = Effects::none();
    for (left, fact) in [(3, &facts[0]), (2, &facts[1]), (1, &facts[2]), (0, &facts[3])] {
        assert!(apply(&*store, &without, fact.clone()).await.is_ok());
        assert_eq!(open().await.len(), left, "{fact:?}");
    }
    let found = book.failures_before(None, false, 10).await.expect("the store reads");
    assert_eq!(subjects(&found), all);
    assert!(found.iter().all(|view| view.resolved));

    // A payment that waits was applied as such; that it is not settled is another matter.
    let failures =
        apply(&*store, &on("payment.succeeded", pay()), registered("C")).await.expect_err("no order C");
    book.keep_failures(&failures).await.expect("the store keeps them");
    assert_eq!(subjects(&open().await), all[..1]);
    let gone = store.prune(UnixMillis(NOW.0 + 3), 10).await.expect("the store prunes");
    assert_eq!((gone, open().await.len()), (4, 0));
}

/// One payment may fail twice in one batch, and each time counts.
pub async fn a_failure_that_comes_twice_at_once_counts_twice(fixture: &dyn Fixture) {
    let store = shop(fixture, &[]).await;
    Desk::at(&*store).apply(registered("A")).await;
    let [failure] = &apply(&*store, &on("*", pay()), paid("A", "P1")).await.expect_err("no order A")[..]
    else {
        panic!("one effect failed")
    };
    let said =
        |reason: &str, at| EffectFailure { reason: reason.to_owned(), at: UnixMillis(at), ..failure.clone() };
    let other = EffectFailure { effect: "another".to_owned(), ..said("other", 3) };
    let twice = [said("first", 1), other, said("last", 2)];
    for counted in [2, 4] {
        store.effects().keep_failures(&twice).await.expect("the store keeps them");
        let kept = store.effects().failures_before(None, true, 10).await.expect("the store reads");
        let found = kept.iter().find(|view| view.last.effect == failure.effect).expect("it is kept");
        let seen = (found.count, found.first_at.0, found.last.at.0, found.last.reason.as_str());
        assert_eq!((seen, kept.len()), ((counted, 1, 2, "last"), 2));
    }
}

/// The database says beforehand what it could not execute.
pub async fn statements_are_checked_without_being_executed(fixture: &dyn Fixture) {
    let store = shop(fixture, &["A"]).await;
    let none = |statement: &Statement| -> Vec<Argument<'static>> {
        let parameters = statement.names().iter().map(|name| Parameter::named(name));
        parameters.map(|parameter| parameter.expect("it is known").none()).collect()
    };
    for sql in [PAY, SEE] {
        let statement = statement(sql);
        assert!(store.effects().check(&statement, &none(&statement)).await.is_ok(), "{sql}");
    }
    assert!(store.effects().check(&statement(CREDIT), &[]).await.is_ok());
    for sql in [NO_TABLE, "UPDATE shop_order SET nothing = 1 WHERE no = :out_trade_no", "SELECT FROM WHERE"] {
        let statement = statement(sql);
        let refused = store.effects().check(&statement, &none(&statement)).await;
        assert!(matches!(&refused, Err(StatementFailure::Refused(said)) if !said.is_empty()), "{refused:?}");
    }
    assert_eq!(Merchant(&*store).order("A").await, (0, 0));
}
