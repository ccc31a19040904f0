//! Which addresses may be called: those of the public internet, and what is allowed by name.
//!
//! An endpoint's URL comes from whoever may define endpoints, and a host's name resolves to what its owner likes; neither
//! must lead payonce to a metadata service, a neighbour's database or itself. Invariants: an address that is not global
//! unicast is refused, also where an IPv6 address carries it inside, unless an allowed network has it; an address written
//! in IPv6's mapped form is judged as the IPv4 address that it is. Source: the special-purpose registries of IANA (RFC
//! 6890 and its successors). Deliberately absent: resolving names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The networks of special purpose that are not to be called.
const SPECIAL_V4: &[(Ipv4Addr, u8)] = &[
    // "This network": on Linux 0.0.0.0 is this machine.
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    // Carrier-grade NAT; one metadata service lives here (100.100.100.200).
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Link-local; most metadata services live here (169.254.169.254).
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    // Protocol assignments, documentation, and the relays of 6to4.
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    // Benchmarking.
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast; reserved, with the broadcast address.
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// Global unicast is 2000::/3; these parts of it are not.
const SPECIAL_V6: &[(Ipv6Addr, u8)] = &[
    // Protocol assignments: Teredo, benchmarking, ORCHID, anycast.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
    // 6to4: given up (RFC 7526), and it leads wherever the IPv4 address inside does.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
];

const GLOBAL_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// NAT64: the IPv4 address is the last part.
const NAT64: (Ipv6Addr, u8) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// Which addresses may be called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks {
    allowed: Vec<IpNet>,
}

/// Why a text is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworksError {
    /// Neither a network nor an address.
    #[error(
        "{text:?} is no network; expected an address and a length of prefix, such as 10.1.0.0/16 or fd00::/8"
    )]
    Network {
        /// What was written.
        text: String,
    },
    /// Bits behind the prefix: which network is meant?
    #[error("{text} has bits behind its prefix; the network is {network}")]
    HostBits {
        /// What was written.
        text: String,
        /// What it may mean.
        network: IpNet,
    },
}

impl Networks {
    /// The public internet, and these networks (`10.1.0.0/16`, `fd00::/8`, a single address) beside it.
    ///
    /// # Errors
    /// [`NetworksError`] says which one is wrong.
    pub fn parse<T: AsRef<str>>(allowed: impl IntoIterator<Item = T>) -> Result<Self, NetworksError> {
        let network = |text: T| {
            let text = text.as_ref();
            let address = text.parse::<IpAddr>().map(IpNet::from);
            let network = text.parse::<IpNet>().ok().or(address.ok());
            let network = network.ok_or_else(|| NetworksError::Network { text: text.to_owned() })?;
            if network.trunc() == network {
                Ok(network)
            } else {
                Err(NetworksError::HostBits { text: text.to_owned(), network: network.trunc() })
            }
        };
        allowed.into_iter().map(network).collect::<Result<_, _>>().map(|allowed| Self { allowed })
    }

    /// Whether this address may be called.
    #[must_use]
    pub fn allow(&self, address: IpAddr) -> bool {
        // Mapped: the kernel connects to the IPv4 address inside.
        let address = address.to_canonical();
        self.allowed.iter().any(|network| network.contains(&address)) || is_global(address)
    }
}

/// Whether an address is global unicast.
fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|network| contains_v4(*network, address)),
        IpAddr::V6(address) if contains_v6(NAT64, address) => {
            let [.., high, low] = address.segments();
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            is_global(Ipv4Addr::new(a, b, c, d).into())
        }
        IpAddr::V6(address) => {
            contains_v6(GLOBAL_V6, address)
                && !SPECIAL_V6.iter().any(|network| contains_v6(*network, address))
        }
    }
}

fn contains_v4((network, length): (Ipv4Addr, u8), address: Ipv4Addr) -> bool {
    Ipv4Net::new(network, length).is_ok_and(|network| network.contains(&address))
}

fn contains_v6((network, length): (Ipv6Addr, u8), address: Ipv6Addr) -> bool {
    Ipv6Net::new(network, length).is_ok_and(|network| network.contains(&address))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn allows(networks: &Networks, address: &str) -> bool {
        networks.allow(address.parse().expect("an address"))
    }

    const INSIDE: &str = "
        0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.0 100.100.100.200 100.127.255.255 127.0.0.1
        127.255.255.255 169.254.0.1 169.254.169.254 172.16.0.0 172.31.255.255 192.0.0.1 192.0.0.192
        192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1
        224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 ::7f00:1 ::10.0.0.1 ::8.8.8.8
        ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1 64:ff9b::10.0.0.1
        64:ff9b::169.254.169.254 64:ff9b:1::8.8.8.8 100::1 2001::1 2001:0:7f00:1:: 2001:2::1
        2001:db8::1 2002:a00:1:: 2002:7f00:1::1 2002:808:808::1 3fff::1 4000::1 5f00::1 fc00::1
        fd00:ec2::254 fe80::1 fe80::a9fe:a9fe fec0::1 ff02::1 ffff::1
    ";

    const OUTSIDE: &str = "
        1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0
        169.253.255.255 172.15.255.255 172.32.0.0 192.0.1.0 192.167.255.255 192.169.0.0
        198.17.255.255 198.20.0.0 223.255.255.255 ::ffff:8.8.8.8 64:ff9b::8.8.8.8 2001:200::1
        2400:3200::1 2606:4700:4700::1111 3ffe::1
    ";

    #[test]
    fn nothing_but_the_public_internet_is_called() {
        let networks = Networks::default();
        for inside in INSIDE.split_whitespace() {
            assert!(!allows(&networks, inside), "{inside}");
        }
        for outside in OUTSIDE.split_whitespace() {
            assert!(allows(&networks, outside), "{outside}");
        }
    }

    #[test]
    fn trap_self_hosted_merchants_live_on_10_x() {
        let networks = Networks::parse(["10.1.0.0/16", "127.0.0.1", "fd00:1::/32"]).expect("networks");
        for (address, allowed) in [
            ("10.1.255.255", true),
            ("::ffff:10.1.0.1", true),
            ("10.2.0.1", false),
            ("127.0.0.1", true),
            ("127.0.0.2", false),
            ("fd00:1::1", true),
            ("fd00:2::1", false),
            ("64:ff9b::10.1.0.1", false),
            ("169.254.169.254", false),
            ("8.8.8.8", true),
        ] {
            assert_eq!(allows(&networks, address), allowed, "{address}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused_with_what_may_be_meant() {
        for text in
            ["", "10.0.0", "10.0.0.0/33", "::/129", "localhost", "10.0.0.0/8 ", "10.0.0.0/-1", "0x7f.1"]
        {
            assert_eq!(Networks::parse([text]), Err(NetworksError::Network { text: text.to_owned() }));
        }
        let error = Networks::parse(["10.0.0.0/8", "10.1.2.3/16"]).expect_err("host bits");
        assert_eq!(error.to_string(), "10.1.2.3/16 has bits behind its prefix; the network is 10.1.0.0/16");
    }

    proptest! {
        #[test]
        fn no_form_of_an_address_gets_round_the_refusal(address: u32) {
            let v4 = Ipv4Addr::from_bits(address);
            let is_inside = v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_multicast()
                || v4.is_broadcast() || v4.is_unspecified() || v4.is_documentation();
            let networks = Networks::default();
            let plain = networks.allow(v4.into());
            prop_assert!(!(is_inside && plain), "{}", v4);
            prop_assert_eq!(networks.allow(v4.to_ipv6_mapped().into()), plain);
            let [a, b] = [(address >> 16) as u16, (address & 0xffff) as u16];
            prop_assert_eq!(networks.allow(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, a, b).into()), plain);
            for hidden in [
                v4.to_ipv6_compatible(),
                Ipv6Addr::new(0x2002, a, b, 0, 0, 0, 0, 1),
                Ipv6Addr::new(0x2001, 0, a, b, 0, 0, !a, !b),
                Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0x5efe, a, b),
            ] {
                prop_assert!(!networks.allow(hidden.into()), "{}", hidden);
            }
        }

        #[test]
        fn special_ipv6_addresses_are_refused(bits: u128) {
            let address = Ipv6Addr::from_bits(bits);
            let special = address.is_loopback() || address.is_unspecified() || address.is_multicast()
                || address.is_unique_local() || address.is_unicast_link_local();
            prop_assert!(!(special && Networks::default().allow(address.into())), "{}", address);
        }
    }
}
