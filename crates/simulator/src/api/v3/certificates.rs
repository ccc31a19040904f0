//! `GET /v3/certificates`: WeChat's platform certificates for this merchant, each sealed with its APIv3 key.
//!
//! Invariant: signed by the newest certificate, also while the old one still signs the rest. Deliberately absent: 国密: of its
//! certificates nobody has any.

use std::sync::Arc;

use serde::Serialize;

use super::door::Ask;
use super::error::{Error, FieldRule};
use super::fields::{optional_parameter, parameter_breaks};
use super::reply::Reply;
use crate::calendar;
use crate::keys::{Certificate, SealingKey};
use crate::simulator::Desk;

/// What AEAD binds a certificate to.
const ASSOCIATED_DATA: &str = "certificate";

#[derive(Serialize)]
struct Listing {
    data: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    effective_time: String,
    encrypt_certificate: Encrypted,
    expire_time: String,
    serial_no: String,
}

#[derive(Serialize)]
struct Encrypted {
    algorithm: &'static str,
    associated_data: &'static str,
    ciphertext: String,
    nonce: String,
}

pub(super) fn list(desk: &mut Desk<'_>, ask: &Ask) -> Result<Reply, Error> {
    match optional_parameter(&ask.query, "algorithm_type") {
        None | Some("RSA" | "ALL") => {}
        Some("SM2") => return Err(Error::NoCertificates),
        Some(other) => {
            let rule = FieldRule::NotOneOf;
            return Err(parameter_breaks("algorithm_type", "算法类型", other, rule).into());
        }
    }
    let newest = ask.ring.newest_certificate().ok_or(Error::NoCertificates)?;
    let certificates = ask.ring.certificates().iter().filter_map(|key| key.certificate());
    let key = ask.ring.sealing_key();
    let data = certificates.map(|certificate| entry(certificate, key, desk)).collect();
    let body = serde_json::to_string(&Listing { data });
    let body = body.expect("BUG: structs of texts always serialise");
    Ok(Reply::Json { body, signer: Some(Arc::clone(newest)) })
}

fn entry(certificate: &Certificate, key: &SealingKey, desk: &mut Desk<'_>) -> Entry {
    let sealed = key.seal(ASSOCIATED_DATA, &certificate.pem, desk.rng);
    Entry {
        effective_time: calendar::rfc3339(certificate.starts),
        encrypt_certificate: Encrypted {
            algorithm: "AEAD_AES_256_GCM",
            associated_data: ASSOCIATED_DATA,
            ciphertext: sealed.ciphertext,
            nonce: sealed.nonce,
        },
        expire_time: calendar::rfc3339(certificate.expires),
        serial_no: certificate.serial.clone(),
    }
}
