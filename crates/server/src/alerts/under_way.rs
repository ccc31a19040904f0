//! Messages whose alerts are being told: how far the offset may move, and when.
//!
//! Invariants: parts end in the order in which they were added; there are at most [`PARTS_MAX`], and what is read beyond that
//! joins the last one. So a channel that is away, or that groups for a long time, delays the offset and never the reading.

use std::{collections::VecDeque, convert::Infallible, future::pending};

use payonce_core::store::Position;
use tokio::sync::mpsc;

/// Bounds what waits in memory. The more parts there are, the less is told twice after a crash.
const PARTS_MAX: usize = 32;

/// Held by whoever still has to tell of an alert; who waits for the last of them to go waits for all channels.
pub(super) type Receipt = mpsc::Sender<Infallible>;

#[derive(Default)]
pub(super) struct UnderWay {
    parts: VecDeque<Part>,
    /// The last part's, while others join it.
    open: Option<Receipt>,
    /// Of what nobody tells any longer: the offset stays before it.
    held: Option<Receipt>,
}

struct Part {
    /// The offset once it is told.
    last: Position,
    told: mpsc::Receiver<Infallible>,
}

impl UnderWay {
    /// Adds the messages up to `last`, which are told when the receipt and all copies of it are gone.
    pub(super) fn add(&mut self, last: Position) -> Receipt {
        if let (Some(open), Some(back)) = (&self.open, self.parts.back_mut()) {
            back.last = last;
            return open.clone();
        }
        let (receipt, told) = mpsc::channel(1);
        self.parts.push_back(Part { last, told });
        if self.parts.len() >= PARTS_MAX {
            self.open = Some(receipt.clone());
        }
        receipt
    }

    /// Adds messages of which nothing is to be told: they wait for what came before.
    pub(super) fn pass(&mut self, last: Position) {
        match self.parts.back_mut() {
            Some(back) => back.last = last,
            None => drop(self.add(last)),
        }
    }

    /// What this receipt is of is not told before the next start.
    pub(super) fn hold(&mut self, receipt: Receipt) {
        self.held.get_or_insert(receipt);
    }

    /// Waits until the first part is told. Returns where the offset may move. To be asked again is to be told the same.
    pub(super) async fn first(&mut self) -> Position {
        let Some(first) = self.parts.front_mut() else { return pending().await };
        let _ = first.told.recv().await;
        first.last
    }

    /// The offset has moved over the first part.
    pub(super) fn moved(&mut self) {
        self.parts.pop_front();
        self.open = None;
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        task::{Context, Poll, Waker},
    };

    use super::*;

    fn told(under_way: &mut UnderWay) -> Option<i64> {
        let polled = pin!(under_way.first()).poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(position) = polled else { return None };
        under_way.moved();
        Some(position.0)
    }

    /// Somebody who tells nothing must not keep others from being told of what comes later.
    #[test]
    fn there_is_room_however_much_is_waited_for_and_all_of_it_is() {
        let mut under_way = UnderWay::default();
        let mut receipts: VecDeque<Receipt> = (1..=100).map(|last| under_way.add(Position(last))).collect();
        under_way.pass(Position(101));
        assert_eq!((under_way.parts.len(), told(&mut under_way)), (PARTS_MAX, None));
        for last in 1..PARTS_MAX as i64 {
            receipts.pop_front();
            assert_eq!((told(&mut under_way), told(&mut under_way)), (Some(last), None));
        }
        let later = under_way.add(Position(102));
        let last = receipts.pop_back();
        receipts.clear();
        assert_eq!(told(&mut under_way), None, "one of those that were joined is not told");
        drop(last);
        assert_eq!((told(&mut under_way), told(&mut under_way)), (Some(101), None));
        drop(later);
        assert_eq!(told(&mut under_way), Some(102));
    }

    #[test]
    fn what_nobody_tells_keeps_the_offset() {
        let mut under_way = UnderWay::default();
        under_way.pass(Position(3));
        assert_eq!(told(&mut under_way), Some(3));
        for last in [4, 5] {
            let receipt = under_way.add(Position(last));
            under_way.hold(receipt);
        }
        assert_eq!(told(&mut under_way), None);
    }
}
