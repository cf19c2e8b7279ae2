//! What people are told by SMS and mail, in their language.

use std::str::FromStr;

/// A language that texts are in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// German.
    German,
    /// Turkish.
    Turkish,
}

/// No language that texts are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the languages are en, de and tr")]
pub struct LanguageError;

impl FromStr for Language {
    type Err = LanguageError;

    fn from_str(code: &str) -> Result<Self, LanguageError> {
        match code {
            "en" => Ok(Self::English),
            "de" => Ok(Self::German),
            "tr" => Ok(Self::Turkish),
            _ => Err(LanguageError),
        }
    }
}

impl Language {
    /// Its code (ISO 639-1).
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::Turkish => "tr",
        }
    }

    /// What a browser likes best of what there is (`Accept-Language`, RFC 9110, section 12.5.4).
    pub fn accepted(header: &str) -> Self {
        let mut best = (0, Self::English);
        for part in header.split(',').take(32) {
            let mut fields = part.split(';').map(str::trim);
            let tag = fields.next().unwrap_or_default().split('-').next().unwrap_or_default().to_ascii_lowercase();
            let Ok(language) = tag.parse() else { continue };
            let weight = fields.find_map(|field| field.strip_prefix("q=")).map_or(1000, thousandths);
            if weight > best.0 {
                best = (weight, language);
            }
        }
        best.1
    }
}

fn thousandths(text: &str) -> u32 {
    text.parse::<f32>().ok().filter(|q| (0.0..=1.0).contains(q)).map_or(0, |q| (q * 1000.0) as u32)
}

/// What a user is told, in case somebody else did it (NIST SP 800-63B-4, section 4.6; ASVS 6.3.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice<'a> {
    /// A token works in this app now, and in none before it.
    Registered {
        /// The app's name, as [`super::shown::app_name`] shows it.
        app: &'a str,
    },
    /// A token works in an authenticator of others now.
    Added,
    /// The registered token was taken away.
    Revoked,
    /// A token that is in no app was taken away.
    Deleted,
    /// All tokens were taken away.
    Cleared,
    /// The tokens have to be confirmed by a code again.
    Unconfirmed,
    /// Too many wrong codes.
    Locked,
    /// The password was changed.
    Password,
    /// The phone number was changed.
    Phone,
    /// The mail address was changed.
    Email,
}

impl Notice<'_> {
    /// The text, which stands for itself in an SMS.
    pub fn text(self, language: Language, issuer: &str) -> String {
        use Language::{English, German, Turkish};
        let what = match (self, language) {
            (Self::Registered { app }, English) => {
                format!("your token now works in the app \u{201c}{}\u{201d}, and in no other.", app)
            }
            (Self::Registered { app }, German) => {
                format!("Ihr Token gilt jetzt in der App \u{201e}{}\u{201c} und in keiner anderen.", app)
            }
            (Self::Registered { app }, Turkish) => {
                format!("tokenınız artık yalnızca \u{201c}{}\u{201d} uygulamasında çalışıyor.", app)
            }
            (Self::Added, English) => "a token was set up in another authenticator app.".to_owned(),
            (Self::Added, German) => "ein Token wurde in einer anderen Authenticator-App eingerichtet.".to_owned(),
            (Self::Added, Turkish) => "başka bir doğrulama uygulamasında bir token kuruldu.".to_owned(),
            (Self::Revoked, English) => "the token in your app was taken away.".to_owned(),
            (Self::Revoked, German) => "der Token in Ihrer App wurde entzogen.".to_owned(),
            (Self::Revoked, Turkish) => "uygulamanızdaki token kaldırıldı.".to_owned(),
            (Self::Deleted, English) => "one of your tokens was taken away.".to_owned(),
            (Self::Deleted, German) => "einer Ihrer Token wurde entzogen.".to_owned(),
            (Self::Deleted, Turkish) => "tokenlarınızdan biri kaldırıldı.".to_owned(),
            (Self::Cleared, English) => "all your tokens were taken away.".to_owned(),
            (Self::Cleared, German) => "alle Ihre Token wurden entzogen.".to_owned(),
            (Self::Cleared, Turkish) => "bütün tokenlarınız kaldırıldı.".to_owned(),
            (Self::Unconfirmed, English) => "your tokens have to be confirmed by a code again.".to_owned(),
            (Self::Unconfirmed, German) => "Ihre Token müssen wieder mit einem Code bestätigt werden.".to_owned(),
            (Self::Unconfirmed, Turkish) => "tokenlarınızın bir kodla yeniden onaylanması gerekiyor.".to_owned(),
            (Self::Locked, English) => "your second factor is locked after too many wrong codes.".to_owned(),
            (Self::Locked, German) => "Ihr zweiter Faktor ist nach zu vielen falschen Codes gesperrt.".to_owned(),
            (Self::Locked, Turkish) => "çok fazla yanlış koddan sonra ikinci doğrulamanız kilitlendi.".to_owned(),
            (Self::Password, English) => "your password was changed.".to_owned(),
            (Self::Password, German) => "Ihr Passwort wurde geändert.".to_owned(),
            (Self::Password, Turkish) => "parolanız değiştirildi.".to_owned(),
            (Self::Phone, English) => "your phone number was changed.".to_owned(),
            (Self::Phone, German) => "Ihre Telefonnummer wurde geändert.".to_owned(),
            (Self::Phone, Turkish) => "telefon numaranız değiştirildi.".to_owned(),
            (Self::Email, English) => "your mail address was changed.".to_owned(),
            (Self::Email, German) => "Ihre Mail-Adresse wurde geändert.".to_owned(),
            (Self::Email, Turkish) => "e-posta adresiniz değiştirildi.".to_owned(),
        };
        let not_you = match language {
            English => "Was it not you? Tell your administrator.",
            German => "Waren Sie das nicht? Sagen Sie es der Administration.",
            Turkish => "Siz değil miydiniz? Yöneticinize bildirin.",
        };
        format!("{issuer}: {what} {not_you}")
    }

    /// A mail's subject.
    pub fn subject(self, language: Language, issuer: &str) -> String {
        let what = match language {
            Language::English => "a change to your sign-in",
            Language::German => "eine Änderung an Ihrer Anmeldung",
            Language::Turkish => "girişinizde bir değişiklik",
        };
        format!("{issuer}: {what}")
    }
}

/// What a link is sent with.
#[derive(Clone, Copy, Debug)]
pub struct LinkText<'a> {
    /// Who issues the token.
    pub issuer: &'a str,
    /// The link.
    pub url: &'a str,
}

impl LinkText<'_> {
    /// An SMS.
    pub fn sms(self, language: Language) -> String {
        let Self { issuer, url } = self;
        match language {
            Language::English => format!("{issuer}: set up your token within 24 hours: {url}"),
            Language::German => format!("{issuer}: Richten Sie Ihren Token binnen 24 Stunden ein: {url}"),
            Language::Turkish => format!("{issuer}: tokenınızı 24 saat içinde kurun: {url}"),
        }
    }

    /// A mail's subject.
    pub fn subject(self, language: Language) -> String {
        let issuer = self.issuer;
        match language {
            Language::English => format!("{issuer}: set up your token"),
            Language::German => format!("{issuer}: Richten Sie Ihren Token ein"),
            Language::Turkish => format!("{issuer}: tokenınızı kurun"),
        }
    }

    /// A mail's text.
    pub fn mail(self, language: Language) -> String {
        let Self { issuer, url } = self;
        match language {
            Language::English => format!(
                "Open this link to set up your token of {issuer}:\n\n{url}\n\n\
                 It is for you alone, opens one registration, and ends after 24 hours. Give it to nobody.\n"
            ),
            Language::German => format!(
                "Öffnen Sie diesen Link, um Ihren Token von {issuer} einzurichten:\n\n{url}\n\n\
                 Er ist nur für Sie, gilt für eine Registrierung und endet nach 24 Stunden. Geben Sie ihn niemandem.\n"
            ),
            Language::Turkish => format!(
                "{issuer} tokenınızı kurmak için bu bağlantıyı açın:\n\n{url}\n\n\
                 Yalnızca sizin içindir, tek bir kayıt için geçerlidir ve 24 saat sonra sona erer. Kimseye vermeyin.\n"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browsers_first_choice_that_there_is_wins() {
        for (header, language) in [
            ("", Language::English),
            ("de", Language::German),
            ("de-AT,en;q=0.8", Language::German),
            ("fr, tr;q=0.9, de;q=0.3", Language::Turkish),
            ("en;q=0.1, DE;q=0.2", Language::German),
            ("de;q=0, *", Language::English),
            ("de;q=x;q=1, \u{0}", Language::English),
        ] {
            assert_eq!(Language::accepted(header), language, "{header}");
        }
    }

    #[test]
    fn a_notice_has_a_text_in_every_language_that_fits_two_sms() {
        let app = "a".repeat(crate::domain::shown::IN_MESSAGES);
        for notice in [
            Notice::Registered { app: &app },
            Notice::Added,
            Notice::Revoked,
            Notice::Cleared,
            Notice::Unconfirmed,
            Notice::Locked,
            Notice::Password,
            Notice::Phone,
            Notice::Email,
        ] {
            for language in [Language::English, Language::German, Language::Turkish] {
                let text = notice.text(language, "Corp");
                // 67 characters a part where one of them is outside GSM 03.38.
                assert!(text.starts_with("Corp: ") && text.chars().count() <= 3 * 67, "{text}");
                assert!(!notice.subject(language, "Corp").is_empty());
            }
        }
    }
}
