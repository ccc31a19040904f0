//! Where the notify URL's name leads, and who can go there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use tokio::time::timeout;

use super::{Finding, notify_url::ANSWER_MAX};

const CHECK: &str = "notify_address";

/// The addresses; none where the name leads nowhere.
pub(super) async fn look(url: &Url) -> (Finding, Vec<SocketAddr>) {
    let host = host(url);
    let port = url.port_or_known_default().unwrap_or(443);
    let nowhere = |why: String, remedy: &'static str| {
        (Finding::failed(CHECK, format!("{host} has no address: {why}"), remedy), Vec::new())
    };
    let found: Vec<SocketAddr> = match timeout(ANSWER_MAX, tokio::net::lookup_host((host, port))).await {
        Ok(Ok(found)) => found.collect(),
        Ok(Err(error)) => return nowhere(error.to_string(), "mend its DNS"),
        Err(_) => {
            let why = format!("DNS did not answer within {} s", ANSWER_MAX.as_secs());
            return nowhere(why, "mend its DNS, or this machine's way to it");
        }
    };
    let addresses: Vec<IpAddr> = found.iter().map(SocketAddr::ip).collect();
    (judge(host, &addresses), found)
}

/// WeChat Pay takes any of them.
fn judge(host: &str, addresses: &[IpAddr]) -> Finding {
    let list =
        |addresses: &[IpAddr]| addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let inside: Vec<IpAddr> = addresses.iter().copied().filter(|address| !is_public(*address)).collect();
    if addresses.is_empty() {
        return Finding::failed(CHECK, format!("{host} has no address"), "mend its DNS");
    }
    if inside.is_empty() {
        return Finding::ok(CHECK, format!("{host} is {}", list(addresses)));
    }
    let remedy = "as seen from here; WeChat Pay may take any address of the name, and needs a public one";
    Finding::warning(CHECK, format!("{host} is {}, which nobody outside reaches", list(&inside)), remedy)
}

/// Whether the URL's host is, as it is written, the machine that asks.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = host(url);
    let name = host.trim_end_matches('.');
    name.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|ip| canonical(ip).is_loopback())
}

/// Without the brackets of an IPv6 address.
pub(super) fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default().trim_matches(['[', ']'])
}

fn is_public(address: IpAddr) -> bool {
    match canonical(address) {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

/// An IPv4 address that is written as one of IPv6 (`::ffff:10.0.0.1`) is what it stands for.
fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => v6.to_canonical(),
    }
}

/// IANA's registry of special-purpose IPv4 addresses (RFC 6890), and multicast (RFC 5771).
fn is_public_v4(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    let is_special = v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_multicast()
        || v4.is_documentation()
        || a == 0 // this network
        || a >= 240 // reserved, and broadcast
        || (a == 100 && (64..128).contains(&b)) // shared by a carrier's customers (RFC 6598)
        || (a == 198 && (18..20).contains(&b)) // benchmarks (RFC 2544)
        || (a == 192 && b == 0 && c == 0); // protocol assignments
    !is_special
}

/// Global unicast is `2000::/3` (RFC 4291), without what is set aside for documentation (RFC 3849).
fn is_public_v6(v6: Ipv6Addr) -> bool {
    let [first, second, ..] = v6.segments();
    first & 0xe000 == 0x2000 && !(first == 0x2001 && second == 0xdb8)
}

#[cfg(test)]
mod tests {
    use super::super::finding::Outcome;
    use super::*;

    #[test]
    fn addresses_that_nobody_outside_reaches_are_known() {
        for inside in [
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.1.1",
            "169.254.1.1",
            "172.16.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "2001:db8::1",
            "fc00::1",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
        for outside in
            ["1.1.1.1", "100.63.0.1", "100.128.0.1", "198.17.0.1", "::ffff:1.1.1.1", "2400:3200::1"]
        {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn one_address_inside_is_one_too_many() {
        let (inside, outside) = ("10.0.0.1".parse().unwrap(), "1.1.1.1".parse().unwrap());
        assert_eq!(judge("a.example", &[outside]).outcome, Outcome::Ok);
        let both = judge("a.example", &[outside, inside]);
        assert_eq!(both.outcome, Outcome::Warning);
        assert_eq!(both.detail, "a.example is 10.0.0.1, which nobody outside reaches");
        assert_eq!(judge("a.example", &[]).outcome, Outcome::Failed);
    }

    #[test]
    fn a_loopback_is_known_however_it_is_written() {
        for (url, expected) in [
            ("http://localhost/", true),
            ("http://LOCALHOST./", true),
            ("http://127.0.0.1:8080/", true),
            ("https://[::1]/", true),
            ("https://[::ffff:127.0.0.1]/", true),
            ("https://localhost.example/", false),
            ("https://10.0.0.1/", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
