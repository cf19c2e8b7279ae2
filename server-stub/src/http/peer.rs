//! Who is at the other end of the connection.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, Version, header};

use crate::domain::network::Network;

/// The other end of the connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// What a proxy says of whom it asks for: who is behind one is not on this machine, whatever the connection looks like.
const FORWARDED: [&str; 9] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-server",
    "x-real-ip",
    "true-client-ip",
    "cf-connecting-ip",
];

/// Whether a request came from a program of this machine to a name of this machine. Another name that leads here is
/// somebody's page that had its name moved (DNS rebinding). Browsers and curl speak HTTP/1.1; what speaks an older version
/// is most likely a proxy that says nothing of whom it asks for, as nginx's `proxy_pass` is by itself.
pub(crate) fn is_local(peer: IpAddr, version: Version, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    version >= Version::HTTP_11
        && peer.to_canonical().is_loopback()
        && is_loopback(host)
        && !FORWARDED.iter().any(|name| headers.contains_key(*name))
}

/// The address whose budget a request is of; `None` where nobody's is known.
///
/// A proxy's own address is nobody's: all who come through it would share one budget. What `X-Forwarded-For` says is
/// believed of those who are trusted, from the end on, where each proxy wrote whom it heard. Of others that is whatever a
/// client likes to write. Only a private address with the mark of a proxy is taken for one that nobody named.
pub(crate) fn client(peer: IpAddr, version: Version, headers: &HeaderMap, trusted: &[Network]) -> Option<IpAddr> {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let peer = peer.to_canonical();
    if !is_trusted(peer) {
        let marked = version < Version::HTTP_11 || FORWARDED.iter().any(|name| headers.contains_key(*name));
        let nobody = peer.is_loopback() || marked && is_private(peer);
        return (!nobody).then_some(peer);
    }
    let said: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
    for said in said.join(",").rsplit(',') {
        // What cannot be read says nothing, and neither does what stands before it.
        let address = forwarded(said.trim())?.to_canonical();
        if !is_trusted(address) {
            return (!address.is_loopback()).then_some(address);
        }
    }
    None
}

/// An address as proxies write it: some with a port.
fn forwarded(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

/// Whether an address is of a network that the world does not see (RFC 1918, RFC 6598, RFC 4193) or of the link.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [a, b, ..] = address.octets();
            address.is_private() || address.is_link_local() || (a == 100 && b & 0xc0 == 64)
        }
        IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local(),
    }
}

/// Whether a host, with a port or without, is this machine's own.
pub(crate) fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn a_request_is_of_whom_a_trusted_proxy_names() {
        let asks = |peer: &str, trusted: &str, said: &[&'static str], version| {
            let trusted: Vec<Network> = trusted.split_whitespace().map(|network| network.parse().unwrap()).collect();
            let name = HeaderName::from_static("x-forwarded-for");
            let headers = said.iter().map(|said| (name.clone(), HeaderValue::from_static(said))).collect();
            client(peer.parse().unwrap(), version, &headers, &trusted).map(|address| address.to_string())
        };
        let (new, old) = (Version::HTTP_11, Version::HTTP_10);
        // Nobody is trusted: whoever is at the other end, but for this machine and what has the mark of a proxy at home.
        for (peer, said, version, address) in [
            ("203.0.113.5", &[][..], new, Some("203.0.113.5")),
            ("203.0.113.5", &["192.0.2.1"], new, Some("203.0.113.5")),
            ("203.0.113.5", &[], old, Some("203.0.113.5")),
            ("127.0.0.1", &[], new, None),
            ("::ffff:127.0.0.1", &["192.0.2.1"], new, None),
            ("::1", &[], new, None),
            ("10.0.0.5", &[], new, Some("10.0.0.5")),
            ("10.0.0.5", &["192.0.2.1"], new, None),
            ("10.0.0.5", &[], old, None),
            ("100.64.0.1", &["192.0.2.1"], new, None),
            ("fd00::1", &["192.0.2.1"], new, None),
        ] {
            assert_eq!(asks(peer, "", said, version).as_deref(), address, "{peer} {said:?}");
        }
        // From the end on, over those who are trusted; what a client wrote stands before.
        let trusted = "127.0.0.1 10.0.0.0/8 2001:db8::/32";
        for (peer, said, address) in [
            ("127.0.0.1", &["192.0.2.1"][..], Some("192.0.2.1")),
            ("127.0.0.1", &["198.51.100.9, 192.0.2.1, 10.1.1.1"], Some("192.0.2.1")),
            ("127.0.0.1", &["198.51.100.9", "192.0.2.1"], Some("192.0.2.1")),
            ("10.0.0.1", &["192.0.2.1:4711"], Some("192.0.2.1")),
            ("10.0.0.1", &["[2a00::1]:4711"], Some("2a00::1")),
            ("10.0.0.1", &["[2a00::1]"], Some("2a00::1")),
            ("2001:db8::1", &["::ffff:192.0.2.1"], Some("192.0.2.1")),
            ("10.0.0.1", &["198.51.100.9, nonsense"], None),
            ("10.0.0.1", &["10.0.0.2"], None),
            ("10.0.0.1", &[], None),
            ("203.0.113.5", &["192.0.2.1"], Some("203.0.113.5")),
        ] {
            assert_eq!(asks(peer, trusted, said, new).as_deref(), address, "{peer} {said:?}");
        }
    }

    #[test]
    fn only_this_machine_by_its_own_name_sees_messages() {
        let here = |peer: &str, host: &'static str, more: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static(host));
            if let Some(more) = more {
                headers.insert(HeaderName::from_static(more), HeaderValue::from_static("127.0.0.1"));
            }
            is_local(peer.parse().unwrap(), Version::HTTP_11, &headers)
        };
        for host in ["localhost", "LOCALHOST:8470", "127.0.0.1:8470", "127.1.2.3", "[::1]:8470", "[::1]"] {
            assert!(here("127.0.0.1", host, None), "{host}");
            assert!(here("::1", host, None) && here("::ffff:127.0.0.1", host, None), "{host}");
            assert!(!here("192.0.2.1", host, None), "{host}");
        }
        for host in
            ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8470", "192.0.2.1", "[2001:db8::1]"]
        {
            assert!(!here("127.0.0.1", host, None), "{host}");
        }
        for header in FORWARDED {
            assert!(!here("127.0.0.1", "localhost", Some(header)), "{header}");
        }
        let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("127.0.0.1:8470"))]);
        assert!(!is_local("127.0.0.1".parse().unwrap(), Version::HTTP_10, &headers));
    }
}
