//! The body of a request on its way: at once, in pieces with pauses between them, or broken off before its end.
//!
//! Invariant: its length is announced whole, also where it breaks off, so that the receiver waits for the rest.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep};

/// Into how many pieces a slow body falls.
const PIECES: usize = 8;

/// What was written must be on its way when the connection breaks, or the receiver sees nothing of the request.
const BEFORE_IT_BREAKS: Duration = Duration::from_millis(50);

/// How a request is carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Carriage {
    /// The body comes in pieces over this time, in real time.
    pub(crate) over: Option<Duration>,
    /// The connection breaks in the middle of the body.
    pub(crate) breaks: bool,
    /// How long the answer is waited for once the body was written, where that is another time than WeChat's.
    pub(crate) patience: Option<Duration>,
    /// Header names go out in small letters.
    pub(crate) small_letters: bool,
}

/// A body that is carried in such a way.
#[derive(Debug)]
pub(crate) struct Payload {
    rest: Bytes,
    /// What is left when the connection breaks.
    breaks_at: Option<usize>,
    piece: usize,
    pause: Option<Duration>,
    pausing: Option<Pin<Box<Sleep>>>,
    /// Goes with the body, which is dropped once all of it was written.
    _written: oneshot::Sender<Infallible>,
}

impl Payload {
    /// A body, and what ends once it was written.
    pub(super) fn of(body: Bytes, carriage: Carriage) -> (Self, oneshot::Receiver<Infallible>) {
        let (written, sent) = oneshot::channel();
        let piece = if carriage.over.is_some() { body.len().div_ceil(PIECES).max(1) } else { body.len() };
        let payload = Self {
            breaks_at: carriage.breaks.then_some(body.len() / 2),
            piece,
            pause: carriage.over.map(|over| over / u32::try_from(PIECES).unwrap_or(u32::MAX)),
            pausing: None,
            rest: body,
            _written: written,
        };
        (payload, sent)
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        if this.breaks_at.is_some_and(|left| this.rest.len() <= left) {
            let pausing = this.pausing.get_or_insert_with(|| Box::pin(sleep(BEFORE_IT_BREAKS)));
            ready!(pausing.as_mut().poll(context));
            return Poll::Ready(Some(Err(io::Error::other("the simulator broke the connection"))));
        }
        if this.rest.is_empty() {
            return Poll::Ready(None);
        }
        if let Some(pause) = this.pause {
            let pausing = this.pausing.get_or_insert_with(|| Box::pin(sleep(pause)));
            ready!(pausing.as_mut().poll(context));
            this.pausing = None;
        }
        let until_it_breaks = this.rest.len() - this.breaks_at.unwrap_or_default();
        let piece = this.rest.split_to(this.piece.min(until_it_breaks));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.breaks_at.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}
