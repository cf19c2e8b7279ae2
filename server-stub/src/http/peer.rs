//! Who is at the other end of the connection.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, Version, header};

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
