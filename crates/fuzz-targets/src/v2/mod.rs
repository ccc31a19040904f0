//! Targets of APIv2: its XML, its notices, the answers to its calls.

pub(crate) mod answer;
pub(crate) mod notice;
pub(crate) mod xml;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use wechatpay::v2::{Fields, SignType, UnwritableError, parse_xml, sign, sign_message, write_xml};

use crate::fixture::{KEYS, VECTORS, text};

/// The strings that were signed under the key of the vectors. Whatever verifies, and was not signed here, is one.
static GENUINE: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let notices = VECTORS.v2["notices"].as_array().into_iter().flatten();
    let answers = VECTORS.v2["answers"].as_object().into_iter().flatten();
    let bodies = notices.map(|notice| text(notice, "body"));
    let bodies = bodies.chain(answers.filter_map(|(_, body)| body.as_str()));
    bodies.filter_map(|body| Some(sign_message(&parse_xml(body.as_bytes()).ok()?))).collect()
});

/// The message with these fields, signed as its `sign_type` says, by MD5 where it says nothing that is known.
fn signed_message(fields: &mut Fields) -> Result<String, UnwritableError> {
    let is_hmac = fields.get("sign_type") == Some(SignType::HmacSha256.as_str());
    let sign_type = if is_hmac { SignType::HmacSha256 } else { SignType::Md5 };
    fields.insert("sign", sign(fields, sign_type, &KEYS.apiv2));
    write_xml(fields)
}

/// Whether `sign_type` names an algorithm that APIv2 does not have.
fn has_unknown_type(fields: &Fields) -> bool {
    fields.get("sign_type").is_some_and(|named| named != "MD5" && named != "HMAC-SHA256")
}
