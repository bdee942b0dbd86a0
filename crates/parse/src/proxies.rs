//! Which address of a forwarded list is the client: what the networks of the operator's own proxies decide.
//!
//! Proxies put the address that they saw at the right end of the list; what stands left of an untrusted address is that
//! sender's own text. Reads lists only; where they stand is the formats' business.

use std::net::IpAddr;

use event::Network;

use crate::address::endpoint;

/// Networks whose machines are believed when they say whom they speak for.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<Network>);

impl From<Vec<Network>> for TrustedProxies {
    fn from(networks: Vec<Network>) -> Self {
        TrustedProxies(networks)
    }
}

impl TrustedProxies {
    /// Whether nobody is believed.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn trusts(&self, entry: &[u8]) -> bool {
        let Some(address) = address_of(entry) else { return false };
        self.0.iter().any(|network| network.holds(address))
    }

    /// The client of a request that came from `peer` with a forwarded list: the peer where it is not trusted, else the
    /// right-most entry that is not, else the first.
    pub(crate) fn client<'a>(&self, peer: &'a [u8], list: &'a [u8]) -> &'a [u8] {
        if self.is_empty() || !self.trusts(peer) {
            return peer;
        }
        self.last_untrusted(list).unwrap_or(peer)
    }

    /// The client where the server wrote a list alone: the right-most entry that is not trusted; the first where none is
    /// configured, which is a guess.
    pub(crate) fn client_of_list<'a>(&self, list: &'a [u8]) -> &'a [u8] {
        let first = entries(list).next_back().unwrap_or(list);
        if self.is_empty() { first } else { self.last_untrusted(list).unwrap_or(first) }
    }

    fn last_untrusted<'a>(&self, list: &'a [u8]) -> Option<&'a [u8]> {
        let mut known = None;
        for entry in entries(list) {
            // What is no address ends what can be believed: the proxy that was reached last is all that is known.
            if endpoint(entry).is_none() {
                return known;
            }
            known = Some(entry);
            if !self.trusts(entry) {
                return known;
            }
        }
        known
    }
}

/// The client of a list of which no proxy is known: the right-most entry that is of no private network. Where all are private, the last
/// one is the proxy that spoke, and in front of it stands whom that proxy saw. What stands left of it may be the client's own text.
pub(crate) fn client_of_unknown(list: &[u8]) -> &[u8] {
    let public = entries(list).map_while(|entry| Some((entry, address_of(entry)?))).find(|(_, it)| !is_private(*it));
    let seen_by_last = || entries(list).nth(1).filter(|entry| address_of(entry).is_some());
    public.map(|(entry, _)| entry).or_else(seen_by_last).or_else(|| entries(list).next()).unwrap_or(list)
}

fn address_of(entry: &[u8]) -> Option<IpAddr> {
    let (address, _) = endpoint(entry)?;
    std::str::from_utf8(address).ok()?.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

fn is_private(address: IpAddr) -> bool {
    match address {
        // 100.64.0.0/10 is shared between providers and what is behind them.
        IpAddr::V4(it) => {
            it.is_private() || it.is_loopback() || it.is_link_local() || u32::from(it) >> 22 == 0x6440_0000 >> 22
        }
        IpAddr::V6(it) => it.is_loopback() || it.is_unique_local() || it.is_unicast_link_local(),
    }
}

/// Entries of a list, the last one first.
fn entries(list: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    list.rsplit(|byte| *byte == b',').map(trim).filter(|entry| !entry.is_empty())
}

/// IIS writes blanks as `+`.
fn trim(entry: &[u8]) -> &[u8] {
    entry.trim_ascii().strip_prefix(b"+").unwrap_or(entry.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusted(networks: &[&str]) -> TrustedProxies {
        networks.iter().map(|text| text.parse().unwrap()).collect::<Vec<Network>>().into()
    }

    #[test]
    fn the_right_most_untrusted_address_is_the_client() {
        let own = trusted(&["10.0.0.0/8", "2001:db8:1::/48"]);
        let client = |peer: &'static str, list: &'static str| own.client(peer.as_bytes(), list.as_bytes());
        assert_eq!(client("10.0.0.1", "203.0.113.9, 198.51.100.4"), b"198.51.100.4");
        assert_eq!(client("10.0.0.1", "203.0.113.9, 198.51.100.4, 10.2.3.4"), b"198.51.100.4");
        assert_eq!(client("10.0.0.1:443", "198.51.100.4:4711,[2001:db8:1::7]:80"), b"198.51.100.4:4711");
        assert_eq!(client("::ffff:10.0.0.1", "198.51.100.4"), b"198.51.100.4");
        // A peer that is not ours may write what it likes.
        assert_eq!(client("192.0.2.1", "203.0.113.9"), b"192.0.2.1");
        assert_eq!(client("10.0.0.1", "10.0.0.3, 10.0.0.2"), b"10.0.0.3");
        assert_eq!(client("10.0.0.1", "203.0.113.9, unknown, 10.0.0.2"), b"10.0.0.2");
        assert_eq!(client("10.0.0.1", "unknown"), b"10.0.0.1");
    }

    #[test]
    fn a_list_alone_names_its_first_address_where_no_proxy_is_known() {
        let nobody = TrustedProxies::default();
        assert_eq!(nobody.client_of_list(b"203.0.113.9, 198.51.100.4"), b"203.0.113.9");
        assert_eq!(nobody.client(b"10.0.0.1", b"203.0.113.9"), b"10.0.0.1");
        assert_eq!(
            trusted(&["198.51.100.0/24"]).client_of_list(b"203.0.113.7,203.0.113.9,198.51.100.4"),
            b"203.0.113.9"
        );
    }

    #[test]
    fn a_list_of_an_application_names_its_last_public_address() {
        assert_eq!(
            client_of_unknown(b"203.0.113.9, 198.51.100.4:80, fe80::1, 100.64.0.7, 10.0.0.1"),
            b"198.51.100.4:80"
        );
        // The last one is the proxy that spoke.
        assert_eq!(client_of_unknown(b"10.9.9.9,10.0.0.1,192.168.0.7"), b"10.0.0.1");
        assert_eq!(client_of_unknown(b"unknown,192.168.0.7"), b"192.168.0.7");
        assert_eq!(client_of_unknown(b"192.168.0.7"), b"192.168.0.7");
        assert_eq!(client_of_unknown(b"203.0.113.9, unknown, 10.0.0.1"), b"10.0.0.1");
    }
}
