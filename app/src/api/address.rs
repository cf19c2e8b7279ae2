//! A server's address, as a person types it.

use std::{fmt, net::IpAddr};

use reqwest::Url;

/// An address that requests may go to: HTTPS, or this very machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAddress(String);

/// Why a text is no server's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Nothing was typed.
    #[error("type the server's address, such as pam.example.org")]
    Empty,
    /// It cannot be read.
    #[error("that is no address of a server; it looks like pam.example.org")]
    Unreadable,
    /// Another way than HTTPS.
    #[error("the address begins with https://; without encryption only a server on this machine is reached")]
    NotEncrypted,
    /// It has a name, a password, a query or a fragment.
    #[error("only the address is asked for, without user, password, ? or #")]
    TooMuch,
}

impl ServerAddress {
    /// Reads an address: `pam.example.org`, `https://pam.example.org:8443/countersign`, `http://localhost:8470`.
    pub fn parse(typed: &str) -> Result<Self, AddressError> {
        let typed = typed.trim();
        if typed.is_empty() {
            return Err(AddressError::Empty);
        }
        let with_scheme = if typed.contains("://") { typed.to_owned() } else { format!("https://{typed}") };
        let url = Url::parse(&with_scheme).map_err(|_| AddressError::Unreadable)?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(AddressError::Unreadable)?;
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err(AddressError::TooMuch);
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(host) => {}
            "http" => return Err(AddressError::NotEncrypted),
            _ => return Err(AddressError::Unreadable),
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }

    /// The address, without a closing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.ends_with(".localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// An address without its scheme, as a person says it.
pub fn short(address: &str) -> &str {
    address.split_once("://").map_or(address, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_is_typed() {
        for (typed, read) in [
            (" pam.example.org ", "https://pam.example.org"),
            ("PAM.Example.org/", "https://pam.example.org"),
            ("https://pam.example.org:8443/x/", "https://pam.example.org:8443/x"),
            ("http://localhost:8470", "http://localhost:8470"),
            ("http://127.0.0.1:8470/", "http://127.0.0.1:8470"),
            ("http://[::1]:8470", "http://[::1]:8470"),
            ("bücher.example", "https://xn--bcher-kva.example"),
        ] {
            assert_eq!(ServerAddress::parse(typed).map(|address| address.to_string()), Ok(read.to_owned()), "{typed}");
        }
    }

    #[test]
    fn what_is_no_address_says_why() {
        for (typed, error) in [
            (" ", AddressError::Empty),
            ("http://pam.example.org", AddressError::NotEncrypted),
            ("http://localhost.example.org", AddressError::NotEncrypted),
            ("http://127.0.0.1.example.org", AddressError::NotEncrypted),
            ("ftp://pam.example.org", AddressError::Unreadable),
            ("https://", AddressError::Unreadable),
            ("a b", AddressError::Unreadable),
            ("https://ada:secret@pam.example.org", AddressError::TooMuch),
            ("https://pam.example.org/?x=1", AddressError::TooMuch),
            ("https://pam.example.org/#x", AddressError::TooMuch),
        ] {
            assert_eq!(ServerAddress::parse(typed), Err(error), "{typed}");
        }
    }
}
