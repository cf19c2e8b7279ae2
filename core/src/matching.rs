//! Which token answers to a server.

use unicode_normalization::UnicodeNormalization;

/// An issuer as it is compared: trimmed, NFKC, case folded, so that `Corp PAM` and ` corp pam` are one.
pub fn fold(name: &str) -> String {
    name.trim().nfkc().flat_map(char::to_lowercase).nfkc().collect()
}
