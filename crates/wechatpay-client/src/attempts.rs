//! The attempts of one call: how many, when, at which host, for how long, and what is told in the end.
//!
//! Invariants: all that a call waits for ends at one deadline; a host at fault is turned from, whether or not the call is
//! repeated; once an attempt may have taken effect, the call never ends as one that was not sent, because its last attempt
//! was not. Deliberately absent: sending, and believing.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use wechatpay::answer::Retry;
use wechatpay::api::Operation;

use crate::environment::jitter;
use crate::error::{NotSent, Unknown};
use crate::transport::Host;
use crate::{ClientError, Transport};

/// How often a file is fetched: what does not fit its hash is fetched once more (WeChat Pay's advice), then it is loud.
const FILE_ATTEMPTS_MAX: u32 = 2;

/// How long the URL of a bill's file is good (WeChat Pay's rule).
const FILE_URL_LASTS: Duration = Duration::from_secs(5 * 60);

/// How far a call has come.
pub(crate) struct Attempts<'a> {
    transport: &'a Transport,
    operation: Operation,
    attempts_max: u32,
    deadline: Instant,
    host: Host,
    failed: u32,
    /// Of the first attempt that may have taken effect.
    unknown: Option<Unknown>,
}

impl<'a> Attempts<'a> {
    /// Of a call that does this, as patient as [`crate::Patience`] says.
    pub(crate) fn new(transport: &'a Transport, operation: Operation) -> Self {
        let patience = transport.patience();
        Self {
            transport,
            operation,
            attempts_max: patience.attempts_max,
            deadline: Instant::now() + patience.call,
            host: transport.host(),
            failed: 0,
            unknown: None,
        }
    }

    /// Of fetching a bill's file, which is not hurried: within this time an attempt must have begun.
    pub(crate) fn of_file(transport: &'a Transport) -> Self {
        let deadline = Instant::now() + FILE_URL_LASTS;
        Self { attempts_max: FILE_ATTEMPTS_MAX, deadline, ..Self::new(transport, Operation::Bill) }
    }

    /// The host of this attempt.
    pub(crate) fn host(&self) -> Host {
        self.host
    }

    /// Whether one came before this attempt.
    pub(crate) fn is_repetition(&self) -> bool {
        self.failed > 0
    }

    /// Until when the call has time.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// How long this attempt may wait for its answer.
    pub(crate) fn answer_limit(&self) -> Duration {
        self.transport.patience().answer.min(self.deadline.saturating_duration_since(Instant::now()))
    }

    /// After a failed attempt: waits until it is time for another one, at the host that is then named.
    ///
    /// # Errors
    /// What the call ends with, where there is no other attempt.
    pub(crate) async fn after(&mut self, error: ClientError) -> Result<(), ClientError> {
        self.failed += 1;
        self.host = self.transport.host_after(self.host, &error);
        if self.failed >= self.attempts_max || !may_repeat(&error, self.operation) {
            return Err(self.end(error));
        }
        let most = self.transport.patience().pause.saturating_mul(1 << (self.failed - 1).min(8));
        let pause = jitter(self.transport.environment(), most);
        if Instant::now() + pause >= self.deadline {
            return Err(self.end(error));
        }
        if let ClientError::Unknown(unknown) = error {
            self.unknown.get_or_insert(unknown);
        }
        sleep(pause).await;
        Ok(())
    }

    /// After a file that came damaged: whether it is fetched again, at once.
    pub(crate) fn after_damage(&mut self) -> bool {
        self.failed += 1;
        self.failed < self.attempts_max
    }

    fn end(&mut self, error: ClientError) -> ClientError {
        match (error, self.unknown.take()) {
            // The last attempt did nothing; an earlier one may have.
            (ClientError::NotSent { .. }, Some(unknown)) => unknown.into(),
            (error, _) => error,
        }
    }
}

/// Whether this failure of a call that does this is followed by another attempt.
fn may_repeat(error: &ClientError, operation: Operation) -> bool {
    let harmless = Retry::after_silence(operation) == Retry::Same;
    match error {
        // It did not arrive, so nothing is repeated.
        ClientError::NotSent { reason: NotSent::Unreachable(_) } => true,
        ClientError::Unknown(Unknown::Silence(_) | Unknown::TimedOut { .. }) => harmless,
        // A probe, or a proxy's work: the repetition is not probed.
        ClientError::Unknown(Unknown::Unsigned(_) | Unknown::Unproven(_)) => harmless,
        ClientError::Unknown(Unknown::AboutAnother { .. }) => harmless,
        ClientError::Unknown(Unknown::Undecided(error)) => {
            matches!(error.retry(operation), Retry::Same | Retry::Later)
        }
        // "Later" than a refusal is minutes: for a bill that is not ready, 30. That is for whoever calls to wait.
        ClientError::Refused(error) => error.retry(operation) == Retry::Same,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::time::advance;
    use wechatpay::answer::ApiError;

    use super::*;
    use crate::{Environment, Hosts, Patience};

    /// A clock that stands still, and the least random of all sources.
    struct Still;

    impl Environment for Still {
        fn now(&self) -> wechatpay::UnixSeconds {
            wechatpay::UnixSeconds(1_750_000_000)
        }

        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    fn transport() -> Transport {
        Transport::with(Hosts::mainland(), Patience::default(), Arc::new(Still)).unwrap()
    }

    fn timed_out() -> ClientError {
        Unknown::TimedOut { after: Duration::from_secs(10) }.into()
    }

    fn answered(status: u16) -> ClientError {
        Unknown::Undecided(Box::new(ApiError::new(status, None, b""))).into()
    }

    /// A prepay that timed out and was then not let through is not "not sent": a caller who takes a new number for it
    /// has two payable orders.
    #[tokio::test(start_paused = true)]
    async fn what_may_have_taken_effect_stays_unknown_when_the_repetition_is_not_sent() {
        let transport = transport();
        let mut attempts = Attempts::new(&transport, Operation::Prepay);
        attempts.after(timed_out()).await.unwrap();
        let told = attempts.after(NotSent::TooMany.into()).await.unwrap_err();
        assert!(matches!(told, ClientError::Unknown(Unknown::TimedOut { .. })), "{told}");

        let mut attempts = Attempts::new(&transport, Operation::Prepay);
        let told = attempts.after(NotSent::TooMany.into()).await.unwrap_err();
        assert!(matches!(told, ClientError::NotSent { .. }), "nothing was sent before: {told}");
    }

    /// What may have arrived is sent again only where that does no harm.
    #[tokio::test(start_paused = true)]
    async fn table_of_what_is_repeated_after_a_time_out() {
        for (operation, repeated) in [
            (Operation::Query, true),
            (Operation::Prepay, true),
            (Operation::Close, true),
            (Operation::Bill, true),
            (Operation::Refund, false),
            (Operation::Other, false),
        ] {
            let transport = transport();
            let mut attempts = Attempts::new(&transport, operation);
            assert_eq!(attempts.after(timed_out()).await.is_ok(), repeated, "{operation:?}");
            assert!(attempts.is_repetition());
        }
    }

    /// No attempt gets more time than the call has left, and none begins when there is none.
    #[tokio::test(start_paused = true)]
    async fn the_attempts_of_a_call_share_its_time() {
        let patience = Patience { pause: Duration::ZERO, ..Patience::default() };
        let transport = Transport::with(Hosts::mainland(), patience, Arc::new(Still)).unwrap();
        let mut attempts = Attempts::new(&transport, Operation::Query);
        let mut limits = Vec::new();
        loop {
            let limit = attempts.answer_limit();
            limits.push(limit.as_millis().div_ceil(1000));
            advance(limit).await;
            if attempts.after(timed_out()).await.is_err() {
                break;
            }
        }
        assert_eq!(limits, [10, 10, 5], "25 s in all, of which an answer may have 10");
    }

    /// The first pause is at most as long as [`Patience::pause`] says; then it doubles.
    #[tokio::test(start_paused = true)]
    async fn pauses_double_from_the_first() {
        let patience = Patience { pause: Duration::from_secs(1), ..Patience::default() };
        let transport = Transport::with(Hosts::mainland(), patience, Arc::new(Still)).unwrap();
        let mut attempts = Attempts::new(&transport, Operation::Query);
        for most in [1, 2, 4].map(Duration::from_secs) {
            let (began, expected) = (Instant::now(), jitter(&Still, most));
            attempts.after(answered(500)).await.unwrap();
            let waited = began.elapsed();
            assert!(waited.abs_diff(expected) <= Duration::from_millis(2), "{waited:?}, not {expected:?}");
        }
        assert!(attempts.after(answered(500)).await.is_err(), "four attempts at the most");
    }

    /// Which host this call goes to next, and where calls to come begin, whether or not this one is repeated.
    #[tokio::test(start_paused = true)]
    async fn table_of_turning_from_a_host() {
        for (error, turns) in [
            (timed_out as fn() -> ClientError, true),
            (|| answered(502), true),
            (|| answered(503), true),
            (|| answered(500), false),
            (|| answered(429), false),
            (|| NotSent::TooMany.into(), false),
            (|| NotSent::Path { path: String::new() }.into(), false),
            (|| Unknown::Oversized { bytes_max: 1 }.into(), false),
        ] {
            for operation in [Operation::Query, Operation::Refund] {
                let transport = transport();
                let mut attempts = Attempts::new(&transport, operation);
                let ended = attempts.after(error()).await.is_err();
                let expected = if turns { Host::Backup } else { Host::Primary };
                assert_eq!(transport.host(), expected, "{operation:?} {}", error());
                assert!(ended || attempts.host() == expected, "{operation:?} {}", error());
            }
        }
    }
}
