//! Enrollment links: what a server sends so that an app registers a token there without a password.
//!
//! `countersign://enroll?server=https%3A%2F%2Fpam.example.org&code=SECRET` opens the app; the page that the same link
//! opens in a browser is `https://pam.example.org/enroll/SECRET`.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::secret::SecretText;

/// What stays as it is in a query (RFC 3986, section 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The longest secret that is taken, in characters.
const LONGEST: usize = 128;

/// An enrollment link.
#[derive(Clone, PartialEq, Eq)]
pub struct EnrollLink {
    /// The server's address.
    pub server: String,
    /// What opens one registration there.
    pub code: SecretText,
}

/// The secret opens a registration.
impl fmt::Debug for EnrollLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnrollLink").field("server", &self.server).finish_non_exhaustive()
    }
}

/// Why a text is no enrollment link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnrollError {
    /// It is something else.
    #[error("this is no enrollment link")]
    Other,
    /// It does not say which server.
    #[error("the enrollment link does not name its server")]
    NoServer,
    /// It is cut off, or was changed on the way.
    #[error("the enrollment link is not whole: copy all of it")]
    NoCode,
}

/// Reads an enrollment link in either form, with white space around it.
///
/// # Errors
///
/// [`EnrollError::Other`] for a text that does not even begin like one.
pub fn parse(text: &str) -> Result<EnrollLink, EnrollError> {
    let text = text.trim();
    if let Some(rest) = strip_prefix_ignoring_case(text, "countersign://enroll") {
        let query = rest.trim_start_matches('/').strip_prefix('?').ok_or(EnrollError::NoServer)?;
        let field = |name: &str| {
            let value = query.split('&').find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name));
            value.and_then(|(_, value)| percent_decode_str(value).decode_utf8().ok()).map(|value| value.into_owned())
        };
        let server = field("server").filter(|server| !server.is_empty()).ok_or(EnrollError::NoServer)?;
        return Ok(EnrollLink { server, code: code(&field("code").unwrap_or_default())? });
    }
    let scheme = ["https://", "http://"].into_iter().find(|scheme| strip_prefix_ignoring_case(text, scheme).is_some());
    let (server, rest) = scheme.and(text.rsplit_once("/enroll/")).ok_or(EnrollError::Other)?;
    let rest = rest.split(['?', '#', '/']).next().unwrap_or_default();
    Ok(EnrollLink { server: server.to_owned(), code: code(rest)? })
}

/// The link that opens the app.
pub fn write(link: &EnrollLink) -> SecretText {
    let part = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
    SecretText::new(format!("countersign://enroll?server={}&code={}", part(&link.server), part(link.code.expose())))
}

fn code(text: &str) -> Result<SecretText, EnrollError> {
    let whole = (16..=LONGEST).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    whole.then(|| SecretText::new(text.to_owned())).ok_or(EnrollError::NoCode)
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "q0Yl3vJ-tZ_4kBvW8c1N2d5f7h9j0k3m5p7r9s1u3w5";

    #[test]
    fn both_forms_are_one_link() {
        let link =
            EnrollLink { server: "https://pam.example.org:8443/x".into(), code: SecretText::new(CODE.to_owned()) };
        assert_eq!(parse(write(&link).expose()), Ok(link.clone()));
        assert_eq!(parse(&format!(" https://pam.example.org:8443/x/enroll/{CODE}\n")), Ok(link.clone()));
        assert_eq!(parse(&format!("https://pam.example.org:8443/x/enroll/{CODE}?lang=de#qr")), Ok(link.clone()));
        assert_eq!(
            parse(&format!("COUNTERSIGN://enroll/?code={CODE}&more=1&server=https%3a%2f%2fpam.example.org:8443%2Fx")),
            Ok(link)
        );
    }

    #[test]
    fn what_is_no_link_says_why() {
        for (text, error) in [
            ("otpauth://totp/a?secret=AA", EnrollError::Other),
            ("https://pam.example.org/", EnrollError::Other),
            ("ftp://pam.example.org/enroll/aaaaaaaaaaaaaaaaaaaa", EnrollError::Other),
            ("countersign://enroll", EnrollError::NoServer),
            ("countersign://enroll?code=aaaaaaaaaaaaaaaaaaaa", EnrollError::NoServer),
            ("countersign://enroll?server=https%3A%2F%2Fa.example&code=abc", EnrollError::NoCode),
            ("https://pam.example.org/enroll/short", EnrollError::NoCode),
            ("https://pam.example.org/enroll/aaaaaaaaaaaaaaaaaa aaaaaaa", EnrollError::NoCode),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn its_secret_is_not_shown() {
        let link = parse(&format!("https://a.example/enroll/{CODE}")).unwrap();
        assert!(!format!("{link:?}").contains(CODE));
    }
}
