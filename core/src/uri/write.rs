//! Tokens as links.

use std::fmt::Write;

use data_encoding::BASE32_NOPAD;

use super::percent::encode;
use crate::{
    secret::SecretText,
    token::{Kind, TokenSpec},
};

pub(super) fn write(spec: &TokenSpec) -> SecretText {
    // Room for all of it with every byte escaped: growing would leave copies of the secret in freed memory.
    let mut uri = String::with_capacity(256 + 3 * text_bytes(spec));
    uri.push_str(match &spec.kind {
        Kind::Totp { .. } => "otpauth://totp/",
        Kind::Hotp { .. } => "otpauth://hotp/",
        Kind::Steam => "otpauth://steam/",
        Kind::Yandex { .. } => "otpauth://yaotp/",
        Kind::Motp { .. } => "motp://",
    });
    label(spec, &mut uri);
    uri.push_str("?secret=");
    match &spec.kind {
        Kind::Motp { .. } => uri.push_str(spec.secret.hex().expose()),
        _ => uri.push_str(spec.secret.base32().expose()),
    }
    if !spec.issuer.is_empty() {
        parameter("issuer", &spec.issuer, &mut uri);
    }
    // What is usual is written too: other apps have other ideas of it. Writing into a String cannot fail.
    let _ = match &spec.kind {
        Kind::Totp { algorithm, digits, period } => {
            write!(uri, "&algorithm={algorithm}&digits={digits}&period={period}")
        }
        Kind::Hotp { algorithm, digits, counter } => {
            write!(uri, "&algorithm={algorithm}&digits={digits}&counter={counter}")
        }
        Kind::Steam | Kind::Yandex { .. } | Kind::Motp { .. } => Ok(()),
    };
    if let Some(pin) = spec.kind.pin() {
        uri.push_str("&pin=");
        BASE32_NOPAD.encode_append(pin.expose().as_bytes(), &mut uri);
    }
    for (name, value) in &spec.uri_parameters {
        parameter(name, value, &mut uri);
    }
    SecretText::new(uri)
}

/// The label, so that its first bare colon always separates issuer and account, whatever colons the names have.
fn label(spec: &TokenSpec, uri: &mut String) {
    let issuer = spec.label_issuer.as_ref().unwrap_or(&spec.issuer);
    if issuer.is_empty() && !spec.account.contains(':') {
        return encode(&spec.account, uri);
    }
    encode(issuer, uri);
    uri.push(':');
    if spec.account.starts_with(' ') {
        // Readers drop one space after the colon.
        uri.push_str("%20");
    }
    encode(&spec.account, uri);
}

fn parameter(name: &str, value: &str, uri: &mut String) {
    uri.push('&');
    encode(name, uri);
    uri.push('=');
    encode(value, uri);
}

fn text_bytes(spec: &TokenSpec) -> usize {
    let parameters: usize = spec.uri_parameters.iter().map(|(name, value)| name.len() + value.len() + 1).sum();
    let pin = spec.kind.pin().map_or(0, |pin| pin.expose().len());
    let label_issuer = spec.label_issuer.as_ref().map_or(0, String::len);
    let secret = spec.secret.bytes().len() + spec.secret.text().expose().len();
    2 * spec.issuer.len() + label_issuer + spec.account.len() + secret + pin + parameters
}
