//! Any resource, sealed as WeChat seals: what the simulator does not send itself.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use payonce_simulator::Merchant;
use serde_json::Value;

const NONCE: &str = "0123456789ab";

/// Puts another resource into an envelope.
pub(crate) fn seal_into(envelope: &mut Value, resource: &Value, merchant: &Merchant) {
    let key = UnboundKey::new(&AES_256_GCM, merchant.apiv3_key().as_bytes()).unwrap();
    let nonce = Nonce::try_assume_unique_for_key(NONCE.as_bytes()).unwrap();
    let mut sealed = resource.to_string().into_bytes();
    let associated_data = envelope["resource"]["associated_data"].as_str().unwrap();
    let aad = Aad::from(associated_data.as_bytes());
    LessSafeKey::new(key).seal_in_place_append_tag(nonce, aad, &mut sealed).unwrap();
    envelope["resource"]["nonce"] = NONCE.into();
    envelope["resource"]["ciphertext"] = BASE64_STANDARD.encode(sealed).into();
}
