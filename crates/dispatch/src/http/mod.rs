//! Calls an endpoint over HTTP/1.1: one signed POST a message. What is no endpoint is called the same way ([`Posts`]).
//!
//! Invariants: an attempt ends within the total time-out, whatever is at the other end; a redirect is an answer and is not
//! followed; of an answer no more is read than is kept, and a small rest so that the connection can be used again. A
//! connection is used again only for the host that it was opened to, and not after [`IDLE_MAX`]. A call is made again
//! within an attempt only if nothing of it was sent. Deliberately absent: what follows from an answer.

mod answer;
mod fault;
mod pool;
mod posts;
mod request;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use payonce_core::{Clock, delivery::Settings, store::MessageView};
use tokio::time::{Instant, timeout_at};

pub use pool::IDLE_MAX;
pub use posts::Posts;
pub use request::USER_AGENT;

use crate::{
    Report, Secrets, Sender,
    connect::{Dialer, Encryption},
    failure::Failure,
    target::{Target, TargetError},
};

use {fault::of_hyper, pool::Pool, request::Template};

/// A way to one web server.
pub(crate) struct HttpSender {
    template: Template,
    secrets: Secrets,
    clock: Arc<dyn Clock>,
    pool: Pool,
    total_max: Duration,
}

impl HttpSender {
    /// A way that is not encrypted is one without an `encryption`.
    pub(crate) fn new(
        target: Target,
        secrets: Secrets,
        settings: &Settings,
        (dialer, encryption): (Dialer, Option<Encryption>),
        clock: Arc<dyn Clock>,
    ) -> Result<Self, TargetError> {
        let template = Template::new(&target, secrets.headers())?;
        let connect_max = Duration::from_millis(settings.connect_max_ms.into());
        let pool = Pool::new(dialer, encryption, target, connect_max, settings.concurrency.into());
        let total_max = Duration::from_millis(settings.total_max_ms.into());
        Ok(Self { template, secrets, clock, pool, total_max })
    }

    async fn attempt(&self, message: &MessageView, until: Instant) -> Result<Report, Failure> {
        let signature = self.secrets.sign(message, self.clock.now());
        let mut request = self.template.fill(message, &signature)?;
        loop {
            let idle = self.pool.idle().await;
            let is_used = idle.is_some();
            let mut connection = match idle {
                Some(connection) => connection,
                None => self.pool.open(until).await?,
            };
            match connection.try_send_request(request).await {
                Ok(answer) => {
                    let heard = answer::hear(answer, self.clock.now()).await;
                    if heard.is_read {
                        self.pool.keep(connection);
                    }
                    return Ok(heard.report);
                }
                Err(mut error) => match error.take_message() {
                    // It had been closed, and hyper says that nothing was sent.
                    Some(unsent) if is_used => request = unsent,
                    _ => return Err(of_hyper(error.error())),
                },
            }
        }
    }
}

#[async_trait]
impl Sender for HttpSender {
    async fn send(&self, message: &MessageView) -> Report {
        let until = Instant::now() + self.total_max;
        match timeout_at(until, self.attempt(message, until)).await {
            Ok(Ok(report)) => report,
            Ok(Err(failure)) => failure.report(),
            Err(_) => Failure::late(self.total_max).report(),
        }
    }
}
