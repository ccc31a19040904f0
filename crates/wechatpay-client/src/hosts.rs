//! Where requests go: WeChat Pay's hosts, or a look-alike's in tests.

use std::fmt;
use std::net::IpAddr;

use reqwest::{Certificate, Url};

use crate::SetupError;

/// A primary host and its backup. The same signature is good on both, as no host is part of it.
///
/// ```
/// use std::sync::Arc;
/// use wechatpay_client::{Hosts, Patience, SystemEnvironment, Transport};
///
/// let hosts = Hosts::wechatpay_cn().with_backup("https://api2.mch.weixin.qq.com")?;
/// let simulator = Hosts::all_at("http://127.0.0.1:8090")?;
/// assert!(Hosts::all_at("http://pay.example").is_err(), "in clear to the loopback only");
/// let transport = Transport::with(simulator, Patience::default(), Arc::new(SystemEnvironment::new()))?;
/// # Ok::<(), wechatpay_client::SetupError>(())
/// ```
#[derive(Clone)]
pub struct Hosts {
    pub(crate) primary: Url,
    pub(crate) backup: Url,
    /// Of code2Session.
    pub(crate) login: Url,
    /// Trusted beside the system's authorities.
    pub(crate) authorities: Vec<Certificate>,
}

impl fmt::Debug for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { primary, backup, login, .. } = self;
        write!(f, "Hosts({primary}, {backup}, {login})")
    }
}

impl Hosts {
    /// The mainland's: `api.mch.weixin.qq.com`, with the documented backup `api2.mch.weixin.qq.com`.
    #[must_use]
    pub fn mainland() -> Self {
        Self::known("https://api.mch.weixin.qq.com/", "https://api2.mch.weixin.qq.com/")
    }

    /// The same API under its second domain: `api.wechatpay.cn`, with the backup `api2.wechatpay.cn`.
    #[must_use]
    pub fn wechatpay_cn() -> Self {
        Self::known("https://api.wechatpay.cn/", "https://api2.wechatpay.cn/")
    }

    /// Logins have one host, whichever domain the payments go to.
    fn known(primary: &str, backup: &str) -> Self {
        let url = |text: &str| Url::parse(text).expect("BUG: these URLs are well-formed");
        let login = url("https://api.weixin.qq.com/");
        Self { primary: url(primary), backup: url(backup), login, authorities: Vec::new() }
    }

    /// Another base for everything, such as a simulator's `http://127.0.0.1:8090`.
    ///
    /// # Errors
    /// Where it is no URL with a host and nothing behind it, or plain HTTP to anywhere but the loopback.
    pub fn all_at(base: &str) -> Result<Self, SetupError> {
        let url = base_url(base)?;
        Ok(Self { primary: url.clone(), backup: url.clone(), login: url, authorities: Vec::new() })
    }

    /// The base URL of the primary host.
    #[must_use]
    pub fn primary(&self) -> &str {
        self.primary.as_str()
    }

    /// The path and query of a URL at one of the API's hosts, as they are written there.
    pub(crate) fn path_and_query_of(&self, url: &str) -> Option<String> {
        // A base ends with the slash that the path begins with.
        let below = |base: &Url| url.strip_prefix(base.as_str()).map(|rest| format!("/{rest}"));
        below(&self.primary).or_else(|| below(&self.backup))
    }

    /// Another backup.
    ///
    /// # Errors
    /// As [`Self::all_at`].
    pub fn with_backup(self, base: &str) -> Result<Self, SetupError> {
        Ok(Self { backup: base_url(base)?, ..self })
    }

    /// Another host for code2Session, such as a gateway of one's own.
    ///
    /// # Errors
    /// As [`Self::all_at`].
    pub fn with_login(self, base: &str) -> Result<Self, SetupError> {
        Ok(Self { login: base_url(base)?, ..self })
    }

    /// With more authorities, in PEM, by which the hosts' TLS certificates may be signed, beside those that the system
    /// trusts: of a gateway's, or of a look-alike's with `https`.
    ///
    /// # Errors
    /// Where it is not PEM of certificates.
    pub fn trusting(mut self, authorities: &str) -> Result<Self, SetupError> {
        let authorities = Certificate::from_pem_bundle(authorities.as_bytes()).map_err(SetupError::Tls)?;
        self.authorities.extend(authorities);
        Ok(self)
    }
}

fn base_url(base: &str) -> Result<Url, SetupError> {
    let wrong = |problem| SetupError::BaseUrl { base: base.to_owned(), problem };
    let url = Url::parse(base).map_err(|_| wrong("is no URL"))?;
    let host = url.host_str().ok_or_else(|| wrong("has no host"))?;
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err(wrong("must end behind the host and port"));
    }
    let loopback = host == "localhost"
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    match url.scheme() {
        "https" => Ok(url),
        "http" if loopback => Ok(url),
        "http" => Err(wrong("must be https: only the loopback may be spoken to in clear")),
        _ => Err(wrong("must begin with https://")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both domains of the API go with the one host of logins.
    #[test]
    fn table_of_known_hosts() {
        for (hosts, shown) in [
            (
                Hosts::mainland(),
                "https://api.mch.weixin.qq.com/, https://api2.mch.weixin.qq.com/, https://api.weixin.qq.com/",
            ),
            (
                Hosts::wechatpay_cn(),
                "https://api.wechatpay.cn/, https://api2.wechatpay.cn/, https://api.weixin.qq.com/",
            ),
            (
                Hosts::wechatpay_cn().with_login("https://login.example").unwrap(),
                "https://api.wechatpay.cn/, https://api2.wechatpay.cn/, https://login.example/",
            ),
        ] {
            assert_eq!(format!("{hosts:?}"), format!("Hosts({shown})"));
        }
    }

    #[test]
    fn table_of_bases() {
        for (base, good) in [
            ("https://pay.example", true),
            ("http://127.0.0.1:8090", true),
            ("http://[::1]:8090/", true),
            ("http://localhost:1", true),
            ("http://pay.example", false),
            ("http://10.0.0.1", false),
            ("https://pay.example/v3", false),
            ("https://pay.example/?a", false),
            ("https://u@pay.example", false),
            ("ftp://127.0.0.1", false),
            ("pay.example", false),
            ("", false),
        ] {
            assert_eq!(Hosts::all_at(base).is_ok(), good, "{base}");
        }
    }
}
