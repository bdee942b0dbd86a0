//! Requests go to public addresses only, unless a network is let through by name: the check stands inside the resolver,
//! so that the address that was checked is the one that is connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use event::Network;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Networks that are not the public internet, and what they are.
const CLOSED_V4: [(Ipv4Addr, u8, &str); 14] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, "this network"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "shared by a carrier"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local (metadata services)"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "protocol assignments"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "6to4 relay"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "benchmarks"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "documentation"),
    // Multicast and everything reserved above it.
    (Ipv4Addr::new(224, 0, 0, 0), 3, "multicast or reserved"),
];
const CLOSED_V6: [(Ipv6Addr, u8, &str); 9] = [
    (Ipv6Addr::UNSPECIFIED, 127, "unspecified or loopback"),
    (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96, "NAT64"),
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48, "NAT64"),
    (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 64, "discard"),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "protocol assignments"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "documentation"),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, "6to4"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "documentation"),
    // fc00::/7, fe80::/10, fec0::/10 and ff00::/8 lie in it.
    (Ipv6Addr::new(0xf000, 0, 0, 0, 0, 0, 0, 0), 4, "private, link-local or multicast"),
];

/// Why the address must not be called; `None` where it may.
pub fn closed(address: IpAddr, allow: &[Network]) -> Option<&'static str> {
    // An IPv4 address in an IPv6 one is where the packet goes.
    let address = address.to_canonical();
    if allow.iter().any(|network| network.holds(address)) {
        return None;
    }
    match address {
        IpAddr::V4(_) => CLOSED_V4
            .iter()
            .find(|(base, bits, _)| {
                Network::new(IpAddr::V4(*base), *bits).is_some_and(|network| network.holds(address))
            })
            .map(|(_, _, what)| *what),
        IpAddr::V6(v6) => {
            // Old form of an IPv4 address inside (::a.b.c.d).
            let compatible = v6.segments()[..6].iter().all(|part| *part == 0);
            let found = CLOSED_V6
                .iter()
                .find(|(base, bits, _)| {
                    Network::new(IpAddr::V6(*base), *bits).is_some_and(|network| network.holds(address))
                })
                .map(|(_, _, what)| *what);
            found.or(compatible.then_some("an IPv4 address in disguise"))
        }
    }
}

/// Resolves names and leaves out what must not be called.
#[derive(Clone, Debug)]
pub struct GuardedResolver {
    /// Networks that may be reached although they are not public.
    pub allow: Arc<[Network]>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow = Arc::clone(&self.allow);
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let mut reason = None;
            let open: Vec<SocketAddr> = found
                .into_iter()
                .filter(|address| {
                    let why = closed(address.ip(), &allow);
                    reason = reason.or(why);
                    why.is_none()
                })
                .collect();
            match (open.is_empty(), reason) {
                (true, Some(why)) => {
                    metrics::counter!("webhook_guard_refusals_total").increment(1);
                    Err(format!("{} has no address that may be called: {why}", name.as_str()).into())
                }
                _ => Ok(Box::new(open.into_iter()) as Addrs),
            }
        })
    }
}

/// An address that must not be called, and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{address} must not be called: {why}")]
pub struct ClosedAddress {
    address: IpAddr,
    why: &'static str,
}

/// Addresses written in the URL never meet the resolver: they are checked here.
pub fn check_literal(url: &reqwest::Url, allow: &[Network]) -> Result<(), ClosedAddress> {
    let host = url.host_str().unwrap_or("");
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    match literal.ok().and_then(|address| closed(address, allow).map(|why| (address, why))) {
        Some((address, why)) => {
            metrics::counter!("webhook_guard_refusals_total").increment(1);
            Err(ClosedAddress { address, why })
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_closed(address: &str, allow: &[&str]) -> bool {
        let allow: Vec<Network> = allow.iter().map(|network| network.parse().unwrap()).collect();
        closed(address.parse().unwrap(), &allow).is_some()
    }

    #[test]
    fn everything_that_is_not_public_is_closed() {
        for address in [
            "127.0.0.1",
            "127.9.9.9",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "192.0.0.8",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "3fff::1",
            "2001::1",
            "fec0::1",
        ] {
            assert!(is_closed(address, &[]), "{address}");
        }
        for address in ["8.8.8.8", "1.1.1.1", "172.32.0.1", "2606:4700::1111", "2a00:1450::1", "100.128.0.1"] {
            assert!(!is_closed(address, &[]), "{address}");
        }
    }

    #[test]
    fn a_network_is_let_through_by_name_and_nothing_else_with_it() {
        assert!(!is_closed("10.1.2.3", &["10.1.0.0/16"]));
        assert!(!is_closed("::ffff:10.1.2.3", &["10.1.0.0/16"]));
        assert!(is_closed("10.2.2.3", &["10.1.0.0/16"]));
        assert!(!is_closed("127.0.0.1", &["127.0.0.1"]));
        assert!(is_closed("127.0.0.2", &["127.0.0.1"]));
        assert!(!is_closed("10.0.0.1", &["0.0.0.0/0"]));
        for wrong in ["10.0.0.0/33", "x", "10.0.0.0/", "::/129"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn names_that_resolve_to_closed_addresses_are_refused_when_connecting() {
        let resolver = GuardedResolver { allow: Arc::new([]) };
        let refused = resolver.resolve("localhost".parse().unwrap()).await.err().unwrap();
        assert!(refused.to_string().contains("loopback"), "{refused}");
        let url = |text: &str| text.parse::<reqwest::Url>().unwrap();
        assert!(check_literal(&url("http://[::1]:9/"), &[]).is_err());
        assert!(check_literal(&url("http://0x7f000001/"), &[]).is_err(), "the URL parser reads it as 127.0.0.1");
        assert!(check_literal(&url("http://example.com/"), &[]).is_ok());
    }
}
