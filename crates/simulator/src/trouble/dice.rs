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

/// What dice are thrown for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Thing {
    /// A notice keeps its place among those that fit over all its attempts.
    Notice { number: u64, attempt: u32 },
    /// A call is made once.
    Call { number: u64 },
}

/// A rule with its count.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Counted<R> {
    pub(crate) name: String,
    pub(crate) rule: R,
    /// The how-many-th of those that fit each notice was.
    seen: BTreeMap<u64, u32>,
    /// How many things it fitted.
    pub(crate) fitted: u32,
    /// How often it struck.
    pub(crate) hits: u32,
}

impl<R> Counted<R> {
    pub(super) fn new(name: String, rule: R) -> Self {
        Self { name, rule, seen: BTreeMap::new(), fitted: 0, hits: 0 }
    }

    /// Whether it strikes a thing that fits; counts it.
    pub(super) fn strikes(&mut self, draw: Draw, seed: u64, thing: Thing) -> bool {
        let ordinal = self.ordinal(thing);
        let is_hit = draw.nth.is_none_or(|nth| ordinal == nth.get())
            && draw.every.is_none_or(|every| ordinal.is_multiple_of(every.get()))
            && draw.percent.is_none_or(|percent| self.throw(seed, thing) < percent)
            && draw.times.is_none_or(|times| self.hits < times.get());
        self.hits += u32::from(is_hit);
        is_hit
    }

    /// The how-many-th of those that fit it is.
    fn ordinal(&mut self, thing: Thing) -> u32 {
        let next = self.fitted.saturating_add(1);
        let ordinal = match thing {
            Thing::Notice { number, .. } => *self.seen.entry(number).or_insert(next),
            Thing::Call { .. } => next,
        };
        self.fitted = self.fitted.max(ordinal);
        ordinal
    }

    /// 0 to 99.
    fn throw(&self, seed: u64, thing: Thing) -> u8 {
        let (number, attempt) = match thing {
            Thing::Notice { number, attempt } => (number, attempt),
            Thing::Call { number } => (number, 1),
        };
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&number.to_le_bytes());
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
        (1..=1000).filter(|number| rule.strikes(draw, seed, Thing::Call { number: *number })).collect()
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

    /// A simulation that runs for long does not grow by them.
    #[test]
    fn calls_are_counted_and_not_kept() {
        let mut rule = Counted::new("late-1".to_owned(), ());
        for number in 1..=3 {
            rule.strikes(Draw::default(), 1, Thing::Call { number });
        }
        assert_eq!((rule.fitted, rule.hits, rule.seen.len()), (3, 3, 0));
    }

    #[test]
    fn a_thing_keeps_its_place_over_its_attempts() {
        let mut rule = Counted::new("late-1".to_owned(), ());
        let draw = Draw { nth: NonZeroU32::new(2), ..Draw::default() };
        let struck = [(7, 1), (8, 1), (7, 2), (8, 2), (9, 1)]
            .map(|(number, attempt)| rule.strikes(draw, 1, Thing::Notice { number, attempt }));
        assert_eq!(struck, [false, true, false, true, false]);
        assert_eq!(rule.fitted, 3);
    }
}
