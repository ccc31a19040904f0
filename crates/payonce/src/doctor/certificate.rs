//! The certificate that the notify URL's host shows, judged as a client judges it that trusts this machine's authorities.
//! Which of them WeChat Pay trusts is not documented: one of a public authority is.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use payonce_core::{Clock as _, SystemClock, store::with_causes};
use rustls_platform_verifier::Verifier;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use x509_cert::{Certificate, der::Decode as _};

use super::{DAY, Finding, notify_url::ANSWER_MAX};

const CHECK: &str = "notify_certificate";

/// Days before its end from which it is a warning. What renews certificates of 90 days by itself does so when 30 are
/// left: by then it has failed for more than a week.
const EXPIRES_SOON_DAYS: i64 = 21;

const RENEW: &str =
    "renew it at the proxy; where it renews by itself, see why it did not, and reload the proxy";

pub(super) async fn look(host: &str, addresses: &[SocketAddr]) -> Finding {
    match timeout(ANSWER_MAX, shake_hands(host, addresses)).await {
        Ok(Ok(seen)) => judge(host, &seen, SystemClock.now().seconds()),
        Ok(Err(finding)) => finding,
        Err(_) => {
            let detail = format!("no TLS connection within {} s", ANSWER_MAX.as_secs());
            Finding::failed(CHECK, detail, "let the proxy listen there, and speak TLS without delay")
        }
    }
}

async fn shake_hands(host: &str, addresses: &[SocketAddr]) -> Result<Seen, Finding> {
    let provider = Arc::new(default_provider());
    let witness = match Verifier::new(Arc::clone(&provider)) {
        Ok(judge) => Arc::new(Witness { judge, seen: Mutex::default() }),
        Err(error) => {
            let remedy = "give this machine the authorities that TLS trusts (package ca-certificates)";
            return Err(Finding::failed(CHECK, error.to_string(), remedy));
        }
    };
    let broken = |error: &dyn std::error::Error| {
        let remedy = "let the proxy speak TLS 1.2 or 1.3 there";
        Finding::failed(CHECK, format!("no TLS is spoken there: {error}"), remedy)
    };
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| broken(&error))?.dangerous();
    let trust: Arc<dyn ServerCertVerifier> = Arc::<Witness>::clone(&witness);
    let config = config.with_custom_certificate_verifier(trust).with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(|error| broken(&error))?;
    let stream = TcpStream::connect(addresses).await.map_err(|error| {
        Finding::failed(
            CHECK,
            format!("nobody listens there: {}", with_causes(&error)),
            "let the proxy listen there",
        )
    })?;
    let shaken = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    let seen = witness.seen.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (seen, shaken) {
        // What was wrong with the certificate has ended the handshake, and is told from what it says.
        (Some(seen), Err(_)) if seen.verdict.is_err() => Ok(seen),
        (Some(seen), Ok(_)) => Ok(seen),
        (_, Err(error)) => Err(broken(&error)),
        (None, Ok(_)) => Err(broken(&Error::NoCertificatesPresented)),
    }
}

/// What the server showed, and what is thought of it.
#[derive(Debug)]
struct Seen {
    certificate: Vec<u8>,
    verdict: Result<(), Error>,
}

/// Judges as usual, and keeps what was judged.
#[derive(Debug)]
struct Witness {
    judge: Verifier,
    seen: Mutex<Option<Seen>>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = self.judge.verify_server_cert(end_entity, intermediates, name, ocsp, now);
        let seen = Seen {
            certificate: end_entity.to_vec(),
            verdict: verdict.as_ref().map(|_| ()).map_err(Error::clone),
        };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.judge.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.judge.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.judge.supported_verify_schemes()
    }
}

fn judge(host: &str, seen: &Seen, now: i64) -> Finding {
    let failed = |detail: String, remedy: &'static str| Finding::failed(CHECK, detail, remedy);
    let Ok(certificate) = Certificate::from_der(&seen.certificate) else {
        return failed("it cannot be read".to_owned(), RENEW);
    };
    let shown = &certificate.tbs_certificate;
    let ends = shown.validity.not_after.to_unix_duration().as_secs();
    let seconds = i64::try_from(ends).unwrap_or(i64::MAX).saturating_sub(now);
    let (days, issuer) = (seconds.div_euclid(DAY), shown.issuer.to_string());
    let Err(error) = &seen.verdict else {
        let detail = format!("it is {host}'s, issued by {issuer}, and expires in {days} day(s)");
        return match days {
            EXPIRES_SOON_DAYS.. => Finding::ok(CHECK, detail),
            _ => Finding::warning(CHECK, detail, RENEW),
        };
    };
    let signs_itself = shown.issuer == shown.subject;
    match error {
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            failed(
                format!("it has expired, {} day(s) ago (issued by {issuer})", (-seconds).div_euclid(DAY)),
                RENEW,
            )
        }
        Error::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => failed(format!("it is not valid yet (issued by {issuer})"), "check this machine's clock"),
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => failed(
            format!("it is another name's, not {host}'s (issued by {issuer})"),
            "let the proxy show a certificate for this name: see what it takes as its default",
        ),
        _ if signs_itself => failed(
            format!("it is signed by itself ({issuer}), and nobody trusts it"),
            "get one from a public authority, such as Let's Encrypt",
        ),
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => failed(
            format!("its chain leads to no authority that is trusted here (issued by {issuer})"),
            "let the proxy send the whole chain (often named fullchain.pem), of a public authority",
        ),
        error => failed(format!("it is not accepted: {error} (issued by {issuer})"), RENEW),
    }
}
