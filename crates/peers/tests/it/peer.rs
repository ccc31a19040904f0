//! Questions and answers themselves.

use payonce_peers::AskError;
use serde_json::json;

use crate::fixture::{Parties, checks};

checks! {
    Wechatpayv3 in wechatpayv3 { what_it_cannot_do_is_refused_and_the_next_is_answered }
    WechatpayAxiosPlugin in wechatpay_axios_plugin { what_it_cannot_do_is_refused_and_the_next_is_answered }
}

fn what_it_cannot_do_is_refused_and_the_next_is_answered(parties: &mut Parties) {
    for (task, given) in [("fly", json!({})), ("decrypt", json!({ "ciphertext": "AAAA" }))] {
        let refused = parties.peer.ask(task, given);
        assert!(matches!(refused, Err(AskError::Refused { .. })), "{task}: {refused:?}");
    }
    // What ends a line in some languages does not end a question.
    parties.ask_text("pay_sign", json!({ "lines": ["a\nb\r\u{2028}\u{2029}\u{85}c"] }));
}
