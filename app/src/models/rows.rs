//! What rows have in common: letters, colours and short words for a token.

use countersign_core::token::{Algorithm, KindName, TokenSpec};

/// The letter of an avatar: the first letter or digit of the title.
pub fn initial(title: &str) -> String {
    title.chars().find(|c| c.is_alphanumeric()).map_or_else(|| "?".to_owned(), |c| c.to_uppercase().to_string())
}

/// The colour of an avatar, which belongs to the issuer: its place in `Theme.avatars`.
pub fn colour(title: &str) -> i32 {
    // A handful of colours fits whatever an index is.
    crate::icons::letter_colour_index(title) as i32
}

/// What is said of every kind but the usual one.
pub fn badge(kind: KindName) -> &'static str {
    match kind {
        KindName::Totp => "",
        KindName::Hotp => "HOTP",
        KindName::Steam => "Steam",
        KindName::Motp => "mOTP",
        KindName::Yandex => "Yandex",
    }
}

/// How codes are made, in one line: `TOTP, SHA-1, 6 digits, 30 s`.
pub fn parameters(spec: &TokenSpec) -> String {
    let kind = match spec.kind.name() {
        KindName::Totp => "TOTP",
        other => badge(other),
    };
    let mut text = kind.to_owned();
    if let Some(algorithm) = spec.kind.algorithm() {
        text.push_str(match algorithm {
            Algorithm::Sha1 => ", SHA-1",
            Algorithm::Sha256 => ", SHA-256",
            Algorithm::Sha512 => ", SHA-512",
        });
    }
    text.push_str(&format!(", {} digits", spec.kind.digits()));
    if let Some(period) = spec.kind.period() {
        text.push_str(&format!(", {} s", period.seconds()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_keeps_its_colour_however_it_is_written() {
        assert_eq!(colour("GitHub"), colour(" github "));
        assert!((0..10).contains(&colour("")));
    }

    #[test]
    fn letters() {
        assert_eq!(initial("ärzte"), "Ä");
        assert_eq!(initial(" (1password)"), "1");
        assert_eq!(initial("…"), "?");
    }
}
