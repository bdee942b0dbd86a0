//! IP networks: `10.0.0.0/8`, `2001:db8::/32`, or a single address.

use std::net::IpAddr;
use std::str::FromStr;

/// A network: its first address, or any inside, and how many bits all of its addresses share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    base: IpAddr,
    bits: u8,
}

/// Bits of an address of this kind.
fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

impl Network {
    /// `None` where an address has fewer bits.
    pub fn new(base: IpAddr, bits: u8) -> Option<Self> {
        (bits <= width(base)).then_some(Network { base, bits })
    }

    /// The network of one address.
    pub fn of(base: IpAddr) -> Self {
        Network { base, bits: width(base) }
    }

    /// Length of the prefix, 0 to 32 or 128.
    pub fn bits(self) -> u8 {
        self.bits
    }

    /// The first address.
    pub fn start(self) -> IpAddr {
        match self.base {
            IpAddr::V4(base) => {
                IpAddr::V4((base.to_bits() & u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0)).into())
            }
            IpAddr::V6(base) => {
                IpAddr::V6((base.to_bits() & u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0)).into())
            }
        }
    }

    /// An address of the other kind is never inside.
    pub fn holds(self, address: IpAddr) -> bool {
        Network::new(address, self.bits).is_some_and(|other| other.start() == self.start())
            && width(address) == width(self.base)
    }
}

/// A text that is no network: it is kept as it was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a network such as 10.0.0.0/8")]
pub struct BadNetwork(pub String);

impl FromStr for Network {
    type Err = BadNetwork;
    fn from_str(text: &str) -> Result<Self, BadNetwork> {
        let wrong = || BadNetwork(text.to_owned());
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let base: IpAddr = address.parse().map_err(|_| wrong())?;
        match bits {
            None => Ok(Network::of(base)),
            Some(bits) => bits.parse().ok().and_then(|bits| Network::new(base, bits)).ok_or_else(wrong),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_their_addresses() {
        let inside = |address: &str, network: &str| network.parse::<Network>().unwrap().holds(address.parse().unwrap());
        assert!(
            inside("10.1.2.3", "10.0.0.0/8") && inside("10.1.2.3", "10.9.9.9/8") && !inside("11.1.2.3", "10.0.0.0/8")
        );
        assert!(inside("2001:db8::1", "2001:db8::/32") && !inside("10.0.0.1", "::/0") && !inside("::1", "0.0.0.0/0"));
        assert!(inside("1.2.3.4", "0.0.0.0/0") && inside("1.2.3.4", "1.2.3.4") && !inside("1.2.3.5", "1.2.3.4/32"));
        for bad in ["10.0.0.0/33", "ten", "10.0.0/8", "10.0.0.0/x", "10.0.0.0/", "::/129"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }
}
