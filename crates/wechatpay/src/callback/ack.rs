//! What is answered to WeChat. Deliberately absent: a success body, since an empty 204 is the success of APIv3, and
//! status codes, which are the server's.

use serde::Serialize;

#[derive(Serialize)]
struct Fail<'a> {
    code: &'static str,
    message: &'a str,
}

/// The JSON body of a refusal, `{"code":"FAIL","message":…}`, to go with a status of 4xx or 5xx.
///
/// WeChat takes *any* 200 for an acknowledgement, whatever its body says: never send this with a 2xx.
#[must_use]
pub fn fail_body_v3(message: &str) -> String {
    serde_json::to_string(&Fail { code: "FAIL", message })
        .expect("BUG: a struct of two strings is always representable in JSON")
}

#[cfg(test)]
mod tests {
    use super::fail_body_v3;

    #[test]
    fn message_is_escaped() {
        assert_eq!(fail_body_v3("失败 \"x\"\n"), r#"{"code":"FAIL","message":"失败 \"x\"\n"}"#);
    }
}
