//! What is answered to a notice of APIv2. WeChat Pay reads the *body*: XML, never JSON.
//!
//! Deliberately absent: status codes, which are the server's.

use super::xml::is_kept;
use super::{Fields, write_xml};

/// The body that acknowledges a notice, to go with status 200 once it is stored.
pub const ACK_BODY: &str = "<xml><return_code><![CDATA[SUCCESS]]></return_code>\
    <return_msg><![CDATA[OK]]></return_msg></xml>";

/// The body that refuses a notice, so that WeChat Pay sends it again. Characters that XML does not keep become spaces.
#[must_use]
pub fn fail_body(message: &str) -> String {
    let message = message.replace(|character| !is_kept(character), " ");
    let mut fields = Fields::default();
    fields.insert("return_code", "FAIL");
    fields.insert("return_msg", message);
    write_xml(&fields).expect("BUG: both names are valid, and what XML does not keep was replaced")
}
