//! Every kind of mischief is refused by `wechatpay`, each for its own reason, and a changed amount is not.

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
