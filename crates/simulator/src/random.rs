//! Random texts of the shapes that WeChat uses, from an injected source.

use rand::distr::Alphanumeric;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng as _};

/// What a seed is used for. Each use has a stream of its own, so that none moves the others on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stream {
    /// What happens: numbers of orders, payments and refunds, openids, tickets.
    Books,
    /// How it is answered: nonces, and which key signs.
    Answers,
    /// Merchants that are made up, and their secrets.
    Keys,
}

/// The beginning of a stream.
pub(crate) fn stream(seed: u64, stream: Stream) -> StdRng {
    let apart = match stream {
        Stream::Books => 0,
        Stream::Answers => 0x616e_7377_6572_7321,
        Stream::Keys => 0x6b65_7973_6b65_7973,
    };
    StdRng::seed_from_u64(seed ^ apart)
}

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
