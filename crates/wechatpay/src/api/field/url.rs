//! URLs: where WeChat Pay sends its notices, and where files may be asked for.
//!
//! Invariant: plain `http` goes to this machine alone. Deliberately absent: a parser of URLs. What an HTTP library might
//! read otherwise than this does (a name before `@`, a backslash, an address in another notation) is refused.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Checked, InvalidField, Rule, characters, text};

/// Where WeChat Pay sends its notices: `https`, a host, no query, no fragment, no blanks, at most 255 characters.
///
/// WeChat Pay itself takes `https` only. `http` is let through for the loopback, to which WeChat Pay could send nothing:
/// there a simulator and the server that is tested stand on one machine, and nobody has a certificate for that.
pub(in crate::api) fn notify_url(value: &str) -> Checked<String> {
    const FIELD: &str = "notify_url";
    let text = text(FIELD, value, 1, 255)?;
    let rest = match value.strip_prefix("http://") {
        Some(rest) if is_loopback(authority(rest).0) => Some(rest),
        Some(_) => None,
        None => value.strip_prefix("https://"),
    };
    let rest = rest.ok_or(InvalidField::new(FIELD, Rule::Https))?;
    if rest.is_empty() || rest.starts_with(['/', ':', '?', '#']) {
        return Err(InvalidField::new(FIELD, Rule::Https));
    }
    if rest.contains(['?', '#']) {
        return Err(InvalidField::new(FIELD, Rule::UrlQuery));
    }
    characters(FIELD, rest, "visible ASCII", |byte| byte.is_ascii_graphic())?;
    Ok(text)
}

/// A scheme, a host and a port. Two that are equal name the same server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::api) struct Origin {
    is_plain: bool,
    /// In lower case, without the scheme's own port.
    pub(in crate::api) host: String,
}

impl Origin {
    /// A base: `https`, or `http` at the loopback, and nothing behind.
    pub(in crate::api) fn base(field: &'static str, base: &str) -> Checked<Self> {
        match Self::split(field, base) {
            Ok((origin, "" | "/")) => Ok(origin),
            _ => Err(InvalidField::new(field, Rule::Base)),
        }
    }

    /// Of this URL, which is `https`, or `http` at the loopback; and what follows it.
    pub(in crate::api) fn split<'a>(field: &'static str, url: &'a str) -> Checked<(Self, &'a str)> {
        let wrong = InvalidField::new(field, Rule::Https);
        let (is_plain, rest) = match url.strip_prefix("http://") {
            Some(rest) => (true, rest),
            None => (false, url.strip_prefix("https://").ok_or(wrong.clone())?),
        };
        let (host, rest) = authority(rest);
        if host.is_empty() || (is_plain && !is_loopback(host)) {
            return Err(wrong);
        }
        let is_of_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
        if !host.bytes().all(is_of_host) {
            return Err(InvalidField::new(field, Rule::Host));
        }
        let host = host.strip_suffix(if is_plain { ":80" } else { ":443" }).unwrap_or(host);
        Ok((Self { is_plain, host: host.to_ascii_lowercase() }, rest))
    }

    /// Whether it is spoken to over TLS.
    pub(in crate::api) fn is_https(&self) -> bool {
        !self.is_plain
    }
}

/// Host and port of what follows `://`, and the rest.
fn authority(rest: &str) -> (&str, &str) {
    rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()))
}

/// Whether this host, with or without a port, is surely this machine.
fn is_loopback(authority: &str) -> bool {
    let is_port = |text: &str| {
        text.is_empty() || text.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
    };
    if let Some((host, port)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return is_port(port) && host.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback());
    }
    let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
    let is_address = host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback());
    is_port(port) && (is_address || host.eq_ignore_ascii_case("localhost"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_of_notify_urls() {
        let long = format!("https://pay.example.com/{}", "n".repeat(231));
        assert_eq!(long.len(), 255);
        for (url, rule) in [
            ("https://pay.example.com/notify/v3/1900000001", None),
            (long.as_str(), None),
            (&format!("{long}n"), Some(Rule::Length { chars: 256, min: 1, max: 255 })),
            ("", Some(Rule::Length { chars: 0, min: 1, max: 255 })),
            ("http://pay.example.com/", Some(Rule::Https)),
            ("pay.example.com/notify", Some(Rule::Https)),
            ("https://", Some(Rule::Https)),
            ("https:///notify", Some(Rule::Https)),
            (" https://pay.example.com/", Some(Rule::Https)),
            ("https://pay.example.com/?a=1", Some(Rule::UrlQuery)),
            ("https://pay.example.com/#a", Some(Rule::UrlQuery)),
            ("https://pay.example.com/ ", Some(Rule::Characters { allowed: "visible ASCII" })),
        ] {
            assert_eq!(notify_url(url).err().map(|error| error.rule), rule, "{url}");
        }
    }

    #[test]
    fn notices_over_plain_http_go_to_this_machine_alone() {
        for (url, rule) in [
            ("http://127.0.0.1:8080/notify/v3/1900000001", None),
            ("http://127.0.0.1", None),
            ("http://127.9.9.9/", None),
            ("http://localhost:8080/notify", None),
            ("http://LOCALHOST/", None),
            ("http://[::1]:8080/notify", None),
            ("http://[::1]", None),
            ("http://127.0.0.1:8080/?a=1", Some(Rule::UrlQuery)),
            ("http://localhost/a b", Some(Rule::Characters { allowed: "visible ASCII" })),
            ("http://", Some(Rule::Https)),
            ("http://10.0.0.1/", Some(Rule::Https)),
            ("http://0.0.0.0/", Some(Rule::Https)),
            ("http://[::]/", Some(Rule::Https)),
            ("http://[::1/", Some(Rule::Https)),
            ("http://[::1]a/", Some(Rule::Https)),
            ("http://127.1/", Some(Rule::Https)),
            ("http://2130706433/", Some(Rule::Https)),
            ("http://127.0.0.1.example.com/", Some(Rule::Https)),
            ("http://localhost.example.com/", Some(Rule::Https)),
            ("http://127.0.0.1:80@example.com/", Some(Rule::Https)),
            ("http://localhost@example.com/", Some(Rule::Https)),
            ("http://example.com\\@127.0.0.1/", Some(Rule::Https)),
            ("http://127.0.0.1\\@example.com/", Some(Rule::Https)),
            ("http://127.0.0.1:99999/", Some(Rule::Https)),
            ("HTTP://127.0.0.1/", Some(Rule::Https)),
        ] {
            assert_eq!(notify_url(url).err().map(|error| error.rule), rule, "{url}");
        }
    }
}
