//! What came back, judged as WeChat judges it and counted.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::Delivery;

/// What came back for one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What was sent.
    pub delivery: Delivery,
    /// The how-many-th attempt it was; the first is 1.
    pub attempt: u32,
    /// The HTTP status; none where no whole answer came in time.
    pub status: Option<u16>,
    /// From the attempt's start, connecting included, to its answer or end.
    pub elapsed: Duration,
}

/// How WeChat reads an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// 200 or 204, whatever the body says: never sent again.
    Acknowledged,
    /// 4xx or 5xx.
    Refused,
    /// Any other status (201, a redirect): not an acknowledgement either.
    Neither,
    /// No whole answer in time.
    Unanswered,
}

impl Verdict {
    /// How WeChat reads the status of an answer to an APIv3 notice; none where no whole answer came in time.
    #[must_use]
    pub fn of(status: Option<u16>) -> Self {
        match status {
            Some(200 | 204) => Self::Acknowledged,
            Some(400..=599) => Self::Refused,
            Some(_) => Self::Neither,
            None => Self::Unanswered,
        }
    }
}

impl Answer {
    /// How WeChat reads it.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        Verdict::of(self.status)
    }

    /// Whether WeChat sends the copy again, as long as its schedule lasts.
    #[must_use]
    pub fn is_resent(&self) -> bool {
        self.verdict() != Verdict::Acknowledged && !self.delivery.must_be_refused()
    }
}

/// The deliveries that deserved an acknowledgement and have none among the answers, by number.
#[must_use]
pub fn unacknowledged(answers: &[Answer]) -> Vec<Delivery> {
    let mut pending = BTreeMap::new();
    for answer in answers.iter().filter(|answer| !answer.delivery.must_be_refused()) {
        let acknowledged = pending.entry(answer.delivery.number).or_insert((answer.delivery, false));
        acknowledged.1 |= answer.verdict() == Verdict::Acknowledged;
    }
    pending.into_values().filter(|(_, acknowledged)| !acknowledged).map(|(delivery, _)| delivery).collect()
}

/// Attempts, counted by verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// See [`Verdict::Acknowledged`].
    pub acknowledged: u64,
    /// See [`Verdict::Refused`].
    pub refused: u64,
    /// See [`Verdict::Neither`].
    pub neither: u64,
    /// See [`Verdict::Unanswered`].
    pub unanswered: u64,
}

impl Tally {
    /// All attempts.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.acknowledged + self.refused + self.neither + self.unanswered
    }

    fn count(&mut self, verdict: Verdict) {
        let counter = match verdict {
            Verdict::Acknowledged => &mut self.acknowledged,
            Verdict::Refused => &mut self.refused,
            Verdict::Neither => &mut self.neither,
            Verdict::Unanswered => &mut self.unanswered,
        };
        *counter += 1;
    }
}

/// The totals of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Copies that deserve an acknowledgement: all that WeChat meant as they are.
    pub genuine: Tally,
    /// Copies that must be refused. One acknowledgement here is a hole in the receiver.
    pub tampered: Tally,
}

impl Report {
    /// Counts one answer.
    pub fn count(&mut self, answer: &Answer) {
        let tally = if answer.delivery.must_be_refused() { &mut self.tampered } else { &mut self.genuine };
        tally.count(answer.verdict());
    }

    /// All attempts.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.genuine.sent() + self.tampered.sent()
    }
}

impl<'a> FromIterator<&'a Answer> for Report {
    fn from_iter<I: IntoIterator<Item = &'a Answer>>(answers: I) -> Self {
        let mut report = Self::default();
        answers.into_iter().for_each(|answer| report.count(answer));
        report
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Mischief;

    fn answer(number: usize, mischief: Option<Mischief>, status: Option<u16>) -> Answer {
        let delivery = Delivery { mischief, ..Delivery::genuine(number, 0) };
        Answer { delivery, attempt: 1, status, elapsed: Duration::ZERO }
    }

    #[test]
    fn only_200_and_204_acknowledge() {
        for (status, verdict) in [
            (Some(200), Verdict::Acknowledged),
            (Some(204), Verdict::Acknowledged),
            (Some(201), Verdict::Neither),
            (Some(202), Verdict::Neither),
            (Some(302), Verdict::Neither),
            (Some(400), Verdict::Refused),
            (Some(599), Verdict::Refused),
            (Some(600), Verdict::Neither),
            (None, Verdict::Unanswered),
        ] {
            assert_eq!(answer(0, None, status).verdict(), verdict, "{status:?}");
        }
    }

    #[test]
    fn genuine_and_tampered_copies_are_counted_apart() {
        let replayed = Some(Mischief::Replayed);
        let answers = [
            answer(0, None, None),
            answer(0, None, Some(204)),
            answer(1, None, Some(503)),
            answer(2, Some(Mischief::AmountChanged), Some(302)),
            answer(3, replayed, Some(401)),
            answer(4, replayed, Some(200)),
        ];
        let report: Report = answers.iter().collect();
        assert_eq!(report.genuine, Tally { acknowledged: 1, refused: 1, neither: 1, unanswered: 1 });
        assert_eq!(report.tampered, Tally { acknowledged: 1, refused: 1, ..Tally::default() });
        assert_eq!(report.sent(), 6);
        assert_eq!(unacknowledged(&answers), [answers[2].delivery, answers[3].delivery]);
    }
}
