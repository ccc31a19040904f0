//! Signature headers that are not as WeChat sends them.

use wechatpay::{HeaderError, headers};

use crate::fixture::{NOW, Sent, platform_keys};

fn refused(sent: &Sent) -> HeaderError {
    sent.parse().unwrap_err()
}

#[test]
fn trap_header_in_another_case_and_among_others() {
    let mut sent = Sent::signed("{}");
    sent.headers.insert(0, ("Host".to_owned(), b"localhost".to_vec()));
    sent.headers.push(("X-Binary".to_owned(), vec![0xff, 0x00]));
    for case in [str::to_ascii_uppercase, str::to_ascii_lowercase] {
        sent.headers.iter_mut().for_each(|(name, _)| *name = case(name));
        sent.verify(&platform_keys(), NOW).unwrap();
    }
}

#[test]
fn trap_header_absent_is_not_verification_skipped() {
    for header in headers::ALL {
        let mut sent = Sent::signed("{}");
        sent.headers.retain(|(name, _)| name != header);
        if *header == headers::SIGNATURE_TYPE {
            sent.verify(&platform_keys(), NOW).unwrap();
        } else {
            assert_eq!(refused(&sent), HeaderError::Missing { header });
        }
    }
}

#[test]
fn trap_header_doubled_even_with_the_same_value_or_in_another_case() {
    for (index, header) in headers::ALL.iter().enumerate() {
        let mut sent = Sent::signed("{}");
        let (name, value) = sent.headers[index].clone();
        sent.headers.push((name.to_ascii_uppercase(), value));
        assert_eq!(refused(&sent), HeaderError::Repeated { header });
    }
}

#[test]
fn trap_header_empty() {
    for header in headers::ALL {
        assert_eq!(refused(&Sent::signed("{}").with(header, "")), HeaderError::Empty { header });
    }
}

#[test]
fn oversized_is_refused_one_byte_above_the_limit() {
    for (header, len_max) in headers::ALL.iter().zip([18, 128, 1536, 128, 64]) {
        let sized = |len: usize| Sent::signed("{}").with(header, &"7".repeat(len));
        assert!(sized(len_max).parse().is_ok(), "{header}");
        let len = len_max + 1;
        assert_eq!(refused(&sized(len)), HeaderError::Oversized { header, len, len_max });
    }
}

#[test]
fn trap_header_has_spaces_controls_or_anything_beyond_ascii() {
    for header in headers::ALL {
        for bad in [&b" "[..], b"\t", b"\n", b"\r", b"\0", b"\x7f", b"\x80", "１".as_bytes()] {
            let mut sent = Sent::signed("{}");
            for position in [0, 1, sent.header_mut(header).len()] {
                let mut sent = sent.clone();
                sent.header_mut(header).splice(position..position, bad.iter().copied());
                let error = refused(&sent);
                assert!(
                    matches!(error, HeaderError::NotAscii { header: named } if named == *header),
                    "{error:?}"
                );
            }
        }
    }
}

#[test]
fn trap_timestamp_that_is_no_number_is_not_0() {
    for text in ["-1", "+1750000000", "1.75e9", "1750000000.0", "0x10", "now", "1_750_000_000"] {
        let sent = Sent::signed("{}").with(headers::TIMESTAMP, text);
        assert_eq!(refused(&sent), HeaderError::MalformedTimestamp, "{text}");
    }
}
