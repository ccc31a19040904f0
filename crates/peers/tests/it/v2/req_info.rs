//! `req_info` of refund notices: they open what is sealed as WeChat Pay seals it, we open what they seal.

use aws_lc_rs::cipher::{AES_256, PaddedBlockEncryptingKey, UnboundCipherKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use serde_json::json;
use wechatpay::v2::{Callback, OpenError};

use crate::fixture::{INPUTS, Parties, checks};
use crate::generate;

/// Bytes of a block of AES.
const BLOCK: usize = 16;

checks! {
    WechatpayAxiosPlugin in wechatpay_axios_plugin {
        what_is_sealed_as_wechat_pay_does_is_opened,
        what_they_seal_is_opened,
        whole_blocks_without_padding_are_refused,
        a_refund_notice_of_theirs_is_opened,
    }
}

fn what_is_sealed_as_wechat_pay_does_is_opened(parties: &mut Parties) {
    for number in 0..INPUTS {
        let text = generate::text(&mut parties.rng, 1 + number);
        let sealed = seal(&parties.apiv2_key, &text);
        assert_eq!(parties.apiv2_key().open_req_info(&sealed).unwrap(), text);
        assert_eq!(parties.ask_text("v2_open", json!({ "sealed": sealed })), text);
    }
}

fn what_they_seal_is_opened(parties: &mut Parties) {
    let key = parties.apiv2_key();
    for number in 0..INPUTS {
        let text = not_whole_blocks(generate::text(&mut parties.rng, number));
        let sealed = parties.ask_text("v2_seal", json!({ "text": text }));
        assert_eq!(key.open_req_info(&sealed).unwrap(), text);
        assert_eq!(sealed, seal(&parties.apiv2_key, &text));
    }
}

/// To whole blocks PKCS#7 adds one, without which an end that looks like padding would be lost. The SDK adds none.
fn whole_blocks_without_padding_are_refused(parties: &mut Parties) {
    let key = parties.apiv2_key();
    for blocks in 1..4 {
        let text = "x".repeat(blocks * BLOCK);
        let sealed = parties.ask_text("v2_seal", json!({ "text": text }));
        assert_eq!(
            STANDARD.decode(&sealed).unwrap().len(),
            text.len(),
            "the SDK pads by now: we should open it"
        );
        assert!(matches!(key.open_req_info(&sealed), Err(OpenError::WrongKey)));
        assert_eq!(parties.ask_text("v2_open", json!({ "sealed": sealed })), text);
    }
}

fn a_refund_notice_of_theirs_is_opened(parties: &mut Parties) {
    for number in 0..INPUTS {
        let account = generate::text(&mut parties.rng, number).replace(['&', '<', '>'], "").trim().to_owned();
        let inner = format!(
            "<root>\n<out_refund_no><![CDATA[R{number}]]></out_refund_no>\n<out_trade_no><![CDATA[A1]]></out_trade_no>\n\
             <refund_account><![CDATA[REFUND_SOURCE_RECHARGE_FUNDS]]></refund_account>\n\
             <refund_fee><![CDATA[{number}]]></refund_fee>\n<refund_id><![CDATA[50]]></refund_id>\n\
             <refund_recv_accout><![CDATA[{account}]]></refund_recv_accout>\n\
             <refund_status><![CDATA[SUCCESS]]></refund_status>\n<total_fee><![CDATA[100]]></total_fee>\n\
             <transaction_id><![CDATA[42]]></transaction_id>\n</root>"
        );
        let req_info = parties.ask_text("v2_seal", json!({ "text": not_whole_blocks(inner) }));
        let outer = json!({
            "return_code": "SUCCESS", "appid": parties.merchant.appid(), "mch_id": parties.merchant.mchid(),
            "nonce_str": parties.nonce(), "req_info": req_info,
        });
        let xml = parties.ask_text("v2_write", json!({ "fields": outer }));

        let Callback::Sealed(sealed) = Callback::parse(xml.as_bytes()).unwrap() else { panic!("{xml}") };
        let refund = sealed.open(&parties.apiv2_key()).unwrap();
        assert_eq!(refund.out_refund_no, format!("R{number}"));
        assert_eq!(refund.refund_fee.get(), i64::try_from(number).unwrap());
        assert_eq!(refund.refund_recv_account.unwrap_or_default(), account);
        assert_eq!(refund.unverified_mch_id.as_deref(), Some(parties.merchant.mchid()));
    }
}

/// What the SDK seals as everyone does: with white space behind where need be, which XML passes over.
fn not_whole_blocks(mut text: String) -> String {
    if text.len().is_multiple_of(BLOCK) {
        text.push('\n');
    }
    text
}

fn seal(apiv2_key: &str, text: &str) -> String {
    let digest: String = Md5::digest(apiv2_key).iter().map(|byte| format!("{byte:02x}")).collect();
    let key = UnboundCipherKey::new(&AES_256, digest.as_bytes()).unwrap();
    let mut sealed = text.as_bytes().to_vec();
    PaddedBlockEncryptingKey::ecb_pkcs7(key).unwrap().encrypt(&mut sealed).unwrap();
    STANDARD.encode(sealed)
}
