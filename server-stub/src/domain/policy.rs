//! What may be set: defaults, changed for the server, changed again for a group.

use std::collections::BTreeMap;

use countersign_core::token::{Algorithm, Digits, Period};

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
        }
    }
}

/// Why something was not set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingError {
    /// No such name.
    #[error("there is no setting {0:?}; `settings get` lists them")]
    Unknown(String),
    /// The value is not one of the name's.
    #[error("{name} is {expected}, not {value:?}")]
    Value {
        /// The setting.
        name: &'static str,
        /// What it takes.
        expected: &'static str,
        /// What was given.
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
    /// The address that apps know the server by; empty where each request says it.
    pub public_url: String,
    /// The text of an SMS with a code.
    pub sms_template: String,
    /// SMS that go to numbers of one beginning in an hour.
    pub sms_per_prefix: i64,
    /// SMS that go out in an hour.
    pub sms_per_hour: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            validate_requires_key: true,
            address_attempts: 100,
            public_url: String::new(),
            sms_template: "%CODE% is your code to register %ISSUER%. Give it to nobody.".to_owned(),
            sms_per_prefix: 200,
            sms_per_hour: 1000,
        }
    }
}

fn number(text: &str, least: i64, most: i64) -> Option<i64> {
    text.parse().ok().filter(|number| (least..=most).contains(number))
}

fn put<T>(place: &mut T, value: Option<T>) -> Option<()> {
    *place = value?;
    Some(())
}

fn unsigned(text: &str, most: u64) -> Option<u64> {
    text.parse().ok().filter(|number| *number <= most)
}

/// Every setting, in the order in which they are shown.
pub const SETTINGS: &[Setting] = &[
    Setting {
        name: "issuer",
        takes: "a text of 1 to 64 characters",
        about: "who issues tokens, as the app shows it",
        per_group: true,
        check: |all, text| {
            let text = text.trim();
            let whole = (1..=64).contains(&text.chars().count()) && !text.chars().any(|c| c.is_control() || c == ':');
            whole.then(|| text.clone_into(&mut all.policy.issuer))
        },
        show: |all| all.policy.issuer.clone(),
    },
    Setting {
        name: "digits",
        takes: "a number from 4 to 12",
        about: "digits of new tokens",
        per_group: true,
        check: |all, text| {
            put(&mut all.policy.digits, unsigned(text, 12).filter(|n| *n >= 4).and_then(|n| Digits::new(n).ok()))
        },
        show: |all| all.policy.digits.to_string(),
    },
    Setting {
        name: "period",
        takes: "a number of seconds from 5 to 300",
        about: "seconds that a code of a new token stands",
        per_group: true,
        check: |all, text| {
            put(&mut all.policy.period, unsigned(text, 300).filter(|n| *n >= 5).and_then(|n| Period::new(n).ok()))
        },
        show: |all| all.policy.period.to_string(),
    },
    Setting {
        name: "algorithm",
        takes: "SHA1, SHA256 or SHA512",
        about: "the hash inside new tokens",
        per_group: true,
        check: |all, text| put(&mut all.policy.algorithm, text.parse().ok()),
        show: |all| all.policy.algorithm.to_string(),
    },
    Setting {
        name: "drift_steps",
        takes: "a number of steps from 0 to 480",
        about: "steps before and after the present one whose codes are accepted",
        per_group: true,
        check: |all, text| put(&mut all.policy.drift_steps, unsigned(text, 480)),
        show: |all| all.policy.drift_steps.to_string(),
    },
    Setting {
        name: "look_ahead",
        takes: "a number from 1 to 100",
        about: "counters ahead of the expected one whose codes are accepted",
        per_group: true,
        check: |all, text| put(&mut all.policy.look_ahead, unsigned(text, 100).filter(|n| *n >= 1)),
        show: |all| all.policy.look_ahead.to_string(),
    },
    Setting {
        name: "quick_failures",
        takes: "a number from 1 to 100",
        about: "wrong codes in a row before delays begin, which double from 30 seconds to an hour",
        per_group: true,
        check: |all, text| put(&mut all.policy.quick_failures, number(text, 1, MOST_FAILURES)),
        show: |all| all.policy.quick_failures.to_string(),
    },
    Setting {
        name: "max_failures",
        takes: "a number from 1 to 100",
        about: "wrong codes in a row that lock the second factor until `user unlock`",
        per_group: true,
        check: |all, text| put(&mut all.policy.max_failures, number(text, 1, MOST_FAILURES)),
        show: |all| all.policy.max_failures.to_string(),
    },
    Setting {
        name: "address_attempts",
        takes: "a number from 1 to 1000000",
        about: "attempts that one client address has in ten minutes",
        per_group: false,
        check: |all, text| put(&mut all.address_attempts, number(text, 1, 1_000_000)),
        show: |all| all.address_attempts.to_string(),
    },
    Setting {
        name: "validate_requires_key",
        takes: "true or false",
        about: "whether /validate/check wants an API key",
        per_group: false,
        check: |all, text| put(&mut all.validate_requires_key, text.parse().ok()),
        show: |all| all.validate_requires_key.to_string(),
    },
    Setting {
        name: "public_url",
        takes: "an address as in https://pam.example.org",
        about: "the address that apps know the server by; it stands in what they sign",
        per_group: false,
        check: |all, text| {
            let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
            let whole = !host.is_empty() && !host.ends_with('/') && host.bytes().all(|b| b.is_ascii_graphic());
            put(&mut all.public_url, whole.then(|| text.to_owned()))
        },
        show: |all| all.public_url.clone(),
    },
    Setting {
        name: "sms_template",
        takes: "a text of at most 160 characters with %CODE% in it",
        about: "the text of an SMS; %ISSUER% stands for the issuer",
        per_group: false,
        check: |all, text| {
            let whole = text.contains("%CODE%") && text.chars().count() <= 160 && !text.chars().any(char::is_control);
            put(&mut all.sms_template, whole.then(|| text.to_owned()))
        },
        show: |all| all.sms_template.clone(),
    },
    Setting {
        name: "sms_per_prefix",
        takes: "a number from 1 to 1000000",
        about: "SMS that go to numbers with the same first five characters in an hour",
        per_group: false,
        check: |all, text| put(&mut all.sms_per_prefix, number(text, 1, 1_000_000)),
        show: |all| all.sms_per_prefix.to_string(),
    },
    Setting {
        name: "sms_per_hour",
        takes: "a number from 1 to 1000000",
        about: "SMS that go out in an hour",
        per_group: false,
        check: |all, text| put(&mut all.sms_per_hour, number(text, 1, 1_000_000)),
        show: |all| all.sms_per_hour.to_string(),
    },
];

impl Settings {
    /// The defaults with what was set. What is damaged or unknown (of a newer server) leaves the default.
    pub fn from_stored<'a>(stored: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut settings = Self::default();
        for (name, value) in stored {
            let _ = settings.set(name, value);
        }
        settings
    }

    /// Sets one by name.
    ///
    /// # Errors
    ///
    /// An unknown name, or a value that it does not take.
    pub fn set(&mut self, name: &str, value: &str) -> Result<&'static Setting, SettingError> {
        let setting =
            SETTINGS.iter().find(|known| known.name == name).ok_or_else(|| SettingError::Unknown(name.to_owned()))?;
        (setting.check)(self, value).ok_or_else(|| SettingError::Value {
            name: setting.name,
            expected: setting.takes,
            value: value.to_owned(),
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
    fn every_setting_takes_what_it_shows_and_refuses_nonsense() {
        let settings = Settings::default();
        for setting in SETTINGS {
            let shown = settings.get(setting);
            // Empty means not set, and is no value that can be given.
            if shown.is_empty() {
                continue;
            }
            assert_eq!(settings.clone().set(setting.name, &shown).unwrap().name, setting.name);
            assert!(settings.clone().set(setting.name, "\u{0}").is_err(), "{}", setting.name);
        }
        for (name, value) in [("digits", "3"), ("digits", "13"), ("period", "301"), ("max_failures", "101")] {
            assert!(settings.clone().set(name, value).is_err(), "{name} {value}");
        }
    }
}
