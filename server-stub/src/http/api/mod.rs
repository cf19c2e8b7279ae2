//! What programs ask, one file a resource.

pub(crate) mod admin;
pub mod health;
pub mod login;
pub mod metrics;
pub mod registrations;
pub mod server;
pub mod tokens;
pub mod validate;
pub mod verify;

use std::net::IpAddr;

/// A client's address as its budget is kept: IPv6 by its /64, because one machine has all of those. `None` for a text
/// that is no address.
pub(crate) fn address(text: &str) -> Option<String> {
    Some(match text.trim().parse::<IpAddr>().ok()?.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    })
}

/// An identifier as this server makes them; anything else is nobody's, and reaches no database.
pub(crate) fn identifier(text: &str) -> Option<String> {
    uuid::Uuid::try_parse(text).ok().map(|id| id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_machine_is_one_address() {
        assert_eq!(address("192.0.2.7").as_deref(), Some("192.0.2.7"));
        assert_eq!(address("::ffff:192.0.2.7").as_deref(), Some("192.0.2.7"));
        assert_eq!(address("2001:db8:1:2:3:4:5:6"), address("2001:db8:1:2::1"));
        assert_eq!(address("example.org"), None);
    }
}
