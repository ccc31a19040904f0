//! When something happens to a process: a moment told by a signal, not by time.

use rand::{Rng as _, rngs::StdRng};

/// A moment amid callbacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// As this callback is about to be sent (counted from 1): the ones before it are on their way.
    Sending(usize),
    /// As this answer arrives (counted from 1), while the others are being written or waited for.
    Answered(usize),
}

impl Moment {
    /// Any moment amid so many callbacks.
    pub(crate) fn draw(callbacks: usize, rng: &mut StdRng) -> Self {
        let number = rng.random_range(1..=callbacks);
        if rng.random_ratio(1, 3) { Self::Sending(number) } else { Self::Answered(number) }
    }
}
