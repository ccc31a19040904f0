//! What is wrong with a control call is said with a code and what to do.

use http::Request;
use payonce_simulator::Setup;
use serde_json::{Value, json};

use crate::shop::{Shop, setup};

#[tokio::test]
async fn what_cannot_be_is_said() {
    let shop = Shop::open().await;
    shop.place("ORDER1").await;
    shop.sim("POST /_sim/merchants", json!({ "mchid": "1900000777" })).await;
    for (call, body, status, code, says) in [
        ("GET /_sim/nothing", Value::Null, 404, "call_unknown", "GET /_sim lists them"),
        ("DELETE /_sim/clock", Value::Null, 404, "call_unknown", "DELETE /_sim/clock"),
        ("POST /_sim/pay", json!({}), 400, "order_missing", "give out_trade_no"),
        (
            "POST /_sim/pay",
            json!({ "order": 1 }),
            400,
            "body_malformed",
            "unknown field `order`, expected one of `mchid`",
        ),
        ("POST /_sim/pay", json!([1]), 400, "body_malformed", "invalid type"),
        ("POST /_sim/pay", json!({ "out_trade_no": "OTHER1" }), 404, "order_unknown", "GET /_sim/orders"),
        ("POST /_sim/pay", json!({ "prepay_id": "wx1" }), 404, "ticket_unknown", "place the order again"),
        ("POST /_sim/merchants", json!({ "mchid": "../etc" }), 400, "value_invalid", "1 to 32 digits"),
        ("POST /_sim/merchants", json!({ "appids": [""] }), 400, "value_invalid", "letters and digits"),
        ("POST /_sim/merchants", json!({ "mchid": "1900000777" }), 409, "merchant_exists", "choose another"),
        (
            "POST /_sim/merchants",
            json!({ "keys": "none" }),
            400,
            "body_malformed",
            "unknown variant `none`, expected one of `public_key`",
        ),
        ("GET /_sim/merchants/1", Value::Null, 404, "merchant_unknown", "POST /_sim/merchants makes one"),
        (
            "PUT /_sim/merchants/1900000777/grey",
            json!({ "public_key_permille": 1001 }),
            400,
            "value_invalid",
            "0 to 1000",
        ),
        ("POST /_sim/tls", json!({ "hosts": [] }), 400, "value_invalid", "one name"),
        ("POST /_sim/tls", json!({ "hosts": ["ä"] }), 400, "value_invalid", "names like localhost"),
        ("POST /_sim/users", json!({ "user": "", "appid": "wx" }), 400, "value_invalid", "64 characters"),
        (
            "POST /_sim/users",
            json!({ "user": "a", "appid": "wx" }),
            404,
            "app_unknown",
            "GET /_sim/merchants",
        ),
        ("GET /_sim/notices/7", Value::Null, 404, "notice_unknown", "GET /_sim/notices"),
        ("POST /_sim/clock/step", json!({ "seconds": u64::MAX }), 400, "value_invalid", "ten years"),
        ("POST /_sim/clock/step", json!({ "seconds": -1 }), 400, "body_malformed", "invalid value"),
        ("PUT /_sim/clock", json!({ "pace": { "times": 0 } }), 400, "body_malformed", "nonzero"),
        ("POST /_sim/quiet", json!({ "seconds_max": 301 }), 400, "value_invalid", "300 s"),
        (
            "POST /_sim/reset",
            json!({ "everything": true }),
            400,
            "body_malformed",
            "unknown field `everything`",
        ),
    ] {
        refuses(&shop, call, &body, (status, code, says)).await;
    }
}

async fn refuses(shop: &Shop, call: &str, body: &Value, (status, code, says): (u16, &str, &str)) {
    let (answered, json) = shop.control(call, body).await;
    let error = &json["error"];
    assert_eq!((answered, error["code"].as_str()), (status, Some(code)), "{call} {body}: {json}");
    assert!(error["message"].as_str().unwrap().contains(says), "{call} {body}: {json}");
}

/// Values of the right kind that name nothing there can be.
#[tokio::test]
async fn values_that_cannot_be_are_said() {
    let shop = Shop::open().await;
    shop.place("ORDER1").await;
    for (call, body, status, code, says) in [
        (
            "POST /_sim/merchants",
            json!({ "role": { "sub_merchant": { "providers": ["1"] } } }),
            404,
            "merchant_unknown",
            "there is no merchant 1",
        ),
        ("POST /_sim/tls", json!({ "hosts": ["a b"] }), 400, "value_invalid", "names like localhost"),
        (
            "POST /_sim/pay",
            json!({ "out_trade_no": "ORDER1", "user": "a".repeat(65) }),
            400,
            "value_invalid",
            "64 characters",
        ),
    ] {
        refuses(&shop, call, &body, (status, code, says)).await;
    }
}

/// What stands in the path and behind the question mark is read as strictly as a body, and refused in JSON.
#[tokio::test]
async fn a_path_or_query_that_cannot_be_is_said() {
    let shop = Shop::open().await;
    for (call, status, code, says) in [
        ("GET /_sim/", 404, "call_unknown", "GET /_sim lists them"),
        ("GET /_sim/notices/abc", 400, "url_malformed", "the path"),
        ("POST /_sim/notices/-1/resend", 400, "url_malformed", "the path"),
        ("GET /_sim/merchants/%ff", 400, "url_malformed", "the path"),
        ("DELETE /_sim/trouble/%ff", 400, "url_malformed", "the path"),
        ("GET /_sim/orders?mchid=a&mchid=b", 400, "url_malformed", "duplicate field `mchid`"),
        ("GET /_sim/orders?out_trade_n=x", 400, "url_malformed", "unknown field `out_trade_n`"),
        ("GET /_sim/notices?x=", 400, "url_malformed", "unknown field `x`"),
        ("GET /_sim/refunds?x=", 400, "url_malformed", "unknown field `x`"),
    ] {
        refuses(&shop, call, &Value::Null, (status, code, says)).await;
    }
}

/// The list that `GET /_sim` gives is the routes: each call is there, and none is answered as unknown.
#[tokio::test]
async fn the_api_lists_itself() {
    let shop = Shop::open().await;
    let listed = shop.sim("GET /_sim", Value::Null).await;
    let calls = listed["calls"].as_array().unwrap();
    assert!(calls.len() > 20);
    for call in calls {
        let call = call["call"].as_str().unwrap().replace("{mchid}", "1").replace("{number}", "1");
        let (_, json) = shop.control(&call, &json!({ "no_such_key": 1 })).await;
        assert_ne!(json["error"]["code"], "call_unknown", "{call}");
    }
}

#[tokio::test]
async fn a_web_page_of_others_changes_nothing() {
    let shop = Shop::open().await;
    let ask = |origin: String| {
        let mut request = shop.request("POST", "/_sim/reset", "");
        request.headers_mut().insert("origin", origin.parse().unwrap());
        shop.send(request)
    };
    let refused = ask("http://evil.example".to_owned()).await;
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (403, &json!("origin_refused")));
    let own = format!("http://{}", shop.simulator.addr());
    assert_eq!(ask(own).await.status, 200);
}

/// A page of others may lead its own name to this machine (DNS rebinding); a browser then takes it for ours. WeChat's API is
/// reached by WeChat's name.
#[tokio::test]
async fn a_name_of_others_is_refused() {
    let shop = Shop::of(Setup { hosts: vec!["sim.example".to_owned()], ..setup() }).await;
    let ask = |method: &str, path: &str, host: &str| {
        let request = Request::builder().method(method).uri(path).header("host", host);
        let request = request.header("origin", format!("http://{host}")).body(String::new()).unwrap();
        shop.send(request)
    };
    for (method, path) in
        [("GET", "/_sim/merchants"), ("POST", "/_sim/reset"), ("GET", "/"), ("POST", "/cashier/pace")]
    {
        let refused = ask(method, path, "evil.example:8090").await;
        assert_eq!(
            (refused.status, &refused.json()["error"]["code"]),
            (421, &json!("host_refused")),
            "{path}"
        );
        for host in [
            "127.0.0.1:8090",
            "[::1]:8090",
            "localhost",
            "wechat:8090",
            "host.docker.internal",
            "sim.example",
        ] {
            assert_ne!(ask(method, path, host).await.status, 421, "{host} {path}");
        }
    }
    for path in ["/v3/certificates", "/pay/orderquery", "/sns/jscode2session"] {
        assert_ne!(ask("GET", path, "api.mch.weixin.qq.com").await.status, 421, "{path}");
    }
}
