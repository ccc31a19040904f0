//! A certificate authority of the test's own: for the server that plays WeChat Pay, and for merchants.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

pub(crate) struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "payonce test authority");
        let key = KeyPair::generate().expect("a test's own data are good");
        let certificate = params.self_signed(&key).expect("a test's own data are good");
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    /// To be trusted.
    pub(crate) fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// Serves `127.0.0.1`. Who shows a certificate of this authority is known by it; who shows none is served as well.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        let (certificate, key) = self.signs("127.0.0.1", ExtendedKeyUsagePurpose::ServerAuth);
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).expect("a test's own data are good");
        let provider = Arc::new(default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()
            .expect("a test's own data are good");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a test's own data are good");
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("a test's own data are good")
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a test's own data are good");
        TlsAcceptor::from(Arc::new(config))
    }

    /// A merchant's certificate and its key.
    pub(crate) fn merchant(&self, mchid: &str) -> (Certificate, KeyPair) {
        self.signs(mchid, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn signs(&self, name: &str, usage: ExtendedKeyUsagePurpose) -> (Certificate, KeyPair) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a test's own data are good");
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages.push(usage);
        let key = KeyPair::generate().expect("a test's own data are good");
        let certificate = params.signed_by(&key, &self.issuer).expect("a test's own data are good");
        (certificate, key)
    }
}
