//! The certificate authority behind the platform certificates and the merchants' API certificates.
//!
//! Invariants: serials have 40 hex digits; subjects and issuer have the parts that WeChat's have, so that software which
//! tells the two kinds of certificates apart by them can be tested. Deliberately absent: revocation.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use rand::Rng;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, SanType, SerialNumber, date_time_ymd,
};
use wechatpay::UnixSeconds;

use super::RsaKey;
use crate::Error;

/// Certificates are valid for 5 years, merchants' and the platform's alike.
const VALID_SECONDS: i64 = 5 * 365 * 24 * 3600;

/// Issues certificates.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate_pem: String,
    private_pem: String,
}

/// A certificate that was issued.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Certificate {
    /// 40 hex digits in upper case.
    pub serial: String,
    /// The certificate.
    pub pem: String,
    /// The first second in which it is valid.
    pub starts: UnixSeconds,
    /// The last second in which it is valid.
    pub expires: UnixSeconds,
}

impl Certificate {
    /// Whether it is this certificate, which is in DER.
    pub(crate) fn is(&self, der: &[u8]) -> bool {
        pem::parse(&self.pem).is_ok_and(|pem| pem.contents() == der)
    }
}

/// What a server with TLS has.
pub(crate) struct ServerIdentity {
    pub(crate) certificate_pem: String,
    /// PKCS#8.
    pub(crate) private_pem: String,
}

/// Whose certificate it is.
pub(crate) enum Subject<'a> {
    /// WeChat Pay's own.
    Platform,
    /// A host's, which is reached by this address or as localhost.
    Host(IpAddr),
    /// A merchant's.
    Merchant { mchid: &'a str, name: &'a str },
}

impl Authority {
    /// A new one, which begins now.
    ///
    /// # Errors
    /// [`Error::KeyGeneration`].
    pub fn generate(now: UnixSeconds) -> Result<Self, Error> {
        let private_pem = RsaKey::generate()?.private_pem();
        let certificate =
            root(now).self_signed(&rcgen_key(&private_pem)?).map_err(|_| Error::KeyGeneration)?;
        Self::restored(certificate.pem().replace("\r\n", "\n"), private_pem)
    }

    /// One that was made before.
    pub(super) fn restored(certificate_pem: String, private_pem: String) -> Result<Self, Error> {
        // Of the parameters, an issuer needs only those that are always the same.
        let issuer = Issuer::new(root(UnixSeconds(0)), rcgen_key(&private_pem)?);
        Ok(Self { issuer, certificate_pem, private_pem })
    }

    /// The authority's own certificate.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    pub(super) fn private_pem(&self) -> &str {
        &self.private_pem
    }

    /// A fresh key pair and certificate for a host that is reached by this address or as localhost.
    pub(crate) fn server(
        &self,
        ip: IpAddr,
        now: UnixSeconds,
        rng: &mut impl Rng,
    ) -> Result<ServerIdentity, Error> {
        let key = RsaKey::generate()?;
        let certificate = self.issue(&Subject::Host(ip), &key, now, rng)?;
        Ok(ServerIdentity { certificate_pem: certificate.pem, private_pem: key.private_pem() })
    }

    /// A certificate for a key, valid from now on.
    pub(crate) fn issue(
        &self,
        subject: &Subject<'_>,
        key: &RsaKey,
        now: UnixSeconds,
        rng: &mut impl Rng,
    ) -> Result<Certificate, Error> {
        // The first bit is clear, or DER would put a zero byte before it; the first digit is not, or it would be lost.
        let mut number: [u8; 20] = rng.random();
        number[0] = number[0] & 0x7F | 0x40;
        // The seed says the same again after the next start, when there are certificates already.
        for (byte, time) in number[12..].iter_mut().zip(now.0.to_be_bytes()) {
            *byte ^= time;
        }
        let mut params = params(now, VALID_SECONDS);
        params.serial_number = Some(SerialNumber::from_slice(&number));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.distinguished_name = match subject {
            Subject::Platform => name("Tenpay.com sign", "Tenpay.com CA Center", "Tenpay.com"),
            Subject::Host(_) => name("api.mch.weixin.qq.com", "Tenpay.com CA Center", "Tenpay.com"),
            Subject::Merchant { mchid, name: merchant } => name(mchid, merchant, "微信商户系统"),
        };
        if let Subject::Host(ip) = subject {
            params.subject_alt_names = names(*ip);
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        }
        let public = rcgen_key(&key.private_pem())?;
        let certificate = params.signed_by(&public, &self.issuer).map_err(|_| Error::KeyGeneration)?;
        Ok(Certificate {
            serial: number.iter().map(|byte| format!("{byte:02X}")).collect(),
            pem: certificate.pem().replace("\r\n", "\n"),
            starts: now,
            expires: UnixSeconds(now.0 + VALID_SECONDS),
        })
    }
}

impl Authority {
    /// A certificate and its private key, both in PEM, for a receiver's own TLS: the simulator trusts it.
    ///
    /// # Errors
    /// [`Error::TlsName`]: a name is none of a host.
    pub fn issue_for_hosts(&self, hosts: &[String], now: UnixSeconds) -> Result<(String, String), Error> {
        let refused = |_| Error::TlsName;
        let mut params = CertificateParams::new(hosts).map_err(refused)?;
        let valid = self::params(now, VALID_SECONDS);
        (params.not_before, params.not_after) = (valid.not_before, valid.not_after);
        let key = KeyPair::generate().map_err(|_| Error::KeyGeneration)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(refused)?;
        Ok((certificate.pem().replace("\r\n", "\n"), key.serialize_pem().replace("\r\n", "\n")))
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority([REDACTED])")
    }
}

fn root(now: UnixSeconds) -> CertificateParams {
    let mut params = params(now, 4 * VALID_SECONDS);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name = name("Tenpay.com Root CA", "Tenpay.com CA Center", "Tenpay.com");
    params
}

fn params(now: UnixSeconds, seconds: i64) -> CertificateParams {
    let at = |time: i64| date_time_ymd(1970, 1, 1) + Duration::from_secs(time.max(0).unsigned_abs());
    let mut params = CertificateParams::default();
    params.not_before = at(now.0);
    params.not_after = at(now.0 + seconds);
    params
}

/// By which names a host is reached.
fn names(ip: IpAddr) -> Vec<SanType> {
    let addresses = [ip, Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    let addresses: BTreeSet<_> = addresses.into_iter().collect();
    let host = "localhost".try_into().ok().map(SanType::DnsName);
    host.into_iter().chain(addresses.into_iter().map(SanType::IpAddress)).collect()
}

fn name(common: &str, unit: &str, organization: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CountryName, "CN");
    name.push(DnType::StateOrProvinceName, "Guangdong");
    name.push(DnType::LocalityName, "Shenzhen");
    name.push(DnType::OrganizationName, organization);
    name.push(DnType::OrganizationalUnitName, unit);
    name.push(DnType::CommonName, common);
    name
}

fn rcgen_key(private_pem: &str) -> Result<KeyPair, Error> {
    KeyPair::from_pkcs8_pem_and_sign_algo(private_pem, &PKCS_RSA_SHA256).map_err(|_| Error::KeptKey)
}
