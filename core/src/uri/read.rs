//! Links to tokens.

use zeroize::Zeroizing;

use super::{Parsed, Part, UriError, Warning, percent, query::Query};
use crate::{
    matching::fold,
    otp::check_yandex_secret,
    secret::SecretText,
    token::{Algorithm, Digits, Kind, MAX_TEXT_BYTES, Period, SecretError, TokenSecret, TokenSpec},
};

/// Bytes that a text without a scheme must give before it is offered as a secret: 16 characters of Base32.
const OFFERED_BYTES: usize = 10;
/// The sizes of Steam's secrets: what Steam hands out, and what older apps cut it to.
const STEAM_BYTES: [usize; 2] = [20, 16];
/// The longest type that an error repeats; longer ones may be a secret in the wrong place.
const SHOWN_TYPE: usize = 12;

/// A parameter that a kind has no choice of, with the values that say so.
type Fixed = (Part, &'static str, &'static [&'static str]);
const STEAM_FIXED: &[Fixed] =
    &[(Part::Algorithm, "algorithm", &["SHA1"]), (Part::Digits, "digits", &["5"]), (Part::Period, "period", &["30"])];
const YANDEX_FIXED: &[Fixed] =
    &[(Part::Algorithm, "algorithm", &["SHA256"]), (Part::Digits, "digits", &["8"]), (Part::Period, "period", &["30"])];
const MOTP_FIXED: &[Fixed] =
    &[(Part::Algorithm, "algorithm", &["MD5"]), (Part::Digits, "digits", &["6"]), (Part::Period, "period", &["10"])];

pub(super) fn parse(text: &str) -> Result<Parsed, UriError> {
    // Files of other systems begin with a byte order mark.
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let Some((scheme, rest)) = split_scheme(text) else {
        return Err(UriError::NotALink { secret: readable_as_secret(text) });
    };
    let link = rest.strip_prefix("//").unwrap_or(rest);
    match scheme.to_ascii_lowercase().as_str() {
        "otpauth" => otpauth(link),
        "apple-otpauth" => match split_scheme(rest) {
            Some((inner, rest)) if inner.eq_ignore_ascii_case("otpauth") => {
                otpauth(rest.strip_prefix("//").unwrap_or(rest))
            }
            _ => otpauth(link),
        },
        "motp" => motp(link),
        "steam" => steam(link),
        "otpauth-migration" => Err(UriError::Migration),
        "pia" => Err(UriError::PrivacyIdeaBackup),
        "phonefactor" => Err(UriError::MicrosoftPush),
        _ => Err(UriError::NotAToken),
    }
}

/// Scheme and what follows its colon (RFC 3986, section 3.1).
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let mut bytes = scheme.bytes();
    let starts = bytes.next().is_some_and(|b| b.is_ascii_alphabetic());
    (starts && bytes.all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))).then_some((scheme, rest))
}

fn readable_as_secret(text: &str) -> Result<(), SecretError> {
    let secret = TokenSecret::from_base32(text)?;
    if secret.bytes().len() < OFFERED_BYTES { Err(SecretError::TooShort) } else { Ok(()) }
}

/// `TYPE/LABEL?PARAMETERS`, the "Key URI Format" of Google Authenticator and what others made of it.
fn otpauth(link: &str) -> Result<Parsed, UriError> {
    let (address, parameters) = link.split_once('?').unwrap_or((link, ""));
    let (host, label) = address.split_once('/').unwrap_or((address, ""));
    let mut reader = Reader::new(link, label, parameters)?;
    match host.to_ascii_lowercase().as_str() {
        "totp" => reader.totp(),
        "hotp" => {
            if reader.is_steam()? {
                return Err(UriError::Encoder("steam".to_owned()));
            }
            reader.hotp()
        }
        "steam" => {
            reader.is_steam()?;
            reader.steam()
        }
        "yaotp" => reader.yandex(),
        "pipush" => Err(UriError::PrivacyIdeaPush),
        "daypassword" => Err(UriError::DayPassword),
        "" => Err(UriError::TypeMissing),
        other => {
            let harmless = other.len() <= SHOWN_TYPE && other.bytes().all(|b| b.is_ascii_alphanumeric());
            Err(UriError::Type(harmless.then(|| other.to_owned())))
        }
    }
}

/// `LABEL?secret=HEX`, as Aegis and Stratum write Mobile-OTP.
fn motp(link: &str) -> Result<Parsed, UriError> {
    let (label, parameters) = link.split_once('?').unwrap_or((link, ""));
    let mut reader = Reader::new(link, label, parameters)?;
    let secret = TokenSecret::from_hex(&reader.secret()?).map_err(UriError::Secret)?;
    let pin = reader.pin()?;
    reader.finish(Kind::Motp { pin }, secret, MOTP_FIXED)
}

/// The secret alone, as Bitwarden and Proton write Steam Guard.
fn steam(link: &str) -> Result<Parsed, UriError> {
    let (body, parameters) = link.split_once('?').unwrap_or((link, ""));
    let decoded = Zeroizing::new(percent::decode(body).text);
    let text = decoded.trim_end_matches('/');
    if text.trim().is_empty() {
        return Err(UriError::SecretMissing);
    }
    let mut reader = Reader::new(link, "", parameters)?;
    let is_mixed = text.contains(|c: char| c.is_ascii_uppercase()) && text.contains(|c: char| c.is_ascii_lowercase());
    // Base32 is upper case, or lower case where somebody typed it; Base64 of so many bytes is hardly ever all of one.
    let of_steam = |secret: &TokenSecret| STEAM_BYTES.contains(&secret.bytes().len());
    let base64 = TokenSecret::from_base64(text).ok().filter(|secret| is_mixed && of_steam(secret));
    let secret = match (base64, TokenSecret::from_base32(text)) {
        (Some(secret), base32) if base32.is_err() || secret.bytes().len() == STEAM_BYTES[0] => {
            reader.warnings.push(Warning::SteamBase64);
            secret
        }
        (_, Ok(secret)) => secret,
        // `steam://run/440` and the like belong to Steam's own program.
        (_, Err(_)) if text.contains('/') => return Err(UriError::NotAToken),
        (_, Err(problem)) => return Err(UriError::Secret(problem)),
    };
    reader.is_steam()?;
    if reader.query.take(Part::Secret, "secret", &mut reader.warnings)?.is_some_and(|other| *other != *text) {
        reader.warnings.push(Warning::Duplicate(Part::Secret));
    }
    let mut parsed = reader.finish(Kind::Steam, secret, STEAM_FIXED)?;
    if parsed.spec.issuer.is_empty() {
        parsed.spec.issuer = "Steam".to_owned();
        parsed.warnings.retain(|warning| *warning != Warning::NameMissing);
    }
    Ok(parsed)
}

/// Reads the parts of one link and gathers what is unusual.
struct Reader<'a> {
    query: Query<'a>,
    warnings: Vec<Warning>,
    /// The issuer that the label names.
    issuer: String,
    account: String,
}

impl<'a> Reader<'a> {
    fn new(link: &str, label: &str, parameters: &'a str) -> Result<Self, UriError> {
        let mut warnings = Vec::new();
        if link.contains('#') {
            warnings.push(Warning::RawHash);
        }
        let whole = percent::decode(label);
        if whole.bad {
            warnings.push(Warning::BadPercent(Part::Label));
        }
        // The first bare colon separates; only where there is none, an escaped one does.
        let separated = match label.split_once(':') {
            Some((issuer, account)) => Some((percent::decode(issuer).text, percent::decode(account).text)),
            None => whole.text.split_once(':').map(|(issuer, account)| (issuer.to_owned(), account.to_owned())),
        };
        let (issuer, account) = match separated {
            // The format allows a space after the colon, which is no part of the name.
            Some((issuer, account)) => (issuer, account.strip_prefix(' ').map(str::to_owned).unwrap_or(account)),
            None => (String::new(), whole.text.clone()),
        };
        if issuer.len().max(account.len()) > MAX_TEXT_BYTES {
            return Err(UriError::TooLong(Part::Label));
        }
        Ok(Self { query: Query::new(parameters, whole.text)?, warnings, issuer, account })
    }

    fn totp(mut self) -> Result<Parsed, UriError> {
        if self.is_steam()? {
            return self.steam();
        }
        let secret = self.base32_secret()?;
        let (algorithm, digits) = (self.algorithm()?, self.digits()?);
        let period = self.number(Part::Period, "period")?;
        let period = period.map_or(Ok(Period::THIRTY), Period::new).map_err(UriError::Period)?;
        self.finish(Kind::Totp { algorithm, digits, period }, secret, &[])
    }

    fn hotp(mut self) -> Result<Parsed, UriError> {
        let secret = self.base32_secret()?;
        let (algorithm, digits) = (self.algorithm()?, self.digits()?);
        let counter = self.number(Part::Counter, "counter")?;
        if counter.is_none() {
            self.warnings.retain(|warning| *warning != Warning::Empty(Part::Counter));
            self.warnings.push(Warning::CounterMissing);
        }
        self.finish(Kind::Hotp { algorithm, digits, counter: counter.unwrap_or(0) }, secret, &[])
    }

    fn steam(mut self) -> Result<Parsed, UriError> {
        let secret = self.base32_secret()?;
        self.finish(Kind::Steam, secret, STEAM_FIXED)
    }

    fn yandex(mut self) -> Result<Parsed, UriError> {
        let secret = self.base32_secret()?;
        check_yandex_secret(secret.bytes().expose()).map_err(UriError::YandexSecret)?;
        let pin = self.pin()?;
        self.finish(Kind::Yandex { pin }, secret, YANDEX_FIXED)
    }

    fn finish(mut self, kind: Kind, secret: TokenSecret, fixed: &[Fixed]) -> Result<Parsed, UriError> {
        let named = self.query.take(Part::Issuer, "issuer", &mut self.warnings)?;
        let named = named.map(|name| name.to_string()).filter(|name| !name.is_empty());
        let (issuer, label_issuer) = match named {
            Some(named) if self.issuer.is_empty() || named == self.issuer => (named, None),
            Some(named) => (named, Some(self.issuer)),
            None => (self.issuer, None),
        };
        let mut warnings = self.warnings;
        let uri_parameters = self.query.rest(fixed, &mut warnings)?;
        if let Some(label) = label_issuer.as_ref().filter(|label| fold(label) != fold(&issuer)) {
            warnings.push(Warning::LabelIssuer { label: label.clone(), issuer: issuer.clone() });
        }
        if issuer.trim().is_empty() && self.account.trim().is_empty() {
            warnings.push(Warning::NameMissing);
        }
        match &kind {
            Kind::Totp { digits, .. } | Kind::Hotp { digits, .. } if digits.is_unusual() => {
                warnings.push(Warning::UnusualDigits(digits.get()));
            }
            Kind::Motp { pin: None } | Kind::Yandex { pin: None } => warnings.push(Warning::PinMissing),
            _ => {}
        }
        if matches!(kind, Kind::Totp { .. }) && fold(&issuer) == "steam" {
            warnings.push(Warning::MaybeSteam);
        }
        let spec = TokenSpec { issuer, account: self.account, kind, secret, label_issuer, uri_parameters };
        Ok(Parsed { spec, warnings })
    }

    /// Whether the link asks for Steam's letters: `encoder=steam` (KeePassXC) or the flag `steam` (Stratum). Never
    /// because of the issuer's name: Steam's name is also on tokens that make plain digits.
    fn is_steam(&mut self) -> Result<bool, UriError> {
        let flag = self.query.take_steam_flag();
        match self.query.take(Part::Encoder, "encoder", &mut self.warnings)? {
            None => Ok(flag),
            Some(encoder) if encoder.trim().is_empty() => Ok(flag),
            Some(encoder) if encoder.trim().eq_ignore_ascii_case("steam") => Ok(true),
            Some(encoder) => Err(UriError::Encoder(encoder.to_string())),
        }
    }

    fn secret(&mut self) -> Result<Zeroizing<String>, UriError> {
        let secret = self.query.take(Part::Secret, "secret", &mut self.warnings)?;
        secret.filter(|secret| !secret.trim().is_empty()).ok_or(UriError::SecretMissing)
    }

    fn base32_secret(&mut self) -> Result<TokenSecret, UriError> {
        TokenSecret::from_base32(&self.secret()?).map_err(UriError::Secret)
    }

    fn algorithm(&mut self) -> Result<Algorithm, UriError> {
        let given = self.value(Part::Algorithm, "algorithm")?;
        given.map_or(Ok(Algorithm::Sha1), |given| given.parse()).map_err(UriError::Algorithm)
    }

    fn digits(&mut self) -> Result<Digits, UriError> {
        let given = self.number(Part::Digits, "digits")?;
        given.map_or(Ok(Digits::SIX), Digits::new).map_err(UriError::Digits)
    }

    /// A PIN is Base32 of its text, as Aegis writes it.
    fn pin(&mut self) -> Result<Option<SecretText>, UriError> {
        let Some(given) = self.query.take(Part::Pin, "pin", &mut self.warnings)? else { return Ok(None) };
        if given.is_empty() {
            return Ok(None);
        }
        let pin = TokenSecret::from_base32(&given).map_err(|_| UriError::Pin)?;
        let pin = std::str::from_utf8(pin.bytes().expose()).map_err(|_| UriError::Pin)?;
        Ok(Some(SecretText::new(pin.to_owned())))
    }

    /// A parameter that has a usual value, which an empty one stands for.
    fn value(&mut self, part: Part, name: &str) -> Result<Option<Zeroizing<String>>, UriError> {
        let given = self.query.take(part, name, &mut self.warnings)?;
        let is_empty = |given: &Zeroizing<String>| matches!(given.trim(), "" | "null");
        if given.as_ref().is_some_and(is_empty) {
            self.warnings.push(Warning::Empty(part));
        }
        Ok(given.filter(|given| !is_empty(given)))
    }

    fn number(&mut self, part: Part, name: &str) -> Result<Option<u64>, UriError> {
        let Some(given) = self.value(part, name)? else { return Ok(None) };
        let number = given.trim();
        // The parser of numbers would take a sign as well.
        match number.parse() {
            Ok(value) if number.bytes().all(|b| b.is_ascii_digit()) => Ok(Some(value)),
            _ => Err(UriError::Number { part, given: given.to_string() }),
        }
    }
}
