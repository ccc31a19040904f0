//! Every kind of mischief is refused by `wechatpay`, each for its own reason, and a changed amount is not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use payonce_simulator::{Mischief, Tampering};
use wechatpay::VerifyError;

use crate::fixture::{AMOUNT_FEN, Refusal, copy, receive, signer};
use crate::genuine::transaction;

/// Copies of each kind: mischief strikes at a random place, so one is not enough.
const COPIES: usize = 100;

#[test]
fn every_mischief_is_refused_for_its_own_reason() {
    let signer = signer(1);
    for mischief in Mischief::REFUSED {
        assert!(mischief.must_be_refused());
        for number in 0..COPIES {
            let refusal = receive(&signer, &copy(&signer, number, Some(mischief))).unwrap_err();
            assert!(is_expected(mischief, &refusal), "{mischief:?} {number}: {refusal:?}");
        }
    }
}

fn is_expected(mischief: Mischief, refusal: &Refusal) -> bool {
    use Tampering::{BodyByte, NonceByte, SignatureByte, SignatureProbe, TimestampByte, UnknownSerial};
    let Refusal::Verify(error) = refusal else { return false };
    match mischief {
        Mischief::Tampered(BodyByte | SignatureByte | NonceByte) => {
            matches!(error, VerifyError::SignatureMismatch)
        }
        // The higher digits move the timestamp out of the window, which is looked at first.
        Mischief::Tampered(TimestampByte) => {
            matches!(error, VerifyError::SignatureMismatch | VerifyError::StaleTimestamp { .. })
        }
        Mischief::Tampered(UnknownSerial) => matches!(error, VerifyError::UnknownSerial { .. }),
        Mischief::Tampered(SignatureProbe) => matches!(error, VerifyError::SignatureProbe),
        Mischief::Replayed => matches!(error, VerifyError::StaleTimestamp { .. }),
        Mischief::AmountChanged => false,
    }
}

#[test]
fn a_changed_amount_is_signed_genuinely_and_opens_to_another_amount() {
    let signer = signer(1);
    assert!(!Mischief::AmountChanged.must_be_refused());
    let opened = receive(&signer, &copy(&signer, 0, Some(Mischief::AmountChanged))).unwrap();
    assert_eq!(opened.id, signer.notifications[0].id());
    let transaction = transaction(&opened);
    let seen = transaction.payment().unwrap();
    assert_eq!(seen.transaction_id, signer.notifications[0].payment().transaction_id);
    assert_ne!(seen.total.get(), AMOUNT_FEN);
    assert_eq!(transaction.amount.as_ref().unwrap().payer_total, Some(seen.total));
}

/// WeChat's own probes are too long to be base64, which has brought SDKs down; and nobody may take what stands behind.
#[test]
fn a_probe_does_not_even_decode_and_is_nothing_without_its_beginning() {
    let signer = signer(1);
    for number in 0..COPIES {
        let genuine = copy(&signer, number, None);
        let probe = copy(&signer, number, Some(Mischief::Tampered(Tampering::SignatureProbe)));
        let [genuine, probe] = [&genuine, &probe].map(|copy| copy.headers()[3].1.to_owned());
        assert!(STANDARD.decode(&probe).is_err(), "{probe}");
        let rest = probe.strip_prefix("WECHATPAY/SIGNTEST/").unwrap();
        assert_eq!(rest.len(), genuine.len());
        assert_ne!(STANDARD.decode(rest).unwrap(), STANDARD.decode(&genuine).unwrap());
    }
}
