//! What a user is called, and what may be on file.

use countersign_core::matching::fold;

use super::shown::{is_visible, turns_direction};

/// The longest name, in characters.
pub const MAX_NAME: usize = 128;

/// A user's or group's name that may be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    shown: String,
    folded: String,
}

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Nothing but spaces, and what is not seen either.
    #[error("the name is empty")]
    Empty,
    /// More than 128 characters.
    #[error("the name is longer than {MAX_NAME} characters")]
    TooLong,
    /// Line ends and the like.
    #[error("the name has a control character")]
    Control,
    /// It would look like another.
    #[error("the name has a character that turns the direction of the text")]
    Direction,
    /// What an address takes for a folder.
    #[error("the name is . or .., which an address takes for a folder")]
    Dots,
}

impl Name {
    /// Checks a name. Spaces around it are no part of it.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let shown = text.trim();
        if shown.chars().count() > MAX_NAME {
            return Err(NameError::TooLong);
        }
        if shown.chars().any(char::is_control) {
            return Err(NameError::Control);
        }
        if shown.chars().any(turns_direction) {
            return Err(NameError::Direction);
        }
        if !shown.chars().any(is_visible) {
            return Err(NameError::Empty);
        }
        let folded = fold(shown);
        if folded == "." || folded == ".." {
            return Err(NameError::Dots);
        }
        Ok(Self { shown: shown.to_owned(), folded })
    }

    /// As it was given.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// As it is compared: one for every spelling, case and Unicode form.
    pub fn folded(&self) -> &str {
        &self.folded
    }
}

/// The longest password, in characters: however a client writes it as JSON, a request with it is below
/// [`crate::http::MOST_BODY`].
pub const MAX_PASSWORD: usize = 1024;

/// Why a text is no password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// Nothing.
    #[error("the password is empty")]
    Empty,
    /// More than 1,024 characters.
    #[error("the password is longer than {MAX_PASSWORD} characters: no request could hold it")]
    TooLong,
    /// A character at which some programs think that a text ends.
    #[error("the password has a NUL character")]
    Nul,
}

/// Checks that a password can be kept, and sent.
pub fn password(text: &str) -> Result<(), PasswordError> {
    if text.is_empty() {
        return Err(PasswordError::Empty);
    }
    if text.chars().count() > MAX_PASSWORD {
        return Err(PasswordError::TooLong);
    }
    if text.contains('\0') {
        return Err(PasswordError::Nul);
    }
    Ok(())
}

/// Why a text is no telephone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a phone number is + and 7 to 15 digits, as in +49 170 1234567")]
pub struct PhoneError;

/// A number in the form of E.164: `+` and 7 to 15 digits. Spaces, dashes and brackets are dropped.
pub fn phone(text: &str) -> Result<String, PhoneError> {
    let clean: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '/' | '.')).collect();
    match clean.strip_prefix('+') {
        Some(digits)
            if text.len() <= 40
                && (7..=15).contains(&digits.len())
                && digits.bytes().all(|b| b.is_ascii_digit())
                && !digits.starts_with('0') =>
        {
            Ok(clean)
        }
        _ => Err(PhoneError),
    }
}

/// Why a text is no mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no mail address")]
pub struct EmailError;

/// A mail address as far as it can be checked without sending to it: one `@`, no spaces, nothing that could end a header.
pub fn email(text: &str) -> Result<String, EmailError> {
    let text = text.trim();
    let whole =
        text.len() <= 254 && !text.chars().any(|c| c.is_control() || c.is_whitespace() || "<>,;:\"()[]\\".contains(c));
    match text.rsplit_once('@') {
        Some((local, domain))
            if whole
                && !local.is_empty()
                && !local.contains('@')
                && domain.contains('.')
                && !domain.starts_with('.')
                && !domain.ends_with('.') =>
        {
            Ok(text.to_owned())
        }
        _ => Err(EmailError),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_however_it_is_typed() {
        let ada = Name::new("Ada").unwrap();
        for typed in ["ada", " ADA ", "Ａda", "ada\u{a0}"] {
            assert_eq!(Name::new(typed).unwrap().folded(), ada.folded(), "{typed}");
        }
        assert_eq!(Name::new(" "), Err(NameError::Empty));
        assert_eq!(Name::new("a\nb"), Err(NameError::Control));
        assert_eq!(Name::new("\u{200b} \u{3164}"), Err(NameError::Empty));
        assert_eq!(Name::new("\u{202e}ada"), Err(NameError::Direction));
        for dots in [".", " .. ", "\u{ff0e}", "\u{2025}"] {
            assert_eq!(Name::new(dots), Err(NameError::Dots), "{dots}");
        }
        for name in ["...", "a.", "شيرين", "می\u{200c}خواهم"] {
            assert_eq!(Name::new(name).unwrap().shown(), name);
        }
        assert_eq!(Name::new(&"a".repeat(129)), Err(NameError::TooLong));
    }

    #[test]
    fn a_password_can_be_sent_in_whatever_spelling() {
        assert_eq!(password(""), Err(PasswordError::Empty));
        assert_eq!(password("a\0b"), Err(PasswordError::Nul));
        let longest = "\u{1f600}".repeat(MAX_PASSWORD);
        assert_eq!(password(&longest), Ok(()));
        assert_eq!(password(&format!("{longest}a")), Err(PasswordError::TooLong));
        // Two escapes of six bytes a character are the longest way to write one; the other fields have what is left.
        let name = 12 * MAX_NAME;
        let app = 2 * 12 * super::super::shown::MAX_APP_NAME;
        assert!(12 * MAX_PASSWORD + name + app + 512 < crate::http::MOST_BODY);
    }

    #[test]
    fn numbers_and_addresses_are_checked() {
        assert_eq!(phone("+49 (170) 123-4567").unwrap(), "+491701234567");
        for wrong in ["0170 1234567", "+49", "+49170123456789012", "+49 170 12a", "", "+0123456789"] {
            assert_eq!(phone(wrong), Err(PhoneError), "{wrong}");
        }
        assert_eq!(email(" ada@example.org ").unwrap(), "ada@example.org");
        for wrong in
            ["ada", "ada@", "@example.org", "a@b@example.org", "ada@example.org\r\nBcc: x@y.z", "a b@c.d", "a@.d"]
        {
            assert_eq!(email(wrong), Err(EmailError), "{wrong}");
        }
    }
}
