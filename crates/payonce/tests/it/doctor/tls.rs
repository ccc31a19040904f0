//! The certificate at the notify URL, by an authority that this machine trusts or does not.

use std::net::SocketAddr;
use std::sync::Arc;

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use payonce_core::{Clock as _, SystemClock};
use payonce_simulator::keys::Mode;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::notify_url::answering;
use super::{Clinic, Findings, MCHID};

/// What payonce answers to a wrong signature.
const BODY: &str =
    r#"{"code":"FAIL","message":"WeChat Pay's signature probe; refusing it is what it asks for"}"#;

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }
}

/// A certificate for this name that ends in so many days.
fn certificate(name: &str, days: i64) -> CertificateParams {
    let now = Timestamp::from_second(SystemClock.now().seconds()).unwrap();
    let end = now.to_zoned(TimeZone::UTC).date().checked_add(days.days()).unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_after = date_time_ymd(
        end.year().into(),
        u8::try_from(end.month()).unwrap(),
        u8::try_from(end.day()).unwrap(),
    );
    params
}

/// Answers as payonce does, over TLS with this certificate.
async fn serving(certificate: CertificateDer<'static>, key: &KeyPair) -> SocketAddr {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // Who does not like the certificate breaks off.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 4096]).await;
            let length = BODY.len();
            let head =
                format!("HTTP/1.1 401 Unauthorized\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(format!("{head}{BODY}").as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    addr
}

/// What is found where this certificate is shown, by one who trusts the authority.
async fn found(authority: &Authority, params: CertificateParams, by_itself: bool) -> Findings {
    let key = KeyPair::generate().unwrap();
    let signed = if by_itself { params.self_signed(&key) } else { params.signed_by(&key, &authority.issuer) };
    let addr = serving(signed.unwrap().der().clone(), &key).await;
    let clinic = Clinic::open(Mode::PublicKey).await;
    clinic.write("authority.pem", &authority.pem);
    clinic.look(&["--notify-url", &format!("https://{addr}/notify/v3/{MCHID}")]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_certificate_is_told_apart() {
    let authority = Authority::new("payonce test authority");
    let here = "127.0.0.1";
    for (params, by_itself, outcome, said) in [
        (certificate(here, 90), false, "ok", "it is 127.0.0.1's"),
        (certificate(here, 23), false, "ok", "CN=payonce test authority"),
        (certificate(here, 20), false, "warning", "expires in 19 day(s)"),
        (certificate(here, -3), false, "failed", "it has expired, 3 day(s) ago"),
        (certificate(here, 90), true, "failed", "signed by itself"),
        (certificate("pay.example.com", 90), false, "failed", "another name's, not 127.0.0.1's"),
    ] {
        let findings = found(&authority, params, by_itself).await;
        assert_eq!(findings.outcome("notify_certificate"), outcome, "{said}: {:?}", findings.checks);
        assert!(findings.detail("notify_certificate").contains(said), "{said}: {:?}", findings.checks);
        assert_eq!(findings.outcome("notify_answer"), "ok", "who answers is another question");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_nobody_knows_is_told() {
    let (known, other) = (Authority::new("known"), Authority::new("other"));
    let strange = Authority { pem: known.pem, ..other };
    let findings = found(&strange, certificate("127.0.0.1", 90), false).await;
    assert_eq!(findings.outcome("notify_certificate"), "failed");
    assert!(
        findings.detail("notify_certificate").contains("no authority that is trusted"),
        "{:?}",
        findings.checks
    );
    assert!(findings.remedy("notify_certificate").contains("fullchain.pem"), "{:?}", findings.checks);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_without_tls_and_one_where_nobody_listens_are_told() {
    let clinic = Clinic::open(Mode::PublicKey).await;
    let plain = answering("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
    for (addr, said) in
        [(plain.to_string(), "no TLS is spoken"), ("127.0.0.1:1".to_owned(), "nobody listens")]
    {
        let findings = clinic.look(&["--notify-url", &format!("https://{addr}/notify/v3/{MCHID}")]).await;
        assert_eq!(findings.outcome("notify_certificate"), "failed", "{:?}", findings.checks);
        assert!(findings.detail("notify_certificate").contains(said), "{:?}", findings.checks);
        assert_eq!(findings.outcome("notify_answer"), "failed", "{:?}", findings.checks);
    }
}
