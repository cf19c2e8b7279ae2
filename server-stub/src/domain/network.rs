//! Networks, as settings name them.

use std::{fmt, net::IpAddr, str::FromStr};

/// A network: an address, and how many of its bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

/// A text that names no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a network is an address, or one with the number of its bits that count, as in 10.0.0.0/8")]
pub struct NotANetwork;

/// How many bits an address has.
fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

impl Network {
    /// Whether an address is of it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        // Of no bits at all, all addresses of a kind are one.
        let beginning = |address: IpAddr| {
            let number = match address {
                IpAddr::V4(address) => u32::from(address).into(),
                IpAddr::V6(address) => u128::from(address),
            };
            number.checked_shr(width(address) - self.bits).unwrap_or(0)
        };
        self.address.is_ipv4() == address.is_ipv4() && beginning(self.address) == beginning(address)
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, bits) = match text.split_once('/') {
            None => (text, None),
            Some((address, bits)) => (address, Some(bits.parse::<u32>().map_err(|_| NotANetwork)?)),
        };
        let address: IpAddr = address.parse().map_err(|_| NotANetwork)?;
        let bits = bits.unwrap_or(width(address));
        // What it would be in IPv4 is said in IPv4.
        let plain = address == address.to_canonical();
        if plain && bits <= width(address) { Ok(Self { address, bits }) } else { Err(NotANetwork) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bits == width(self.address) { self.address.fmt(f) } else { write!(f, "{}/{}", self.address, self.bits) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_the_addresses_that_begin_alike() {
        let has = |network: &str, address: &str| {
            network.parse::<Network>().unwrap().contains(address.parse::<IpAddr>().unwrap())
        };
        for (network, address) in [
            ("10.0.0.0/8", "10.255.0.1"),
            ("10.0.0.0/8", "::ffff:10.1.2.3"),
            ("192.0.2.7", "192.0.2.7"),
            ("192.0.2.4/30", "192.0.2.7"),
            ("0.0.0.0/0", "203.0.113.1"),
            ("2001:db8::/32", "2001:db8:ffff::1"),
            ("::/0", "2001:db8::1"),
            ("::1", "::1"),
        ] {
            assert!(has(network, address), "{network} {address}");
            assert_eq!(network.parse::<Network>().unwrap().to_string(), network);
        }
        for (network, address) in [
            ("10.0.0.0/8", "11.0.0.1"),
            ("192.0.2.7", "192.0.2.6"),
            ("192.0.2.4/30", "192.0.2.8"),
            ("0.0.0.0/0", "2001:db8::1"),
            ("::/0", "192.0.2.1"),
            ("2001:db8::/32", "2001:db9::1"),
        ] {
            assert!(!has(network, address), "{network} {address}");
        }
        for wrong in
            ["", "10.0.0.0/33", "10.0.0/8", "proxy.example", "::/129", "10.0.0.1/", "::ffff:10.0.0.1", "1.2.3.4/-1"]
        {
            assert_eq!(wrong.parse::<Network>(), Err(NotANetwork), "{wrong}");
        }
    }
}
