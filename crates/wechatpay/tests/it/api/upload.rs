//! The upload of a file, byte by byte.

use wechatpay::api::{AnyCall, Call, InvalidField, Operation, Rule, UploadFile};

use super::assert_invalid;

const PATH: &str = "/v3/merchant/media/upload";

/// Of `\xff\xd8`, by `sha256sum`.
const SHA256: &str = "71563ad80061407ede9c6f316836284bd3710a520c5a792b5eda1cb703690815";

fn file<'a>(filename: &'a str, content_type: &'a str) -> UploadFile<'a> {
    UploadFile { filename, content_type, bytes: b"\xff\xd8" }
}

#[test]
fn an_upload_has_the_bytes_that_wechat_pay_documents() {
    let call = AnyCall::upload(PATH, &file("licence.jpg", "image/jpeg")).unwrap();
    assert_eq!((call.method(), call.path_and_query().as_str()), ("POST", PATH));
    assert_eq!(call.operation(), Operation::Other);
    let meta = format!("{{\"filename\":\"licence.jpg\",\"sha256\":\"{SHA256}\"}}");
    assert_eq!(call.signed_instead_of_body().unwrap(), meta.as_bytes());
    assert_eq!(call.content_type(), format!("multipart/form-data; boundary={SHA256}"));
    let expected = [
        format!("--{SHA256}\r\n").as_bytes(),
        b"Content-Disposition: form-data; name=\"meta\"\r\nContent-Type: application/json\r\n\r\n",
        meta.as_bytes(),
        format!("\r\n--{SHA256}\r\n").as_bytes(),
        b"Content-Disposition: form-data; name=\"file\"; filename=\"licence.jpg\"\r\n",
        b"Content-Type: image/jpeg\r\n\r\n",
        b"\xff\xd8",
        format!("\r\n--{SHA256}--\r\n").as_bytes(),
    ]
    .concat();
    assert_eq!(call.body().unwrap(), expected);
    // Other calls are signed by their body.
    let other = AnyCall::new("POST", "/v3/x").unwrap().json(&1).unwrap();
    assert_eq!((other.signed_instead_of_body(), other.content_type()), (None, "application/json"));
}

#[test]
fn what_would_break_the_body_is_refused() {
    fn upload(filename: &str, content_type: &str) -> Result<AnyCall, InvalidField> {
        AnyCall::upload(PATH, &file(filename, content_type))
    }
    assert!(upload("营业执照.jpg", "image/svg+xml").is_ok());
    let characters = |allowed| Rule::Characters { allowed };
    for filename in ["a\"b.jpg", "a\r\nb.jpg", "../a.jpg", "a\\b.jpg"] {
        let allowed = "those of a plain file name (no quotes, slashes, control characters)";
        assert_invalid(upload(filename, "image/jpeg"), "filename", &characters(allowed));
    }
    let length = |chars| Rule::Length { chars, min: 1, max: 128 };
    assert_invalid(upload("", "image/jpeg"), "filename", &length(0));
    assert_invalid(upload(&"x".repeat(129), "image/jpeg"), "filename", &length(129));
    for content_type in ["", "image", "image/", "/jpeg", "image/jpeg; a=b", "image/jpeg\r\nX: y"] {
        let allowed = "those of a media type such as image/jpeg";
        assert_invalid(upload("a.jpg", content_type), "content_type", &characters(allowed));
    }
    assert_invalid(AnyCall::upload("v3", &file("a.jpg", "image/jpeg")), "path and query", &Rule::Target);
}
