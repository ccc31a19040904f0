//! The page for people, as it goes over HTTP; `browser` shows it in a real one.

mod browser;
mod driver;

use http::Request;

use crate::receiver::Receiver;
use crate::shop::{Answered, Shop};

impl Shop {
    /// A page, as a browser with these headers gets it.
    async fn page(&self, path: &str, headers: &[(&str, &str)]) -> Answered {
        let mut request = Request::builder().uri(path).header("host", self.simulator.addr().to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(String::new()).unwrap()).await
    }

    /// Sends a form from our own page.
    async fn form(&self, path: &str, form: &str) -> Answered {
        self.form_from(path, form, &format!("http://{}", self.simulator.addr())).await
    }

    async fn form_from(&self, path: &str, form: &str, origin: &str) -> Answered {
        let request = Request::post(path)
            .header("host", self.simulator.addr().to_string())
            .header("origin", origin)
            .header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(form.to_owned()).unwrap()).await
    }

    fn form_of(&self, number: &str) -> String {
        format!("mchid={}&out_trade_no={number}&back=/cashier/order/{}/{number}", self.mchid, self.mchid)
    }
}

impl Answered {
    fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }
}

#[tokio::test]
async fn an_order_appears_is_cancelled_and_paid_by_forms_alone() {
    let (shop, receiver) = (Shop::open().await, Receiver::answering(204).await);
    let empty = shop.page("/", &[]).await;
    assert_eq!(empty.status, 200);
    assert!(empty.text().contains("No orders yet"));
    shop.place_for("ORDER1", &receiver.url()).await;
    let listed = shop.page("/", &[]).await.text();
    for part in ["ORDER1", "¥1.00", "not paid", "Image形象店", "action=\"/cashier/pay\""] {
        assert!(listed.contains(part), "{part}\n{listed}");
    }
    let place = format!("/cashier/order/{}/ORDER1", shop.mchid);
    let cancelled = shop.form("/cashier/cancel", &shop.form_of("ORDER1")).await;
    assert_eq!((cancelled.status, cancelled.header("location")), (303, Some(place.as_str())));
    assert!(shop.page(&place, &[]).await.text().contains("the user left without paying"));
    assert_eq!(shop.form("/cashier/pay", &shop.form_of("ORDER1")).await.status, 303);
    shop.simulator.quiet().await;

    let shown = shop.page(&place, &[]).await.text();
    for part in ["paid", "TRANSACTION.SUCCESS", &receiver.url(), "204", "acknowledged", "Send again now"] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    assert!(!shown.contains("action=\"/cashier/pay\""), "it is paid");
    assert_eq!(
        shop.form("/cashier/resend", &format!("{}&number=1", shop.form_of("ORDER1"))).await.status,
        303
    );
    shop.simulator.quiet().await;
    assert_eq!(receiver.came().len(), 2);
    let again = shop.form("/cashier/pay", &shop.form_of("ORDER1")).await;
    assert_eq!(again.status, 409);
    assert!(again.text().contains("ORDER_PAID"), "{}", again.text());
}

#[tokio::test]
async fn every_attempt_is_shown_with_its_answer() {
    let (shop, receiver) = (Shop::open().await, Receiver::answering(500).await);
    shop.form("/cashier/trouble", "preset=signature_probe&once=yes").await;
    shop.paid("ORDER1", &receiver.url()).await;
    shop.form("/cashier/clock", "seconds=15").await;
    shop.simulator.quiet().await;
    let shown = shop.page(&format!("/cashier/order/{}/ORDER1", shop.mchid), &[]).await.text();
    assert_eq!(shown.matches("<span class=\"bad\">500</span>").count(), 2, "{shown}");
    assert_eq!(shown.matches("<td>signature_probe</td>").count(), 1, "{shown}");
    assert!(shown.contains("Next attempt: 2025-06-15 23:07:10"), "{shown}");
}

#[tokio::test]
async fn an_order_is_closed_and_paid_in_the_same_moment() {
    let (shop, receiver) = (Shop::open().await, Receiver::answering(204).await);
    shop.place_for("ORDER1", &receiver.url()).await;
    shop.form("/cashier/close", &shop.form_of("ORDER1")).await;
    assert_eq!(shop.form("/cashier/pay", &shop.form_of("ORDER1")).await.status, 409);
    let paid = shop.form("/cashier/pay", &format!("{}&despite_close=yes", shop.form_of("ORDER1"))).await;
    assert_eq!(paid.status, 303);
    shop.simulator.quiet().await;
    assert_eq!(receiver.came().len(), 1);
}

#[tokio::test]
async fn a_paid_order_is_refunded_in_part_and_its_end_is_told() {
    let (shop, receiver) = (Shop::open().await, Receiver::answering(204).await);
    let place = format!("/cashier/order/{}/ORDER1", shop.mchid);
    shop.place_for("ORDER1", &receiver.url()).await;
    assert!(!shop.page(&place, &[]).await.text().contains("/cashier/refund"), "nothing was paid");
    shop.form("/cashier/pay", &shop.form_of("ORDER1")).await;
    assert!(shop.page(&place, &[]).await.text().contains("max=\"100\""));
    assert_eq!(
        shop.form("/cashier/refund", &format!("{}&refund_fen=40", shop.form_of("ORDER1"))).await.status,
        303
    );
    let shown = shop.page(&place, &[]).await.text();
    for part in ["being refunded", "¥0.40", "max=\"60\"", "refunded"] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    let number = shop.sim("GET /_sim/refunds", serde_json::Value::Null).await;
    let number = number["refunds"][0]["out_refund_no"].as_str().unwrap().to_owned();
    let end = format!("{}&out_refund_no={number}&status=SUCCESS", shop.form_of("ORDER1"));
    assert_eq!(shop.form("/cashier/refund/end", &end).await.status, 303);
    shop.simulator.quiet().await;
    let shown = shop.page(&place, &[]).await.text();
    assert!(shown.contains("REFUND.SUCCESS") && shown.contains("paid out"), "{shown}");
    assert_eq!(receiver.came().len(), 2);
    let too_much = format!("{}&refund_fen=61", shop.form_of("ORDER1"));
    assert_eq!(shop.form("/cashier/refund", &too_much).await.status, 409);
}

#[tokio::test]
async fn clock_and_trouble_are_switched() {
    let shop = Shop::open().await;
    shop.form("/cashier/clock", "seconds=3600").await;
    assert!(shop.page("/", &[]).await.text().contains("2025-06-16 00:06:40"));
    shop.form("/cashier/pace", "times=60").await;
    assert!(shop.page("/", &[]).await.text().contains("×60"));
    shop.form("/cashier/pace", "times=0").await;
    assert!(shop.page("/", &[]).await.text().contains("frozen"));

    let on = shop.form("/cashier/trouble", "preset=late&order=A*&once=yes").await;
    assert_eq!((on.status, on.header("location")), (303, Some("/")));
    let rules = shop.sim("GET /_sim/trouble", serde_json::Value::Null).await;
    assert_eq!(rules["notices"][0]["when"], serde_json::json!({ "order": "A*", "times": 1 }));
    assert!(shop.page("/", &[]).await.text().contains("<td>late</td>"));
    shop.form("/cashier/trouble/off", "name=late").await;
    assert!(!shop.page("/", &[]).await.text().contains("<td>late</td>"));
    assert_eq!(shop.form("/cashier/trouble", "preset=explode").await.status, 400);
}

/// By the link, then by the cookie that it left, then as the browser likes it.
#[tokio::test]
async fn it_speaks_chinese_and_english() {
    let shop = Shop::open().await;
    let chinese = |answered: &Answered| answered.text().contains("<h2>订单</h2>");
    for (path, headers, expected) in [
        ("/", &[][..], false),
        ("/", &[("accept-language", "zh-CN,zh;q=0.9")], true),
        ("/", &[("accept-language", "en"), ("cookie", "a=b; payonce-lang=zh")], true),
        ("/?lang=en", &[("accept-language", "zh"), ("cookie", "payonce-lang=zh")], false),
        ("/?lang=zh", &[], true),
        ("/?lang=xx", &[], false),
    ] {
        let answered = shop.page(path, headers).await;
        assert_eq!(chinese(&answered), expected, "{path} {headers:?}");
        let is_set = answered.header("set-cookie").is_some();
        assert_eq!(is_set, path.ends_with("=en") || path.ends_with("=zh"), "{path}");
    }
}

/// What merchants and receivers wrote is text on the page, and nothing else.
#[tokio::test]
async fn what_others_wrote_is_escaped() {
    let shop = Shop::open().await;
    let evil = "<script>alert('1')</script>\"><b>";
    let mut order = shop.order("ORDER|1*");
    (order["description"], order["attach"]) = (evil.into(), evil.into());
    assert_eq!(shop.post("/v3/pay/transactions/jsapi", &order).await.status, 200);
    let place = format!("/cashier/order/{}/ORDER%7C1%2A", shop.mchid);
    for path in ["/", &place] {
        let answered = shop.page(path, &[]).await;
        let text = answered.text();
        assert_eq!(answered.status, 200);
        assert!(!text.contains("<script>alert") && !text.contains("\"><b>"), "{text}");
        assert!(text.contains("&lt;script&gt;alert('1')"), "{text}");
        assert!(answered.header("content-security-policy").unwrap().contains("script-src 'self'"));
    }
    assert!(shop.page("/", &[]).await.text().contains(&place), "the link leads there");
    let missing = shop.page("/cashier/order/1/%3Cb%3E", &[]).await;
    assert_eq!(missing.status, 404);
    assert!(!missing.text().contains("<b>"));
}

#[tokio::test]
async fn forms_of_other_pages_do_nothing_and_lead_nowhere_else() {
    let (shop, receiver) = (Shop::open().await, Receiver::answering(204).await);
    shop.place_for("ORDER1", &receiver.url()).await;
    let refused = shop.form_from("/cashier/pay", &shop.form_of("ORDER1"), "http://evil.example").await;
    assert_eq!(refused.status, 403);
    let form = format!("mchid={}&out_trade_no=ORDER1&back=//evil.example/", shop.mchid);
    let paid = shop.form("/cashier/pay", &form).await;
    assert_eq!((paid.status, paid.header("location")), (303, Some("/")));
}

/// What cannot be done is said on a page, whatever it is.
#[tokio::test]
async fn what_cannot_be_done_is_said_on_a_page() {
    let (shop, silent) = (Shop::open().await, Receiver::silent().await);
    shop.place_for("ORDER1", &silent.url()).await;
    shop.form("/cashier/pay", &shop.form_of("ORDER1")).await;
    silent.until(1).await;
    for (path, form, status, says) in [
        ("/cashier/refund", format!("{}&refund_fen=", shop.form_of("ORDER1")), 400, "refund_fen"),
        ("/cashier/resend", format!("{}&number=7", shop.form_of("ORDER1")), 404, "there is no notice 7"),
        ("/cashier/resend", format!("{}&number=1", shop.form_of("ORDER1")), 409, "notice 1 is on its way"),
    ] {
        let answered = shop.form(path, &form).await;
        assert_eq!(answered.status, status, "{path} {form}");
        let text = answered.text();
        assert!(text.contains("id=\"problem\"") && text.contains(says), "{text}");
    }
}
