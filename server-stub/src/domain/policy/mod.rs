//! What may be set: defaults, changed for the server, changed again for a group.

mod senders;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use countersign_core::token::{Algorithm, Digits, Period};

pub(crate) use senders::split_headers;
pub use senders::{MailKind, SenderSettings, SmsKind, SmtpTls};
pub use table::SETTINGS;

use super::{network::Network, texts::Language};

/// Failures after which NIST SP 800-63B-4, section 3.2.2, ends every policy's freedom.
pub const MOST_FAILURES: i64 = 100;

/// The rules that one user lives under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Who issues tokens: the name that the app shows.
    pub issuer: String,
    /// Digits of new tokens.
    pub digits: Digits,
    /// Seconds of a step of new tokens.
    pub period: Period,
    /// The hash of new tokens.
    pub algorithm: Algorithm,
    /// Steps before and after the present one that are accepted.
    pub drift_steps: u64,
    /// Counters ahead of the expected one that are accepted.
    pub look_ahead: u64,
    /// Wrong codes in a row before delays begin.
    pub quick_failures: i64,
    /// Wrong codes in a row that lock the second factor.
    pub max_failures: i64,
    /// The language of messages.
    pub language: Language,
    /// The kinds of tokens that a user may have.
    pub allowed_kinds: BTreeSet<TokenKind>,
    /// The kind that a user's first token must be of; `None` for any.
    pub first_kind: Option<TokenKind>,
    /// Kinds, strongest first: of two tokens that a code is right for, the stronger one's counts.
    pub strength_order: Vec<TokenKind>,
    /// Whether a sign-in always asks for the second factor, also of who has none yet.
    pub require_second_factor: bool,
    /// Where it is not required: from how many tokens on it is asked for.
    pub min_credentials: i64,
    /// Seconds within which a session must be used for the first time.
    pub session_before_first: i64,
    /// Minutes for which a session is open from its first use on.
    pub session_after_first: i64,
    /// Whether a user may begin a registration with the password, without a link.
    pub self_enrollment: bool,
    /// Whether a link also shows a secret for authenticators of others, which are bound to nothing.
    pub other_apps: bool,
    /// Whether the app may give a registered token's secret away: show it, export it.
    pub exportable: bool,
}

/// A kind of token, as a policy names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenKind {
    /// By time, RFC 6238.
    Totp,
    /// By counter, RFC 4226.
    Hotp,
}

impl TokenKind {
    /// The kind of a name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "totp" => Some(Self::Totp),
            "hotp" => Some(Self::Hotp),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Hotp => "hotp",
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            issuer: "Countersign".to_owned(),
            digits: Digits::SIX,
            period: Period::THIRTY,
            algorithm: Algorithm::Sha1,
            drift_steps: 1,
            look_ahead: 10,
            quick_failures: 5,
            max_failures: 10,
            language: Language::English,
            allowed_kinds: BTreeSet::from([TokenKind::Totp, TokenKind::Hotp]),
            first_kind: None,
            strength_order: vec![TokenKind::Totp, TokenKind::Hotp],
            require_second_factor: true,
            min_credentials: 1,
            session_before_first: 3600,
            session_after_first: 480,
            self_enrollment: true,
            other_apps: false,
            exportable: false,
        }
    }
}

impl Policy {
    /// Whether a user who has tokens of those kinds may have one of this kind, too; else which setting says no.
    pub fn admits(&self, kind: TokenKind, has: &BTreeSet<TokenKind>) -> Result<(), &'static str> {
        match self.first_kind {
            _ if !self.allowed_kinds.contains(&kind) => Err("allowed_kinds"),
            Some(first) if kind != first && !has.contains(&first) => Err("first_kind"),
            _ => Ok(()),
        }
    }

    /// What in it contradicts what.
    ///
    /// # Errors
    ///
    /// Nobody could live under it.
    pub fn consistent(&self) -> Result<(), Contradiction> {
        let list = |kinds: &BTreeSet<TokenKind>| kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(",");
        match self.first_kind {
            Some(first) if !self.allowed_kinds.contains(&first) => {
                Err(Contradiction { first: first.name(), allowed: list(&self.allowed_kinds) })
            }
            _ => Ok(()),
        }
    }

    /// Whether a sign-in asks for the second factor of somebody with that many tokens that count.
    pub fn asks(&self, tokens: i64) -> bool {
        self.require_second_factor || tokens >= self.min_credentials
    }
}

/// A first token that the same policy does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("first_kind is {first}, and allowed_kinds is {allowed}: nobody could have a first token. Change both alike")]
pub struct Contradiction {
    first: &'static str,
    allowed: String,
}

/// Settings that a policy is checked by.
pub const CONTRADICTING: [&str; 2] = ["first_kind", "allowed_kinds"];

/// Why something was not set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingError {
    /// No such name.
    #[error("there is no setting {0:?}; `settings get` lists them")]
    Unknown(String),
    /// The value is not one of the name's.
    #[error("{name} is {expected}, not {value}")]
    Value {
        /// The setting.
        name: &'static str,
        /// What it takes.
        expected: &'static str,
        /// What was given, in quotes; of a secret nothing.
        value: String,
    },
}

/// A setting as `settings get` shows it.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// What it takes, in words.
    pub takes: &'static str,
    /// What it does.
    pub about: &'static str,
    /// Whether a group may have its own.
    pub per_group: bool,
    /// Whether it is sealed when it is kept, and never shown.
    pub secret: bool,
    check: fn(&mut Settings, &str) -> Option<()>,
    show: fn(&Settings) -> String,
}

/// Everything that is set on a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The policy of who is in no group, and what groups begin from.
    pub policy: Policy,
    /// Whether `/validate/check` wants an API key.
    pub validate_requires_key: bool,
    /// Attempts that one client address has in ten minutes.
    pub address_attempts: i64,
    /// Proxies that are believed what they say of whom they ask for.
    pub trusted_proxies: Vec<Network>,
    /// The address that apps know the server by; empty where each request says it.
    pub public_url: String,
    /// The text of an SMS with a code.
    pub sms_template: String,
    /// SMS that go to numbers of one beginning in an hour.
    pub sms_per_prefix: i64,
    /// SMS that go out in an hour.
    pub sms_per_hour: i64,
    /// How messages go out.
    pub senders: SenderSettings,
    /// Tries that a message has.
    pub outbox_tries: i64,
    /// The secret settings that have a value. The values are not here.
    pub secrets: BTreeSet<&'static str>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            validate_requires_key: true,
            address_attempts: 100,
            trusted_proxies: vec![],
            public_url: String::new(),
            sms_template: "%CODE% is your code to register %ISSUER%. Give it to nobody.".to_owned(),
            sms_per_prefix: 200,
            sms_per_hour: 1000,
            senders: SenderSettings::default(),
            outbox_tries: 12,
            secrets: BTreeSet::new(),
        }
    }
}

impl Setting {
    /// The setting of a name.
    pub fn find(name: &str) -> Result<&'static Self, SettingError> {
        SETTINGS.iter().find(|known| known.name == name).ok_or_else(|| SettingError::Unknown(name.to_owned()))
    }

    /// Whether it says where a stored secret is sent, or how openly. `http_headers` may name the host that answers behind
    /// a shared address.
    pub fn leads_secrets(&self) -> bool {
        ["twilio_url", "http_url", "http_headers", "smtp_host", "smtp_port", "smtp_tls"].contains(&self.name)
    }

    /// What whoever sets it to this should know.
    pub fn warning(&self, value: &str) -> Option<&'static str> {
        let open = self.name == "http_url" && senders::is_open(value);
        open.then_some("messages, their codes and http_secret go there unencrypted: https:// keeps them from others")
    }
}

impl Settings {
    /// The defaults with what was set. What is damaged or unknown (of a newer server) leaves the default.
    pub fn from_stored<'a>(stored: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut settings = Self::default();
        for (name, value) in stored {
            match Setting::find(name) {
                // What is kept is sealed, and not for this to read.
                Ok(setting) if setting.secret => drop(settings.secrets.insert(setting.name)),
                _ => drop(settings.set(name, value)),
            }
        }
        settings
    }

    /// Sets one by name.
    ///
    /// # Errors
    ///
    /// An unknown name, or a value that it does not take.
    pub fn set(&mut self, name: &str, value: &str) -> Result<&'static Setting, SettingError> {
        let setting = Setting::find(name)?;
        (setting.check)(self, value).ok_or_else(|| SettingError::Value {
            name: setting.name,
            expected: setting.takes,
            value: if setting.secret { "what was given".to_owned() } else { format!("{value:?}") },
        })?;
        Ok(setting)
    }

    /// A setting's value as text.
    pub fn get(&self, setting: &Setting) -> String {
        (setting.show)(self)
    }

    /// The policy of a group, from what it changes (a JSON object of texts).
    pub fn policy_of(&self, overrides: Option<&str>) -> Policy {
        let Some(changes) = overrides else { return self.policy.clone() };
        let changes: BTreeMap<String, String> = serde_json::from_str(changes).unwrap_or_default();
        let mut own = self.clone();
        for (name, value) in &changes {
            let _ = own.set(name, value);
        }
        own.policy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_changes_what_the_server_changed() {
        let settings =
            Settings::from_stored([("issuer", "Corp"), ("digits", "8"), ("of_tomorrow", "x"), ("period", "1")]);
        assert_eq!(settings.policy.period, Period::THIRTY);
        let policy = settings.policy_of(Some(r#"{"digits":"7"}"#));
        assert_eq!((policy.issuer.as_str(), policy.digits.get()), ("Corp", 7));
        assert_eq!(settings.policy_of(None).digits.get(), 8);
    }

    #[test]
    fn the_servers_address_is_one_that_can_be_reached() {
        let mut settings = Settings::default();
        for right in [
            "https://pam.example.org",
            "http://localhost:8470",
            "https://PAM.example.org:443/pam",
            "https://[::1]:8443",
            "http://192.0.2.7",
        ] {
            settings.set("public_url", right).unwrap();
            assert_eq!(settings.public_url, right);
        }
        for wrong in [
            "https://h/?q",
            "https://h?q",
            "https://h?",
            "https://h#f",
            "https://h:99999",
            "https://h:0",
            "https://h:x",
            "https://h:",
            "https://h/",
            "https://",
            "https:///h",
            "https://user@h",
            "https://user:pass@h",
            "https://h\\e",
            "https://h/../e",
            "https://h/a b",
            "https://h%2fe",
            "https://[::1",
            "https://1.2.3.999",
            "ftp://h",
            "h",
        ] {
            assert!(settings.set("public_url", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_first_kind_comes_first_and_few_tokens_are_asked_of_nobody() {
        let mut settings = Settings::default();
        let (totp, hotp) = (TokenKind::Totp, TokenKind::Hotp);
        let (none, some) = (BTreeSet::new(), BTreeSet::from([hotp]));
        assert_eq!(settings.policy.admits(totp, &none), Ok(()));
        settings.set("first_kind", "hotp").unwrap();
        assert_eq!(settings.policy.admits(totp, &none), Err("first_kind"));
        assert_eq!((settings.policy.admits(hotp, &none), settings.policy.admits(totp, &some)), (Ok(()), Ok(())));
        settings.set("allowed_kinds", "totp").unwrap();
        assert_eq!(settings.policy.admits(hotp, &some), Err("allowed_kinds"));

        assert!(settings.policy.asks(0));
        settings.set("require_second_factor", "false").unwrap();
        settings.set("min_credentials", "2").unwrap();
        assert_eq!((settings.policy.asks(1), settings.policy.asks(2)), (false, true));
    }

    #[test]
    fn a_secret_is_known_to_be_there_and_no_more() {
        let mut settings = Settings::from_stored([("twilio_token", "sealed")]);
        let setting = Setting::find("twilio_token").unwrap();
        assert_eq!(settings.get(setting), "(set)");
        assert_eq!(Settings::default().get(setting), "");
        let refused = settings.set("twilio_token", "line\nend").unwrap_err().to_string();
        assert!(!refused.contains("end"), "{refused}");
        assert!(!format!("{settings:?}").contains("sealed"));
    }

    #[test]
    fn what_goes_unencrypted_to_another_machine_is_told() {
        let (twilio, gateway) = (Setting::find("twilio_url").unwrap(), Setting::find("http_url").unwrap());
        for own in ["http://localhost:8000", "http://127.0.0.1", "http://[::1]:80"] {
            assert!(Settings::default().set("twilio_url", own).is_ok(), "{own}");
            assert_eq!(gateway.warning(own), None);
        }
        assert!(gateway.warning("http://sms.example.org/send?to=%TO%").unwrap().contains("unencrypted"));
        assert_eq!(gateway.warning("https://sms.example.org/send"), None);
        assert_eq!(twilio.warning("http://sms.example.org"), None);
        assert!(twilio.leads_secrets() && gateway.leads_secrets());
    }

    #[test]
    fn every_setting_takes_what_it_shows_and_refuses_nonsense() {
        let settings = Settings::default();
        for setting in SETTINGS {
            let shown = settings.get(setting);
            assert!(settings.clone().set(setting.name, "\u{0}").is_err(), "{}", setting.name);
            // Empty means not set, and is no value that can be given.
            if !shown.is_empty() {
                assert_eq!(settings.clone().set(setting.name, &shown).unwrap().name, setting.name);
            }
        }
        for (name, value) in [
            ("digits", "3"),
            ("digits", "13"),
            ("period", "301"),
            ("max_failures", "101"),
            ("other_apps", "yes"),
            ("trusted_proxies", "proxy.example"),
            ("trusted_proxies", "10.0.0.0/8,"),
            ("allowed_kinds", "totp,push"),
            ("allowed_kinds", ""),
            ("strength_order", "totp"),
            ("strength_order", "totp,totp"),
            ("first_kind", "sms"),
            ("min_credentials", "0"),
            ("session_before_first", "59"),
            ("session_after_first", "0"),
            ("language", "fr"),
            ("twilio_account", "AC12"),
            ("twilio_from", "Corp & Sons"),
            ("twilio_url", "http://api.twilio.com"),
            ("twilio_url", "http://localhost.evil.example"),
            ("http_url", "ftp://a/"),
            ("http_url", "https://%TO%/"),
            ("http_headers", "A b"),
            ("http_headers", "A: %TEXT%"),
            ("smtp_port", "0"),
            ("mail_from", "no address"),
            ("mail_from", "a@b.example\r\nBcc: c@d.example"),
        ] {
            assert!(settings.clone().set(name, value).is_err(), "{name} {value}");
        }
    }
}
