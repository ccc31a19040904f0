//! Which of what a rule fits it hits: the nth, every nth, so many in a hundred, so often at the most.
//!
//! Invariant: whether a throw hits depends on the seed, the rule, the thing and its attempt alone.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde::{Deserialize, Serialize};

/// Which of those that fit.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Draw {
    pub(super) nth: Option<NonZeroU32>,
    pub(super) every: Option<NonZeroU32>,
    pub(super) percent: Option<u8>,
    pub(super) times: Option<NonZeroU32>,
}

/// A rule with its count.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Counted<R> {
    pub(crate) name: String,
    pub(crate) rule: R,
    /// The how-many-th of those that fit each thing was.
    seen: BTreeMap<u64, u32>,
    /// How often it struck.
    pub(crate) hits: u32,
}

impl<R> Counted<R> {
    pub(super) fn new(name: String, rule: R) -> Self {
        Self { name, rule, seen: BTreeMap::new(), hits: 0 }
    }

    /// How many things it fitted so far.
    pub(crate) fn fitted(&self) -> usize {
        self.seen.len()
    }

    /// Whether it strikes a thing that fits; counts it.
    pub(super) fn strikes(&mut self, draw: Draw, seed: u64, thing: u64, attempt: u32) -> bool {
        let next = u32::try_from(self.seen.len()).unwrap_or(u32::MAX).saturating_add(1);
        let ordinal = *self.seen.entry(thing).or_insert(next);
        let is_hit = draw.nth.is_none_or(|nth| ordinal == nth.get())
            && draw.every.is_none_or(|every| ordinal.is_multiple_of(every.get()))
            && draw.percent.is_none_or(|percent| self.throw(seed, thing, attempt) < percent)
            && draw.times.is_none_or(|times| self.hits < times.get());
        self.hits += u32::from(is_hit);
        is_hit
    }

    /// 0 to 99.
    fn throw(&self, seed: u64, thing: u64, attempt: u32) -> u8 {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&thing.to_le_bytes());
        bytes[16..20].copy_from_slice(&attempt.to_le_bytes());
        for (place, byte) in self.name.bytes().enumerate() {
            bytes[20 + place % 12] ^= byte;
        }
        StdRng::from_seed(bytes).random_range(0..100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(draw: Draw, seed: u64) -> Vec<u64> {
        let mut rule = Counted::new("late-1".to_owned(), ());
        (1..=1000).filter(|thing| rule.strikes(draw, seed, *thing, 1)).collect()
    }

    #[test]
    fn a_rule_hits_which_it_says() {
        let (two, three) = (NonZeroU32::new(2), NonZeroU32::new(3));
        assert_eq!(hits(Draw { nth: three, ..Draw::default() }, 1), [3]);
        assert_eq!(hits(Draw { every: three, times: two, ..Draw::default() }, 1), [3, 6]);
        assert_eq!(hits(Draw::default(), 1).len(), 1000);
    }

    #[test]
    fn dice_fall_by_the_seed() {
        let draw = Draw { percent: Some(30), ..Draw::default() };
        let one = hits(draw, 1);
        assert_eq!(one, hits(draw, 1));
        assert_ne!(one, hits(draw, 2));
        assert!((250..350).contains(&one.len()), "{}", one.len());
    }

    #[test]
    fn a_thing_keeps_its_place_over_its_attempts() {
        let mut rule = Counted::new("late-1".to_owned(), ());
        let draw = Draw { nth: NonZeroU32::new(2), ..Draw::default() };
        let struck = [(7, 1), (8, 1), (7, 2), (8, 2), (9, 1)]
            .map(|(thing, attempt)| rule.strikes(draw, 1, thing, attempt));
        assert_eq!(struck, [false, true, false, true, false]);
    }
}
