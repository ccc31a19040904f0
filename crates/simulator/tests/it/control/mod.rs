//! The control API as a test in any language uses it: JSON over HTTP, nothing signed.

mod clock;
mod merchants;
mod orders;
mod refunds;
mod refused;

use http::Request;
use serde_json::Value;

use crate::shop::Shop;

impl Shop {
    /// Makes a control call. Gives the status and the JSON.
    pub(crate) async fn control(&self, call: &str, body: &Value) -> (u16, Value) {
        let (method, path) = call.split_once(' ').unwrap();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", self.simulator.addr().to_string())
            .body(body)
            .unwrap();
        let answered = self.send(request).await;
        (answered.status, answered.json())
    }

    /// A control call that must succeed.
    pub(crate) async fn sim(&self, call: &str, body: Value) -> Value {
        let (status, json) = self.control(call, &body).await;
        assert_eq!(status, 200, "{call}: {json}");
        json
    }
}
