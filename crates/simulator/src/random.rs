//! Random texts of the shapes that WeChat uses, from an injected source.

use rand::Rng;
use rand::distr::Alphanumeric;

/// `count` decimal digits.
pub(crate) fn digits(rng: &mut impl Rng, count: usize) -> String {
    (0..count).map(|_| char::from(rng.random_range(b'0'..=b'9'))).collect()
}

/// `count` letters and digits.
pub(crate) fn alphanumeric(rng: &mut impl Rng, count: usize) -> String {
    (0..count).map(|_| char::from(rng.sample(Alphanumeric))).collect()
}

/// 36 characters of a UUID's shape, as a notification's `id` has.
pub(crate) fn uuid(rng: &mut impl Rng) -> String {
    let hex = format!("{:032x}", rng.random::<u128>());
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// A letter or digit other than `old`.
pub(crate) fn other_alphanumeric(rng: &mut impl Rng, old: u8) -> char {
    loop {
        let new = rng.sample(Alphanumeric);
        if new != old {
            return char::from(new);
        }
    }
}

/// `count` lower-case hex digits.
pub(crate) fn hex(rng: &mut impl Rng, count: usize) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    (0..count).map(|_| char::from(DIGITS[rng.random_range(0..DIGITS.len())])).collect()
}

/// A merchant number.
pub(crate) fn mchid(rng: &mut impl Rng) -> String {
    format!("19{}", digits(rng, 8))
}

/// An app's id.
pub(crate) fn appid(rng: &mut impl Rng) -> String {
    format!("wx{:016x}", rng.random::<u64>())
}
