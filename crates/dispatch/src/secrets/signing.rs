//! Signs calls by the Standard Webhooks scheme.
//!
//! Three headers: `webhook-id`, the message's id, the same at every attempt; `webhook-timestamp`, seconds of the attempt;
//! `webhook-signature`, one signature for each key that signs at that time, separated by spaces. HMAC comes from the
//! published crate `standardwebhooks`, ed25519 from aws-lc-rs, because that crate has none. Invariant: what is signed is the
//! message's bytes as they are sent. Deliberately absent: other headers, and the clock.

use payonce_core::{UnixMillis, store::MessageView};

use crate::secrets::Secrets;

/// The header with the message's id.
pub const WEBHOOK_ID: &str = "webhook-id";
/// The header with the time of the attempt, in seconds since the epoch.
pub const WEBHOOK_TIMESTAMP: &str = "webhook-timestamp";
/// The header with the signatures.
pub const WEBHOOK_SIGNATURE: &str = "webhook-signature";

/// What is added to a call so that its receiver can verify it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Seconds since the epoch: the value of [`WEBHOOK_TIMESTAMP`].
    pub seconds: i64,
    /// The value of [`WEBHOOK_SIGNATURE`]; empty if no key signs.
    pub value: String,
}

impl Secrets {
    /// Signs a message with each key that signs now.
    #[must_use]
    pub fn sign(&self, message: &MessageView, now: UnixMillis) -> Signature {
        let seconds = now.seconds();
        let signers = self.signing().iter().filter(|signer| signer.signs_at(now));
        let signatures = signers.map(|signer| signer.key.sign(&message.id.0, seconds, &message.body));
        Signature { seconds, value: signatures.collect::<Vec<_>>().join(" ") }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use http::HeaderMap;
    use payonce_core::{Clock as _, SystemClock, message::MessageId, store::Position};
    use rand::{SeedableRng as _, rngs::StdRng};
    use standardwebhooks::Webhook;

    use super::*;
    use crate::secrets::{Algorithm, Signer, SigningKey};

    fn message(id: &str, body: &str) -> MessageView {
        MessageView {
            position: Position(1),
            id: MessageId(id.to_owned()),
            kind: "payment.succeeded".to_owned(),
            body: body.to_owned(),
            created_at: UnixMillis(0),
        }
    }

    fn secrets(keys: impl IntoIterator<Item = SigningKey>) -> Secrets {
        Secrets::new(keys.into_iter().map(Signer::lasting).collect(), vec![], None).expect("secrets")
    }

    fn generated(algorithm: Algorithm, seed: u64) -> SigningKey {
        SigningKey::generate(algorithm, &mut StdRng::seed_from_u64(seed))
    }

    fn verifies(key: &SigningKey, message: &MessageView, signature: &Signature) -> bool {
        let mut headers = HeaderMap::new();
        let Signature { seconds, value } = signature;
        let said = [
            (WEBHOOK_ID, message.id.0.clone()),
            (WEBHOOK_TIMESTAMP, seconds.to_string()),
            (WEBHOOK_SIGNATURE, value.clone()),
        ];
        for (name, value) in said {
            headers.insert(name, value.parse().expect("a value"));
        }
        let webhook = Webhook::new(&key.secret_text()).expect("a secret");
        webhook.verify(message.body.as_bytes(), &headers).is_ok()
    }

    fn verifies_publicly(key: &SigningKey, message: &MessageView, signature: &Signature) -> bool {
        let text = key.public_text().expect("a public half");
        let public = STANDARD.decode(text.strip_prefix("whpk_").expect("whpk_")).expect("Base64");
        let content = format!("{}.{}.{}", message.id.0, signature.seconds, message.body);
        let signatures = signature.value.split(' ').filter_map(|one| one.strip_prefix("v1a,"));
        signatures
            .map(|one| STANDARD.decode(one).expect("Base64"))
            .any(|one| UnparsedPublicKey::new(&ED25519, &public).verify(content.as_bytes(), &one).is_ok())
    }

    /// The example that libraries of Standard Webhooks have in common.
    #[test]
    fn the_published_example_comes_out_the_same() {
        let key = SigningKey::parse("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").expect("a key");
        let message = message(
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            r#"{"email":"test@example.com","username":"test_user"}"#,
        );
        let signature = secrets([key]).sign(&message, UnixMillis(1_649_367_553_999));
        assert_eq!(signature.seconds, 1_649_367_553);
        assert_eq!(signature.value, "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
    }

    /// The example of ed25519 that goes with it.
    #[test]
    fn the_published_example_of_ed25519_comes_out_the_same() {
        let text =
            "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
        let key = SigningKey::parse(text).expect("a key");
        assert_eq!(key.secret_text(), text);
        let public = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
        assert_eq!(key.public_text().as_deref(), Some(public));
        let message = message("msg_p5jXN8AQM9LWM0D4loKWxJek", r#"{"test": 2432232314}"#);
        let signature = secrets([key]).sign(&message, UnixMillis(1_614_265_330_000));
        let expected =
            "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";
        assert_eq!(signature.value, expected);
    }

    #[test]
    fn during_a_rotation_the_old_and_the_new_key_verify_and_then_the_new_one_alone() {
        let (old, new) = (generated(Algorithm::Hmac, 1), generated(Algorithm::Hmac, 2));
        let now = SystemClock.now();
        let ends = secrets([old.clone()]).rotate(new.clone(), Duration::from_secs(60), now);
        let ends = ends.expect("secrets");
        let message = message("order:1:2:3", r#"{"店":"茶"}"#);
        let during = ends.sign(&message, now);
        assert!(verifies(&old, &message, &during) && verifies(&new, &message, &during));
        let after = ends.sign(&message, UnixMillis(now.0 + 60_000));
        assert!(!verifies(&old, &message, &after) && verifies(&new, &message, &after));
    }

    #[test]
    fn both_algorithms_sign_side_by_side_and_a_changed_byte_does_not_verify() {
        let (shared, private) = (generated(Algorithm::Hmac, 1), generated(Algorithm::Ed25519, 2));
        let sent = message("order:1:2:3", r#"{"total":100}"#);
        let signature = secrets([shared.clone(), private.clone()]).sign(&sent, SystemClock.now());
        let kinds: Vec<_> =
            signature.value.split(' ').filter_map(|one| Some(one.split_once(',')?.0)).collect();
        assert_eq!(kinds, ["v1", "v1a"]);
        assert!(verifies(&shared, &sent, &signature) && verifies_publicly(&private, &sent, &signature));
        for changed in [message("order:1:2:3", r#"{"total":101}"#), message("order:1:2:4", &sent.body)] {
            assert!(!verifies(&shared, &changed, &signature));
            assert!(!verifies_publicly(&private, &changed, &signature));
        }
    }

    #[test]
    fn without_a_key_nothing_is_signed() {
        let signature = Secrets::default().sign(&message("a", "b"), UnixMillis(-1));
        assert_eq!(signature, Signature { seconds: -1, value: String::new() });
    }
}
