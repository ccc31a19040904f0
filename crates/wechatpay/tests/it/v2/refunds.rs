//! Refund notices: opened, which is less than verified.

use wechatpay::v2::{ApiV2Key, Callback, FieldError, OpenError, OpenedRefund, write_xml};
use wechatpay::{Fen, UnixSeconds};

use super::{key, of, of_json, other_key, vector};
use crate::fixture::vectors;

fn open(body: &str, key: &ApiV2Key) -> Result<OpenedRefund, OpenError> {
    let Ok(Callback::Sealed(callback)) = Callback::parse(body.as_bytes()) else { panic!("{body}") };
    callback.open(key)
}

fn sealed(req_info: &str) -> String {
    write_xml(&of([("return_code", "SUCCESS"), ("req_info", req_info)])).unwrap()
}

/// AES-256-ECB with PKCS#7 under the test's key.
fn seal(plaintext: &[u8]) -> String {
    use aws_lc_rs::cipher::{AES_256, PaddedBlockEncryptingKey, UnboundCipherKey};
    use base64::Engine as _;
    use md5::{Digest as _, Md5};
    let digest = Md5::digest(vectors("v2")["apiv2_key"].as_str().unwrap());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let key = UnboundCipherKey::new(&AES_256, hex.as_bytes()).unwrap();
    let mut buffer = plaintext.to_vec();
    PaddedBlockEncryptingKey::ecb_pkcs7(key).unwrap().encrypt(&mut buffer).unwrap();
    base64::engine::general_purpose::STANDARD.encode(buffer)
}

#[test]
fn every_vector() {
    let all = vectors("v2");
    let all = all["refunds"].as_array().unwrap();
    assert_eq!(all.len(), 3);
    for vector in all {
        let (name, body) = (&vector["name"], vector["body"].as_str().unwrap());
        let refund = open(body, &key()).unwrap();
        let json: serde_json::Value = serde_json::from_str(&refund.fields.to_json()).unwrap();
        assert_eq!(json, vector["fields"], "{name}");
        assert_eq!(refund.unverified_mch_id.as_deref(), Some("1900000001"), "{name}");
        assert_eq!(refund.unverified_appid.as_deref(), Some("wx0123456789abcdef"), "{name}");
        assert_eq!(open(body, &other_key()).unwrap_err(), OpenError::WrongKey, "{name}");
        let plaintext = vector["plaintext"].as_str().unwrap();
        assert_eq!(
            open(&sealed(&seal(plaintext.as_bytes())), &key()).unwrap().fields,
            refund.fields,
            "{name}"
        );
    }
}

#[test]
fn refund_has_every_field() {
    let refund = open(vector("refunds", "ordinary")["body"].as_str().unwrap(), &key()).unwrap();
    let fen = |fen| Some(Fen::new(fen).unwrap());
    assert_eq!(refund.transaction_id, "4200000000202506150000000001");
    assert_eq!((refund.out_trade_no.as_str(), refund.out_refund_no.as_str()), ("payonce-0001", "r1"));
    assert_eq!(refund.refund_id, "50000000000001");
    assert_eq!((Some(refund.total_fee), refund.settlement_total_fee), (fen(100), fen(95)));
    assert_eq!((Some(refund.refund_fee), refund.settlement_refund_fee), (fen(40), fen(35)));
    assert_eq!(refund.cash_refund_fee, fen(30));
    assert_eq!(
        (refund.refund_status.as_str(), refund.refunded_at()),
        ("SUCCESS", Some(UnixSeconds(1_750_000_000)))
    );
    assert_eq!(refund.refund_recv_account.as_deref(), Some("招商银行信用卡0403"));
    assert_eq!(refund.refund_account.as_deref(), Some("REFUND_SOURCE_UNSETTLED_FUNDS"));
    assert_eq!(refund.refund_request_source.as_deref(), Some("API"));
    assert_eq!(refund.dedupe_id(), "v2/refund/50000000000001/SUCCESS");
    assert!(!format!("{refund:?}").contains("招商银行"));
    let abnormal = open(vector("refunds", "abnormal")["body"].as_str().unwrap(), &key()).unwrap();
    assert_eq!(
        (abnormal.dedupe_id().as_str(), abnormal.refunded_at()),
        ("v2/refund/50000000000001/CHANGE", None)
    );
}

/// As a payment's: see `notices`.
#[test]
fn a_dedupe_id_fits_whatever_number_and_status() {
    let id = |number: &str, status: &str| {
        let mut fields = of_json(&vector("refunds", "ordinary")["fields"]);
        fields.insert("refund_id", number);
        fields.insert("refund_status", status);
        let inner = write_xml(&fields).unwrap().replace("<xml>", "<root>").replace("</xml>", "</root>");
        open(&sealed(&seal(inner.as_bytes())), &key()).unwrap().dedupe_id()
    };
    let long = "5".repeat(64);
    let odd = [id(&long, "SUCCESS"), id(&long, "CHANGE"), id("5", "成功"), id("5 0", "SUCCESS")];
    for id in &odd {
        assert!(id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_graphic()), "{id}");
        assert_eq!(odd.iter().filter(|other| *other == id).count(), 1, "{id}");
    }
}

/// The known answer of the protocol's description.
#[test]
fn known_answer() {
    let key = ApiV2Key::new("192006250b4c09247ec02edce69f6a2d").unwrap();
    let req_info = "bDP/xixH0hFEaZusu714U7rO4wZDF5SwkOt7MIFNUaladrdy0yQefoW3LYmmUmF3r7t23yZjibKV29fZKVgeUQ==";
    let plaintext = "<root><refund_status><![CDATA[SUCCESS]]></refund_status></root>";
    assert_eq!(key.open_req_info(req_info).as_deref(), Ok(plaintext));
    let missing = OpenError::Malformed(FieldError::Missing { field: "transaction_id".to_owned() });
    assert_eq!(open(&sealed(req_info), &key).unwrap_err(), missing);
    assert!(OpenError::WrongKey.is_key_fault() && !missing.is_key_fault());
}

/// Whatever is wrong inside, the answer is the same.
#[test]
fn table_of_what_does_not_open() {
    let wrong_key = [
        seal(b""),
        seal(b"{\"a\":3}"),
        seal(b"\xff\xfe<root></root>"),
        seal(b"<xml></xml>"),
        seal(b"<!DOCTYPE root [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><root><a>&a;</a></root>"),
        seal(b"<root><a>1</a><a>2</a></root>"),
        "AAAAAAAAAAAAAAAAAAAAAA==".to_owned(), // one block, whose padding is no padding
        "AAAA".to_owned(),                     // no whole block
    ];
    for req_info in wrong_key {
        assert_eq!(open(&sealed(&req_info), &key()).unwrap_err(), OpenError::WrongKey, "{req_info}");
    }
    for req_info in ["!", "AAA", "AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAB==", " AAAA", "桌"] {
        assert_eq!(open(&sealed(req_info), &key()).unwrap_err(), OpenError::NotBase64, "{req_info}");
    }
}

#[test]
fn what_opens_but_is_no_refund_is_refused_by_name() {
    let ordinary = of_json(&vector("refunds", "ordinary")["fields"]);
    let opened = |fields: &wechatpay::v2::Fields| {
        let inner: String = fields.iter().map(|(name, value)| format!("<{name}>{value}</{name}>")).collect();
        open(&sealed(&seal(format!("<root>{inner}</root>").as_bytes())), &key())
    };
    opened(&ordinary).unwrap();
    for field in [
        "transaction_id",
        "out_trade_no",
        "refund_id",
        "out_refund_no",
        "total_fee",
        "refund_fee",
        "refund_status",
    ] {
        let mut fields = ordinary.clone();
        fields.insert(field, "");
        assert_eq!(opened(&fields).unwrap_err(), FieldError::Missing { field: field.to_owned() }.into());
    }
    let mut fields = ordinary.clone();
    fields.insert("refund_fee", "0.40");
    let error = opened(&fields).unwrap_err();
    assert_eq!(error, FieldError::NotANumber { field: "refund_fee".to_owned() }.into());
    assert!(!error.to_string().contains("0.40"), "{error}");
}
