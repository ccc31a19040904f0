//! Where a store looks for rows that may be forgotten, a window at a time.
//!
//! Rows are written in about the order of their times, so the first ones are the oldest, in general. But a node whose
//! clock was ahead may have written many that are not old for years, in front of others that are. So the first window is
//! looked at, and where little goes of it, a second one that moves on from call to call, until it was everywhere.

use std::sync::atomic::{AtomicI64, Ordering};

/// How far the rows of a table were looked through, beyond the first ones. A process may forget it: it begins anew then.
#[derive(Debug, Default)]
pub struct Looked(AtomicI64);

/// The windows of one call.
#[derive(Debug)]
pub struct Windows<'a> {
    looked: &'a Looked,
    rows_max: usize,
    gone: usize,
    next: Next,
}

#[derive(Clone, Copy, Debug)]
enum Next {
    First,
    /// The one that moves on, from after a row.
    Moving(i64),
    None,
}

/// What was found in a window.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// How many rows it had: less than were asked for means that it ends with the table.
    pub rows: usize,
    /// The number of its last row.
    pub last: i64,
    /// How many of its rows were old, and have gone.
    pub gone: usize,
}

impl Window {
    /// From numbers as databases count.
    #[must_use]
    pub fn of(rows: i64, last: i64, gone: u64) -> Self {
        let rows = usize::try_from(rows).unwrap_or(0);
        Self { rows, last, gone: usize::try_from(gone).unwrap_or(usize::MAX) }
    }
}

impl Looked {
    /// The windows of a call that lets `rows_max` rows go at the most.
    #[must_use]
    pub fn windows(&self, rows_max: usize) -> Windows<'_> {
        Windows { looked: self, rows_max, gone: 0, next: Next::First }
    }
}

impl Windows<'_> {
    /// The next window: up to so many rows, with greater numbers than this one.
    #[must_use]
    pub fn next(&self) -> Option<(i64, usize)> {
        match self.next {
            Next::First => Some((0, self.rows_max)),
            Next::Moving(after) => Some((after, self.rows_max - self.gone)),
            Next::None => None,
        }
    }

    /// Hears what was in the window.
    pub fn found(&mut self, window: Window) {
        let Some((after, limit)) = self.next() else { return };
        let Window { rows, last, gone } = window;
        self.gone += gone;
        let at_the_end = rows < limit;
        let looked = &self.looked.0;
        self.next = match self.next {
            Next::First if !at_the_end && gone < limit => {
                Next::Moving(looked.load(Ordering::Relaxed).max(last))
            }
            _ => Next::None,
        };
        if at_the_end {
            looked.store(0, Ordering::Relaxed);
        } else if after > 0 {
            // Where all went there may be more.
            looked.store(if gone == limit { after } else { last }, Ordering::Relaxed);
        }
    }

    /// How many rows went.
    #[must_use]
    pub fn gone(&self) -> usize {
        self.gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Prunes a table of ages in which 0 is old; tells how many went.
    fn prune(looked: &Looked, table: &mut Vec<(i64, u32)>, rows_max: usize) -> usize {
        let mut windows = looked.windows(rows_max);
        while let Some((after, limit)) = windows.next() {
            let found: Vec<_> = table.iter().copied().filter(|(id, _)| *id > after).take(limit).collect();
            let gone = found.iter().filter(|(_, age)| *age == 0).count();
            table.retain(|row| !(row.1 == 0 && found.contains(row)));
            windows.found(Window { rows: found.len(), last: found.last().map_or(0, |(id, _)| *id), gone });
        }
        windows.gone()
    }

    fn table(ages: &[u32]) -> Vec<(i64, u32)> {
        (1..).zip(ages.iter().copied()).collect()
    }

    #[test]
    fn the_first_rows_are_looked_at_alone_where_they_go() {
        let (looked, mut rows) = (Looked::default(), table(&[0, 0, 0, 0, 0, 1, 1]));
        assert_eq!([2, 2, 2, 2].map(|max| prune(&looked, &mut rows, max)), [2, 2, 1, 0]);
    }

    #[test]
    fn rows_behind_those_of_a_clock_that_was_ahead_go_in_the_end() {
        for ahead in 1..12 {
            let ages: Vec<u32> = [vec![1; ahead], vec![0; 9], vec![1; 4], vec![0; 2]].concat();
            let (looked, mut rows) = (Looked::default(), table(&ages));
            let gone: usize = (0..30).map(|_| prune(&looked, &mut rows, 3)).sum();
            assert_eq!((gone, rows.len()), (11, ahead + 4), "{ahead} ahead");
        }
    }

    #[test]
    fn a_call_looks_at_two_windows_at_the_most() {
        let looked = Looked::default();
        for after in [3, 6, 9] {
            let mut windows = looked.windows(3);
            assert_eq!(windows.next(), Some((0, 3)));
            windows.found(Window { rows: 3, last: 3, gone: 0 });
            assert_eq!(windows.next(), Some((after, 3)));
            windows.found(Window { rows: 3, last: after + 3, gone: 0 });
            assert_eq!(windows.next(), None);
        }
    }
}
