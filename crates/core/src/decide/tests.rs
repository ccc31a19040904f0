//! `decide` as a table, and what holds in every case there is.

use super::*;
use crate::{
    fact::{Passed, Source},
    ids::{AppId, EventType, MerchantId, NotificationId, OutTradeNo, WechatPaymentId},
    money::{Currency, Fen},
    order::OrderKey,
    time::UnixMillis,
};

/// One line: the order A, what was said before of payment P1, what is learnt now, under which policy; and what
/// is decided: outcome, order after, standing of the payment, message, incident.
///
/// A statement of P1 `agrees` with A, or differs from it in the field that is named, or is of `another` order.
const TABLE: &str = "
order           | said of P1        | learnt           | policy        | outcome   | order after     | standing  | message            | incident
absent          | -                 | registered       | -             | applied   | registered      | -         | -                  | -
pending         | -                 | registered       | -             | duplicate | -               | -         | -                  | -
closed          | -                 | registered       | -             | duplicate | -               | -         | -                  | -
paid by P1      | -                 | registered       | -             | duplicate | -               | -         | -                  | -
pending         | -                 | other terms      | -             | refused   | -               | -         | -                  | -
closed          | -                 | other terms      | -             | refused   | -               | -         | -                  | -
paid by P1      | -                 | other terms      | -             | refused   | -               | -         | -                  | -
pending         | -                 | another expiry   | -             | refused   | -               | -         | -                  | -
paid by P1      | -                 | another expiry   | -             | duplicate | -               | -         | -                  | -

absent          | -                 | closed           | -             | unmatched | -               | -         | -                  | -
pending         | -                 | closed           | -             | applied   | closed          | -         | order.closed       | -
closed          | -                 | closed           | -             | duplicate | -               | -         | -                  | -
paid by P1      | -                 | closed           | -             | duplicate | -               | -         | -                  | -
paid late by P1 | -                 | closed           | -             | duplicate | -               | -         | -                  | -

pending         | -                 | agrees           | -             | applied   | paid by P1      | settling  | payment.succeeded  | -
pending         | -                 | amount           | -             | incident  | -               | disputed  | payment.mismatched | amount_mismatch, hold
pending         | -                 | currency         | -             | incident  | -               | disputed  | payment.mismatched | currency_mismatch, hold
pending         | -                 | appid            | -             | incident  | -               | disputed  | payment.mismatched | appid_mismatch, hold
pending         | -                 | sub-merchant     | -             | incident  | -               | disputed  | payment.mismatched | sub_mchid_mismatch, hold
closed          | -                 | amount           | -             | incident  | -               | disputed  | payment.mismatched | amount_mismatch, hold
paid by P9      | -                 | amount           | -             | incident  | -               | disputed  | payment.mismatched | amount_mismatch, hold
paid late by P9 | -                 | appid            | -             | incident  | -               | disputed  | payment.mismatched | appid_mismatch, hold

paid by P1      | agrees settling   | agrees           | -             | duplicate | -               | -         | -                  | -
paid by P9      | agrees second     | agrees           | -             | duplicate | -               | -         | -                  | -
pending         | amount disputed   | amount           | -             | duplicate | -               | -         | -                  | -
absent          | agrees unmatched  | agrees           | -             | duplicate | -               | -         | -                  | -

paid by P1      | agrees settling   | amount           | -             | incident  | -               | disputed  | payment.conflicted | contradiction, hold
paid by P9      | agrees second     | currency         | -             | incident  | -               | disputed  | payment.conflicted | contradiction, hold
pending         | amount disputed   | appid            | -             | incident  | -               | disputed  | payment.conflicted | contradiction, hold
pending         | amount unmatched  | appid            | -             | incident  | -               | disputed  | payment.conflicted | contradiction, hold
pending         | amount disputed   | agrees           | -             | applied   | paid by P1      | settling  | payment.succeeded  | -
pending         | another settling  | agrees           | -             | incident  | -               | disputed  | payment.conflicted | contradiction, hold
paid by P9      | another second    | agrees           | -             | incident  | -               | disputed  | payment.conflicted | contradiction, hold
pending         | another disputed  | agrees           | -             | applied   | paid by P1      | settling  | payment.succeeded  | -
pending         | another unmatched | agrees           | -             | applied   | paid by P1      | settling  | payment.succeeded  | -

paid by P9      | -                 | agrees           | -             | incident  | -               | second    | payment.duplicated | paid_twice, hold
paid by P9      | -                 | agrees           | second refund | incident  | -               | second    | payment.duplicated | paid_twice, refund
paid late by P9 | -                 | agrees           | -             | incident  | -               | second    | payment.duplicated | paid_twice, hold
paid by P9      | amount disputed   | agrees           | -             | incident  | -               | second    | payment.duplicated | paid_twice, hold

closed          | -                 | agrees           | late accept   | applied   | paid late by P1 | settling  | payment.succeeded  | -
closed          | -                 | agrees           | late hold     | incident  | paid late by P1 | settling  | payment.succeeded  | paid_after_close, hold
closed          | -                 | agrees           | late refund   | incident  | paid late by P1 | settling  | payment.succeeded  | paid_after_close, refund

absent          | -                 | agrees           | unknown hold  | unmatched | -               | unmatched | payment.unmatched  | unknown_order, hold
absent          | agrees unmatched  | amount           | unknown hold  | unmatched | -               | unmatched | payment.unmatched  | unknown_order, hold
absent          | -                 | agrees           | unknown adopt | applied   | adopted         | settling  | payment.succeeded  | -
absent          | another settling  | agrees           | unknown hold  | incident  | -               | disputed  | payment.conflicted | contradiction, hold
absent          | another settling  | agrees           | unknown adopt | incident  | -               | disputed  | payment.conflicted | contradiction, hold

absent          | -                 | another kind     | -             | applied   | -               | -         | wechat.REFUND.X    | -
absent          | passed            | another kind     | -             | duplicate | -               | -         | -                  | -
";

#[test]
fn the_table() {
    let rows = TABLE.lines().filter(|row| !row.is_empty());
    for row in rows.skip(1) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [order, earlier, fact, policy, expected @ ..] = &cells[..] else { panic!("no row: {row}") };
        assert_eq!(decide_cells(order, earlier, fact, policy), expected, "{row}");
    }
}

fn decide_cells(order: &str, earlier: &str, fact: &str, policy: &str) -> [String; 5] {
    let statement = match earlier {
        "-" | "passed" => None,
        statement => {
            let (which, how) = statement.split_once(' ').expect("a statement and its standing");
            Some((content(which), standing(how)))
        }
    };
    let statements: Vec<_> = statement.iter().map(|(content, standing)| (content, *standing)).collect();
    let earlier = match earlier {
        "-" => Earlier::Nothing,
        "passed" => Earlier::Passed,
        _ => Earlier::Statements(&statements),
    };
    show(&decide(order_in(order).as_ref(), earlier, &self::fact(fact), &self::policy(policy)))
}

fn show(decision: &Decision) -> [String; 5] {
    let order = match &decision.order {
        OrderEffect::Unchanged => "-".to_owned(),
        OrderEffect::Register(stated) if *stated == terms() => "registered".to_owned(),
        OrderEffect::Adopt(stated) if *stated == terms() => "adopted".to_owned(),
        OrderEffect::Become(OrderState::Closed) => "closed".to_owned(),
        OrderEffect::Become(OrderState::Paid { by, late: false }) => format!("paid by {by}"),
        OrderEffect::Become(OrderState::Paid { by, late: true }) => format!("paid late by {by}"),
        other => format!("{other:?}"),
    };
    let or_dash = |text: Option<String>| text.unwrap_or("-".to_owned());
    let lower = |word: &dyn std::fmt::Debug| format!("{word:?}").to_lowercase();
    [
        decision.outcome.as_str().to_owned(),
        order,
        or_dash(decision.standing.map(|standing| lower(&standing))),
        or_dash(decision.message.as_ref().map(MessageKind::name)),
        or_dash(decision.incident.map(|(kind, remedy)| format!("{}, {}", kind.as_str(), lower(&remedy)))),
    ]
}

const ORDERS: [&str; 7] =
    ["absent", "pending", "closed", "paid by P1", "paid late by P1", "paid by P9", "paid late by P9"];
const CONTENTS: [&str; 6] = ["agrees", "amount", "currency", "appid", "sub-merchant", "another"];
const STANDINGS: [&str; 4] = ["settling", "second", "disputed", "unmatched"];
const POLICIES: [&str; 6] =
    ["late accept", "late hold", "late refund", "second refund", "unknown adopt", "unknown hold"];

fn order_in(state: &str) -> Option<Order> {
    let paid = |by, late| OrderState::Paid { by: number(by), late };
    let state = match state {
        "absent" => return None,
        "pending" => OrderState::Pending,
        "closed" => OrderState::Closed,
        "paid by P1" => paid("P1", false),
        "paid late by P1" => paid("P1", true),
        "paid by P9" => paid("P9", false),
        "paid late by P9" => paid("P9", true),
        other => panic!("no state: {other}"),
    };
    Some(Order { state, ..Order::registered(key("A"), terms(), UnixMillis(0)) })
}

fn fact(word: &str) -> Fact {
    match word {
        "registered" => Fact::Registered { key: key("A"), terms: terms() },
        "other terms" => {
            let other = Terms { amount: Fen::new(terms().amount.get() + 1).expect("positive"), ..terms() };
            Fact::Registered { key: key("A"), terms: other }
        }
        "another expiry" => {
            let other = Terms { expires_at: Some(UnixMillis(1)), ..terms() };
            Fact::Registered { key: key("A"), terms: other }
        }
        "closed" => Fact::Closed { key: key("A") },
        "another kind" => Fact::Other(Passed {
            merchant: key("A").merchant,
            notification: NotificationId::parse("N1").expect("an id"),
            event_type: EventType::parse("REFUND.X").expect("a type"),
            plaintext: "{}".into(),
        }),
        which => Fact::Paid(Paid {
            content: content(which),
            paid_at: None,
            source: Source::Callback,
            detail: crate::Json::empty_object(),
        }),
    }
}

/// What is said of the payment P1.
fn content(which: &str) -> Content {
    let Terms { amount, currency, appid, .. } = terms();
    let agrees =
        Content { key: key("A"), payment: number("P1"), amount, currency, appid, sub_merchant: None };
    match which {
        "agrees" => agrees,
        "amount" => Content { amount: Fen::new(99).expect("not negative"), ..agrees },
        "currency" => Content { currency: Currency::parse("USD").expect("a code"), ..agrees },
        "appid" => Content { appid: AppId::parse("wx2").expect("an appid"), ..agrees },
        "sub-merchant" => Content { sub_merchant: MerchantId::parse("1900000109").ok(), ..agrees },
        "another" => Content { key: key("B"), ..agrees },
        other => panic!("no content: {other}"),
    }
}

fn standing(word: &str) -> Standing {
    match word {
        "settling" => Standing::Settling,
        "second" => Standing::Second,
        "disputed" => Standing::Disputed,
        "unmatched" => Standing::Unmatched,
        other => panic!("no standing: {other}"),
    }
}

fn policy(words: &str) -> Policy {
    let late = |late_payment| Policy { late_payment, ..Policy::default() };
    match words {
        "-" => Policy::default(),
        "late accept" => late(LatePayment::Accept),
        "late hold" => late(LatePayment::Report(Remedy::Hold)),
        "late refund" => late(LatePayment::Report(Remedy::Refund)),
        "second refund" => Policy { second_payment: Remedy::Refund, ..Policy::default() },
        "unknown hold" => Policy { unknown_order: UnknownOrder::Hold, ..Policy::default() },
        "unknown adopt" => Policy { unknown_order: UnknownOrder::Adopt, ..Policy::default() },
        other => panic!("no policy: {other}"),
    }
}

fn key(order: &str) -> OrderKey {
    OrderKey {
        merchant: MerchantId::parse("1900000001").expect("digits"),
        out_trade_no: OutTradeNo::parse(order).expect("a number"),
    }
}

fn number(text: &str) -> WechatPaymentId {
    WechatPaymentId::parse(text).expect("a number")
}

fn terms() -> Terms {
    Terms {
        amount: Fen::new(100).expect("not negative"),
        currency: Currency::CNY,
        appid: AppId::parse("wx1").expect("an appid"),
        sub_merchant: None,
        expires_at: None,
    }
}

/// Calls `check` with every order, every one or two earlier statements (or none), every content, every policy.
fn for_every_payment(mut check: impl FnMut(Option<&Order>, &[(&Content, Standing)], &Content, &Decision)) {
    let contents = CONTENTS.map(content);
    let said: Vec<(&Content, Standing)> =
        contents.iter().flat_map(|content| STANDINGS.map(|how| (content, standing(how)))).collect();
    let mut earlier: Vec<Vec<(&Content, Standing)>> = vec![Vec::new()];
    earlier.extend(said.iter().map(|&one| vec![one]));
    earlier.extend(said.iter().flat_map(|&one| said.iter().map(move |&other| vec![one, other])));
    for order in ORDERS.map(order_in) {
        for statements in &earlier {
            for now in ["agrees", "amount", "currency", "appid", "sub-merchant"] {
                for policy in POLICIES.map(policy) {
                    let said = Earlier::Statements(statements);
                    let decision = decide(order.as_ref(), said, &fact(now), &policy);
                    check(order.as_ref(), statements, &content(now), &decision);
                }
            }
        }
    }
}

fn counts(standing: Standing) -> bool {
    matches!(standing, Standing::Settling | Standing::Second)
}

#[test]
fn what_was_said_before_is_a_duplicate_and_nothing_else_is() {
    for_every_payment(|_, earlier, now, decision| {
        let known = earlier.iter().any(|(content, _)| *content == now);
        assert_eq!(decision.outcome == Outcome::Duplicate, known, "{earlier:?} {now:?}");
        if known {
            assert_eq!(*decision, Decision::nothing(Outcome::Duplicate));
        } else {
            assert!(decision.standing.is_some() && decision.message.is_some(), "kept and told: {decision:?}");
        }
    });
}

#[test]
fn a_paid_order_stays_as_it_is() {
    for_every_payment(|order, earlier, now, decision| {
        if order.is_some_and(|order| matches!(order.state, OrderState::Paid { .. })) {
            assert_eq!(decision.order, OrderEffect::Unchanged, "{earlier:?} {now:?}");
        }
    });
}

#[test]
fn only_an_agreeing_payment_pays_and_is_told_as_success() {
    for_every_payment(|order, earlier, now, decision| {
        let pays = match &decision.order {
            OrderEffect::Become(OrderState::Paid { by, .. }) => *by == now.payment,
            OrderEffect::Adopt(stated) => disagreement(stated, now).is_none(),
            _ => false,
        };
        assert_eq!(pays, decision.standing == Some(Standing::Settling), "{decision:?}");
        assert_eq!(pays, decision.message == Some(MessageKind::PaymentSucceeded), "{decision:?}");
        if decision.standing.is_some_and(counts) {
            assert!(order.is_none_or(|order| disagreement(&order.terms, now).is_none()), "{decision:?}");
            assert!(!earlier.iter().any(|(_, standing)| counts(*standing)), "counts twice: {decision:?}");
        }
    });
}

#[test]
fn money_that_does_not_add_up_has_an_incident() {
    for_every_payment(|_, earlier, now, decision| {
        let adds_up = matches!(decision.outcome, Outcome::Applied | Outcome::Duplicate);
        assert_eq!(adds_up, decision.incident.is_none(), "{earlier:?} {now:?} {decision:?}");
        let settles = matches!(decision.standing, None | Some(Standing::Settling));
        assert!(settles || !adds_up, "{earlier:?} {now:?} {decision:?}");
    });
}
