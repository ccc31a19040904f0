//! What a failure of HTTP is called.

use std::io;

use payonce_core::delivery::Fault;
use tokio_rustls::rustls;

use crate::failure::{Failure, cause_of};

/// The connection stood when this happened.
pub(super) fn of_hyper(error: &hyper::Error) -> Failure {
    let io = cause_of::<io::Error>(error).map(io::Error::kind);
    let garbled = matches!(io, Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData));
    let fault = if cause_of::<rustls::Error>(error).is_some() {
        Fault::TlsFailed
    } else if error.is_parse() || garbled {
        Fault::Garbled
    } else {
        Fault::CutOff
    };
    Failure::of(fault, error)
}
