//! Which copies are sent, in which order, and what is wrong with them: a function of the plan and its seed.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};

use crate::Mischief;

/// The shape of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How many notifications there are.
    pub payments: usize,
    /// How many genuine copies of each are sent.
    pub copies: usize,
    /// How many copies that must be refused come on top, in percent of all genuine copies.
    pub tampered_percent: u32,
    /// Each copy is held back by a random time up to this.
    pub delay_max: Duration,
    /// Names the run: equal plans make equal deliveries.
    pub seed: u64,
}

/// One copy to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Tells this delivery from every other of its run; in a [`Plan`] its place in the order of sending.
    pub number: usize,
    /// Which notification it copies (index).
    pub notification: usize,
    /// What is wrong with it.
    pub mischief: Option<Mischief>,
    /// How long after the start it is sent at the earliest.
    pub delay: Duration,
}

impl Delivery {
    /// A genuine copy, sent without delay.
    #[must_use]
    pub fn genuine(number: usize, notification: usize) -> Self {
        Self { number, notification, mischief: None, delay: Duration::ZERO }
    }

    /// Whether the receiver has to refuse it. WeChat resends only the others.
    #[must_use]
    pub fn must_be_refused(&self) -> bool {
        self.mischief.is_some_and(Mischief::must_be_refused)
    }
}

impl Plan {
    /// How many genuine copies are sent.
    #[must_use]
    pub fn genuine(&self) -> usize {
        self.payments * self.copies
    }

    /// How many copies must be refused: the percentage of the genuine ones, rounded half up.
    #[must_use]
    pub fn tampered(&self) -> usize {
        (self.genuine() * self.tampered_percent as usize + 50) / 100
    }

    /// All copies, shuffled. The kinds of mischief take turns, so that a plan of seven has each once.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        let rng = &mut StdRng::seed_from_u64(self.seed);
        let mut copies: Vec<(usize, Option<Mischief>)> =
            (0..self.genuine()).map(|copy| (copy / self.copies, None)).collect();
        for mischief in Mischief::REFUSED.into_iter().cycle().take(self.tampered()) {
            copies.push((rng.random_range(0..self.payments), Some(mischief)));
        }
        copies.shuffle(rng);
        let numbered = copies.into_iter().enumerate();
        numbered
            .map(|(number, (notification, mischief))| {
                let delay = rng.random_range(Duration::ZERO..=self.delay_max);
                Delivery { number, notification, mischief, delay }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const PLAN: Plan =
        Plan { payments: 30, copies: 5, tampered_percent: 7, delay_max: Duration::ZERO, seed: 42 };

    #[test]
    fn each_payment_has_its_copies_and_the_tampered_come_on_top() {
        let deliveries = PLAN.deliveries();
        assert_eq!(deliveries.len(), 150 + 11); // 7 % of 150 is 10.5
        let mut genuine = BTreeMap::<usize, usize>::new();
        let mut mischiefs = BTreeMap::<Mischief, usize>::new();
        for (place, delivery) in deliveries.iter().enumerate() {
            assert_eq!(delivery.number, place);
            match delivery.mischief {
                None => *genuine.entry(delivery.notification).or_default() += 1,
                Some(mischief) => *mischiefs.entry(mischief).or_default() += 1,
            }
        }
        assert_eq!(genuine, (0..30).map(|notification| (notification, 5)).collect());
        assert_eq!(mischiefs.keys().copied().collect::<Vec<_>>(), Mischief::REFUSED);
        assert_eq!(mischiefs.values().sum::<usize>(), 11);
    }

    #[test]
    fn the_seed_decides_the_order() {
        let other = Plan { seed: 43, ..PLAN };
        assert_eq!(PLAN.deliveries(), PLAN.deliveries());
        assert_ne!(PLAN.deliveries(), other.deliveries());
    }

    #[test]
    fn copies_arrive_out_of_order_and_within_the_delay() {
        let delay_max = Duration::from_millis(250);
        let deliveries = Plan { delay_max, ..PLAN }.deliveries();
        assert!(!deliveries.is_sorted_by_key(|delivery| delivery.notification));
        assert!(deliveries.iter().all(|delivery| delivery.delay <= delay_max));
        assert!(deliveries.iter().any(|delivery| delivery.delay > Duration::ZERO));
    }

    #[test]
    fn tampered_copies_are_rounded_half_up() {
        for (payments, copies, percent, tampered) in
            [(0, 5, 50, 0), (1, 1, 49, 0), (1, 1, 50, 1), (2000, 5, 5, 500), (3, 1, 100, 3), (2, 1, 300, 6)]
        {
            let plan = Plan { payments, copies, tampered_percent: percent, ..PLAN };
            assert_eq!(plan.tampered(), tampered, "{plan:?}");
            assert_eq!(plan.deliveries().len(), payments * copies + tampered);
        }
    }
}
