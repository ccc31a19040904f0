//! What the books do, as tables: a state, what is asked, and what is said.

use rand::{SeedableRng as _, rngs::StdRng};
use serde_json::json;
use wechatpay::UnixSeconds;

use super::*;

pub(super) const NOW: UnixSeconds = UnixSeconds(1_704_038_400); // midnight of 2024-01-01 in China
pub(super) const SHOP: &str = "1900000001";
pub(super) const PROVIDER: &str = "1900000100";
pub(super) const SUB: &str = "1900000109";
pub(super) const STRANGER: &str = "1900000002";

/// Books with an ordinary merchant, a provider with a sub-merchant, and another merchant.
pub(super) fn books() -> (Books, StdRng) {
    let mut rng = StdRng::seed_from_u64(1);
    let mut books = Books::new();
    for account in [
        Account::ordinary(SHOP, "wx1"),
        Account::provider(PROVIDER, "wxsp"),
        Account::sub_merchant(SUB, PROVIDER, Some("wxsub")),
        Account::ordinary(STRANGER, "wx2"),
    ] {
        books.enrol(account, &mut rng);
    }
    (books, rng)
}

pub(super) fn ordinary(appid: &str, mchid: &str) -> Seller {
    Seller::Ordinary { appid: appid.to_owned(), mchid: mchid.to_owned() }
}

pub(super) fn partner(sp_appid: &str, sp_mchid: &str, sub_appid: Option<&str>, sub_mchid: &str) -> Seller {
    Seller::Partner {
        sp_appid: sp_appid.to_owned(),
        sp_mchid: sp_mchid.to_owned(),
        sub_appid: sub_appid.map(str::to_owned),
        sub_mchid: sub_mchid.to_owned(),
    }
}

pub(super) fn terms() -> Terms {
    Terms {
        seller: ordinary("wx1", SHOP),
        out_trade_no: "ORDER1".to_owned(),
        trade_type: TradeType::Jsapi,
        description: "tea".to_owned(),
        amount_fen: 100,
        notify_url: "http://127.0.0.1/notify".to_owned(),
        attach: Some("table 7".to_owned()),
        time_expire: None,
        payer: Some(OrderPayer::Openid("oALICE".to_owned())),
        device_id: None,
        protocol: Protocol::V3,
        parameters: json!({ "amount": { "total": 100 } }),
    }
}

pub(super) fn key() -> OrderKey {
    terms().key()
}

pub(super) fn later(seconds: i64) -> UnixSeconds {
    UnixSeconds(NOW.0 + seconds)
}

pub(super) const DAY: i64 = 24 * 3600;
pub(super) const OWN: Whose<'_> = Whose { mchid: SHOP, sub_mchid: None };

#[test]
fn table_of_sellers() {
    for (seller, expected) in [
        (ordinary("wx1", SHOP), Ok(())),
        (ordinary("wx2", SHOP), Err(Refusal::AppidMchidNotMatch)),
        (ordinary("wx1", "1999999999"), Err(Refusal::MchNotExists)),
        (ordinary("wxsp", PROVIDER), Err(Refusal::ProductNotOpened)),
        (ordinary("wxsub", SUB), Err(Refusal::ProductNotOpened)),
        (partner("wxsp", PROVIDER, None, SUB), Ok(())),
        (partner("wxsp", PROVIDER, Some("wxsub"), SUB), Ok(())),
        (partner("wxsp", PROVIDER, Some("wx1"), SUB), Err(Refusal::SubAppidNotMatch)),
        (partner("wx1", PROVIDER, None, SUB), Err(Refusal::AppidMchidNotMatch)),
        (partner("wxsp", PROVIDER, None, PROVIDER), Err(Refusal::SubMchidIsOwn)),
        (partner("wxsp", PROVIDER, None, SHOP), Err(Refusal::NotAccepted)),
        (partner("wxsp", PROVIDER, None, "1999999999"), Err(Refusal::MchNotExists)),
        (partner("wx1", SHOP, None, SUB), Err(Refusal::ProductNotOpened)),
    ] {
        assert_eq!(books().0.may_sell(&seller), expected, "{seller:?}");
    }
}

/// What happened to an order before it is placed again.
#[derive(Clone, Copy, Debug)]
enum Past {
    Nothing,
    Paid,
    Closed,
}

#[test]
fn table_of_placing_again() {
    let expiring = Terms { time_expire: Some(later(600)), ..terms() };
    let other = Terms { parameters: json!({ "amount": { "total": 101 } }), ..terms() };
    let native = Terms { trade_type: TradeType::Native, ..terms() };
    let short = Terms { time_expire: Some(later(-5)), ..terms() };
    for (first, past, again, after_seconds, expected) in [
        (terms(), Past::Nothing, terms(), 0, Ok(())),
        (terms(), Past::Nothing, terms(), 7 * DAY - 1, Ok(())),
        (terms(), Past::Nothing, terms(), 7 * DAY, Err(Refusal::OrderClosed)),
        (terms(), Past::Nothing, other.clone(), 0, Err(Refusal::ReentryDiffers)),
        (terms(), Past::Nothing, native.clone(), 0, Err(Refusal::OutTradeNoUsed)),
        (terms(), Past::Paid, terms(), 1, Err(Refusal::PaidAlready)),
        (terms(), Past::Paid, other.clone(), 1, Err(Refusal::PaidAlready)),
        (terms(), Past::Closed, terms(), 1, Err(Refusal::OrderClosed)),
        (expiring.clone(), Past::Nothing, expiring.clone(), 599, Ok(())),
        (expiring.clone(), Past::Nothing, expiring, 600, Err(Refusal::OrderExpired)),
        // An order is good for a minute, whatever its time_expire.
        (short.clone(), Past::Nothing, short.clone(), 59, Ok(())),
        (short.clone(), Past::Nothing, short, 60, Err(Refusal::OrderExpired)),
    ] {
        let (mut books, mut rng) = books();
        let ticket = books.prepay(first, NOW, &mut rng).unwrap().ticket;
        match past {
            Past::Nothing => {}
            Past::Paid => assert_eq!(books.pay(&key(), None, NOW, &mut rng).unwrap().amount_fen, 100),
            Past::Closed => books.close(OWN, "ORDER1", NOW).unwrap(),
        }
        let before = books.order(&key()).unwrap().clone();
        let placed = books.prepay(again, later(after_seconds), &mut rng);
        assert_eq!(placed.as_ref().map(|_| ()), expected.as_ref().map(|_| ()), "{past:?} {after_seconds}");
        match placed {
            Ok(prepaid) => assert_ne!(prepaid.ticket, ticket, "a fresh ticket"),
            Err(refusal) => {
                assert_eq!(Err(refusal), expected);
                assert_eq!(books.order(&key()), Some(&before), "a refusal changes nothing");
            }
        }
    }
}

#[test]
fn table_of_paying() {
    for (after_seconds, user, closed, expected) in [
        (0, None, false, Ok(())),
        (7 * DAY - 1, None, false, Ok(())),
        (7 * DAY, None, false, Err(Refusal::OrderClosed)),
        (0, None, true, Err(Refusal::OrderClosed)),
        (0, Some("bob"), false, Err(Refusal::OtherPayer)),
        (0, Some("oALICE"), false, Ok(())),
    ] {
        let (mut books, mut rng) = books();
        books.prepay(terms(), NOW, &mut rng).unwrap();
        if closed {
            books.close(OWN, "ORDER1", NOW).unwrap();
        }
        let paid = books.pay(&key(), user, later(after_seconds), &mut rng);
        assert_eq!(paid.map(|_| ()), expected, "{after_seconds} {user:?} {closed}");
    }
    let (mut books, mut rng) = books();
    assert_eq!(books.pay(&key(), None, NOW, &mut rng), Err(Refusal::OrderNotExist));
}

#[test]
fn a_payment_has_wechats_shape_is_told_once_and_only_happens_once() {
    let (mut books, mut rng) = books();
    books.prepay(terms(), NOW, &mut rng).unwrap();
    let payment = books.pay(&key(), None, NOW, &mut rng).unwrap();
    let id = &payment.transaction_id;
    assert!(id.len() == 28 && id.bytes().all(|byte| byte.is_ascii_digit()), "{id}");
    assert_eq!((&id[..4], &id[10..18]), ("4200", "20240101"));
    assert_eq!((payment.openid.as_str(), payment.attach.as_deref()), ("oALICE", Some("table 7")));

    assert_eq!(books.pay(&key(), None, NOW, &mut rng), Err(Refusal::PaidAlready));
    assert_eq!(books.close(OWN, "ORDER1", NOW), Err(Refusal::OrderPaid));
    let entries: Vec<_> = books.notices.entries().collect();
    let [(1, entry)] = entries[..] else { panic!("{entries:?}") };
    assert_eq!((entry.notice.mchid.as_str(), entry.progress), (SHOP, Progress::Due { at: NOW }));
    assert_eq!(entry.notice.subject, Subject::Order(key()));
    assert_eq!(books.order_of(id).unwrap().0, &key());
}

#[test]
fn who_pays_without_being_named_is_known_under_each_app() {
    let (mut books, mut rng) = books();
    let anybody = |out_trade_no: &str| Terms {
        seller: partner("wxsp", PROVIDER, Some("wxsub"), SUB),
        out_trade_no: out_trade_no.to_owned(),
        payer: None,
        ..terms()
    };
    let mut pay = |number: &str, user| {
        books.prepay(anybody(number), NOW, &mut rng).unwrap();
        books.pay(&OrderKey::new(PROVIDER, number), user, NOW, &mut rng).unwrap()
    };
    let (first, second, other) = (pay("A1", Some("bob")), pay("A2", Some("bob")), pay("A3", None));
    assert_eq!((&first.openid, &first.sub_openid), (&second.openid, &second.sub_openid));
    assert_ne!(Some(&first.openid), first.sub_openid.as_ref());
    assert_ne!(first.openid, other.openid);
}

#[test]
fn an_openid_of_another_app_is_refused() {
    let (mut books, mut rng) = books();
    let openid = books.openid("wx2", "bob", &mut rng);
    let payer = Some(OrderPayer::Openid(openid.clone()));
    assert_eq!(books.prepay(Terms { payer, ..terms() }, NOW, &mut rng), Err(Refusal::OpenidMismatch));
    let seller = partner("wxsp", PROVIDER, Some("wxsub"), SUB);
    let payer = Some(OrderPayer::SubOpenid(openid));
    assert_eq!(
        books.prepay(Terms { payer: payer.clone(), seller, ..terms() }, NOW, &mut rng),
        Err(Refusal::SubOpenidMismatch)
    );
    let without_app = partner("wxsp", PROVIDER, None, SUB);
    assert_eq!(
        books.prepay(Terms { payer, seller: without_app, ..terms() }, NOW, &mut rng),
        Err(Refusal::SubOpenidMismatch)
    );
}

#[test]
fn table_of_finding() {
    let (mut books, mut rng) = books();
    books.prepay(terms(), NOW, &mut rng).unwrap();
    let seller = partner("wxsp", PROVIDER, None, SUB);
    books.prepay(Terms { seller, payer: None, ..terms() }, NOW, &mut rng).unwrap();
    let paid = books.pay(&key(), None, NOW, &mut rng).unwrap().transaction_id;

    for (mchid, sub_mchid, expected) in [
        (SHOP, None, Ok(())),
        (PROVIDER, Some(SUB), Ok(())),
        (PROVIDER, Some(SHOP), Err(Refusal::SubMchidNotMatchOrder)),
        (PROVIDER, None, Err(Refusal::OrderNotExist)),
        (SHOP, Some(SUB), Err(Refusal::OrderNotExist)),
        (STRANGER, None, Err(Refusal::OrderNotExist)),
    ] {
        let whose = Whose { mchid, sub_mchid };
        assert_eq!(books.find(whose, "ORDER1").map(|_| ()), expected, "{whose:?}");
    }
    let stranger = Whose { mchid: STRANGER, sub_mchid: None };
    for (whose, id, expected) in [
        (OWN, paid.as_str(), Ok(())),
        (stranger, &paid, Err(Refusal::MchidNotMatchOrder)),
        (OWN, "4200000000000000000000000000", Err(Refusal::OrderNotExist)),
        (OWN, "4200-", Err(Refusal::TransactionIdMalformed)),
        (OWN, "", Err(Refusal::TransactionIdMalformed)),
    ] {
        assert_eq!(books.find_paid(whose, id).map(|_| ()), expected, "{id}");
    }
}

#[test]
fn closing_again_is_no_error_and_a_closed_number_is_burnt() {
    let (mut books, mut rng) = books();
    assert_eq!(books.close(OWN, "ORDER1", NOW), Err(Refusal::OrderNotExist));
    books.prepay(terms(), NOW, &mut rng).unwrap();
    for _ in 0..2 {
        books.close(OWN, "ORDER1", NOW).unwrap();
        assert_eq!(books.order(&key()).unwrap().state(NOW), TradeState::Closed);
    }
    assert_eq!(books.pay(&key(), None, NOW, &mut rng), Err(Refusal::OrderClosed));
}

#[test]
fn table_of_tickets() {
    for (trade_type, beginning, good_seconds, former_stays) in [
        (TradeType::Jsapi, "wx20240101000000", 7200, true),
        (TradeType::App, "wx20240101000000", 7200, true),
        (TradeType::Native, "weixin://wxpay/bizpayurl?pr=", 7200, false),
        (TradeType::Mweb, "https://wx.tenpay.com/", 300, true),
    ] {
        let (mut books, mut rng) = books();
        let terms = Terms { trade_type, payer: None, ..terms() };
        let former = books.prepay(terms.clone(), NOW, &mut rng).unwrap();
        assert!(former.ticket.starts_with(beginning), "{former:?}");
        assert_eq!(former.good_until, later(good_seconds));
        assert_eq!(books.led_to(&former.ticket, later(good_seconds - 1)), Some(&key()));
        assert_eq!(books.led_to(&former.ticket, later(good_seconds)), None);

        let fresh = books.prepay(terms, NOW, &mut rng).unwrap();
        assert_eq!(books.led_to(&fresh.ticket, NOW), Some(&key()));
        assert_eq!(books.led_to(&former.ticket, NOW).is_some(), former_stays, "{trade_type:?}");
    }
}

#[test]
fn a_login_code_is_good_once_for_five_minutes_in_its_app() {
    let (mut books, mut rng) = books();
    let secret = books.app("wx1").unwrap().secret.clone();
    let mut code = || books.login("wx1", "bob", NOW, &mut rng);
    let codes = [code(), code(), code()];
    let openid = books.openid("wx1", "bob", &mut rng);
    let other_secret = books.app("wx2").unwrap().secret.clone();
    for (app, code, after_seconds, expected) in [
        (("wx9", secret.as_str()), &codes[0], 0, Err(LoginRefusal::INVALID_APPID)),
        (("wx1", "guess"), &codes[0], 0, Err(LoginRefusal::INVALID_SECRET)),
        (("wx2", other_secret.as_str()), &codes[0], 0, Err(LoginRefusal::INVALID_CODE)),
        (("wx1", secret.as_str()), &"0none".to_owned(), 0, Err(LoginRefusal::INVALID_CODE)),
        (("wx1", secret.as_str()), &codes[0], 0, Ok(())),
        (("wx1", secret.as_str()), &codes[0], 0, Err(LoginRefusal::CODE_USED)),
        (("wx1", secret.as_str()), &codes[1], 300, Ok(())),
        (("wx1", secret.as_str()), &codes[2], 301, Err(LoginRefusal::INVALID_CODE)),
    ] {
        let session = books.session(app, code, later(after_seconds), &mut rng);
        if let Ok(session) = &session {
            assert_eq!(session.openid, openid);
        }
        assert_eq!(session.map(|_| ()), expected, "{app:?} {code} {after_seconds}");
    }
}

#[test]
fn a_free_number_is_the_time_and_ten_digits() {
    let (books, mut rng) = books();
    let number = books.free_out_trade_no(SHOP, NOW, &mut rng);
    assert!(number.starts_with("20240101000000") && number.len() == 24, "{number}");
}

fn heard(status: Option<u16>) -> Heard {
    Heard { status, ..Heard::default() }
}

/// 15 s, 15 s, 30 s, 3 min … until it is acknowledged, or until 16 attempts were made within 24 h 4 min.
#[test]
fn notices_follow_the_official_schedule_to_its_end() {
    let (mut books, mut rng) = books();
    books.prepay(terms(), NOW, &mut rng).unwrap();
    books.pay(&key(), None, NOW, &mut rng).unwrap();
    let outbox = &mut books.notices;
    let (mut now, mut attempts, mut ids) = (NOW, 0, Vec::new());
    while let Some(due) = outbox.next_due() {
        assert!(due == now || outbox.take_due(UnixSeconds(due.0 - 1)).is_none(), "not before it is due");
        now = due;
        let sending = outbox.take_due(now).unwrap();
        attempts += 1;
        assert_eq!((sending.number, sending.attempt), (1, attempts));
        assert_eq!((outbox.next_due(), outbox.sending()), (None, 1), "one attempt at a time");
        ids.push(sending.notice.id);
        outbox.settle(1, heard(Some(500)), now);
    }
    ids.dedup();
    assert_eq!((attempts, now.0 - NOW.0, ids.len()), (16, DAY + 240, 1));
    assert_eq!(outbox.entry(1).unwrap().progress, Progress::GivenUp);
}

#[test]
fn table_of_acknowledgements() {
    for (status, progress) in [
        (Some(200), Progress::Acknowledged),
        (Some(204), Progress::Acknowledged),
        (Some(201), Progress::Due { at: later(15) }),
        (Some(302), Progress::Due { at: later(15) }),
        (Some(500), Progress::Due { at: later(15) }),
        (None, Progress::Due { at: later(15) }),
    ] {
        let (mut books, mut rng) = books();
        books.prepay(terms(), NOW, &mut rng).unwrap();
        books.pay(&key(), None, NOW, &mut rng).unwrap();
        let sending = books.notices.take_due(NOW).unwrap();
        books.notices.settle(sending.number, heard(status), NOW);
        // Settled once; what comes later for the same attempt is nothing.
        books.notices.settle(sending.number, heard(Some(204)), NOW);
        let entry = books.notices.entry(sending.number).unwrap();
        assert_eq!(entry.attempts[0].sent_at, NOW);
        assert_eq!((entry.progress, entry.attempts.len()), (progress, 1), "{status:?}");
    }
}

#[test]
fn books_are_written_out_and_read_back() {
    let (mut books, mut rng) = books();
    books.prepay(terms(), NOW, &mut rng).unwrap();
    books.pay(&key(), None, NOW, &mut rng).unwrap();
    let seller = partner("wxsp", PROVIDER, Some("wxsub"), SUB);
    books.prepay(Terms { seller, payer: None, ..terms() }, NOW, &mut rng).unwrap();
    books.login("wx1", "bob", NOW, &mut rng);
    books.notices.take_due(NOW).unwrap();

    let mut read: Books = serde_json::from_str(&serde_json::to_string(&books).unwrap()).unwrap();
    assert_eq!(read.orders, books.orders);
    assert_eq!(read.notices.next_due(), Some(NOW), "what was on its way is sent again");
    assert_eq!(read.notices.take_due(NOW).unwrap().attempt, 1);
    assert_eq!(serde_json::to_value(&read).unwrap(), serde_json::to_value(&books).unwrap());
}

#[test]
fn refusals_show_codes_and_never_secrets() {
    assert_eq!(Refusal::OrderNotExist.to_string(), "ORDER_NOT_EXIST: 订单不存在");
    let (books, _) = books();
    let secret = &books.app("wx1").unwrap().secret;
    assert!(!format!("{books:?}").contains(secret.as_str()));
}
