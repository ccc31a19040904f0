//! code2Session over HTTP: unsigned, asked in the query alone, and answered with 200 whatever it is.

use http::Request;
use serde_json::json;

use crate::shop::{Answered, Shop};

impl Shop {
    async fn code2session(&self, method: &str, path: &str, body: &str) -> Answered {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("host", self.simulator.addr().to_string());
        self.send(request.body(body.to_owned()).unwrap()).await
    }
}

#[tokio::test]
async fn a_code_gives_the_openid_and_says_text_of_what_is_json() {
    let shop = Shop::open().await;
    let secret = shop.simulator.read(|books| books.app(&shop.appid).unwrap().secret.clone());
    let code = shop.simulator.login(&shop.appid, "alice");
    let query = format!("appid={}&secret={secret}&js_code={code}&grant_type=authorization_code", shop.appid);
    let answered = shop.code2session("GET", &format!("/sns/jscode2session?{query}"), "").await;
    assert_eq!(answered.header("content-type"), Some("text/plain"), "as the live host says");
    let users = shop.sim("GET /_sim/users", serde_json::Value::Null).await;
    let openid = &answered.json()["openid"];
    assert!(openid.is_string() && users.to_string().contains(openid.as_str().unwrap()), "{users}");
}

#[tokio::test]
async fn table_of_what_is_wrong_with_a_call() {
    let shop = Shop::open().await;
    let (path, whole) = ("/sns/jscode2session", "appid=wx0&secret=0&js_code=0&grant_type=authorization_code");
    for (method, path, query, body, errcode) in [
        ("GET", path, whole, "", 40013),
        ("GET", path, "", "", 41002),
        ("GET", path, "appid=wx0", "", 41004),
        ("GET", path, "appid=wx0&secret=0", "", 41008),
        ("GET", path, "appid=wx0&secret=0&js_code=0", "", 40002),
        ("GET", path, "appid=wx0&appid=wx1&secret=0", "", 41008),
        // What stands in the body is not there.
        ("POST", path, "", whole, 41002),
        ("GET", "/sns/jsCode2Session", whole, "", 40066),
        ("GET", "/sns/code2session", whole, "", 40066),
    ] {
        let answered = shop.code2session(method, &format!("{path}?{query}"), body).await;
        assert_eq!(answered.status, 200, "{method} {path} {query}");
        assert_eq!(answered.json()["errcode"], json!(errcode), "{method} {path} {query}");
        assert!(answered.json()["errmsg"].as_str().unwrap().contains(", rid: "), "{answered:?}");
    }
}
