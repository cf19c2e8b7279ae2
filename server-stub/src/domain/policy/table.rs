//! The settings by name. One table, because `settings get` shows it as it stands here.

use countersign_core::token::{Digits, Period};

use super::{MOST_FAILURES, Setting, TokenKind, senders};
use crate::template::stray;

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
        secret: false,
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
        secret: false,
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
        secret: false,
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
        secret: false,
        check: |all, text| put(&mut all.policy.algorithm, text.parse().ok()),
        show: |all| all.policy.algorithm.to_string(),
    },
    Setting {
        name: "drift_steps",
        takes: "a number of steps from 0 to 480",
        about: "steps before and after the present one whose codes are accepted",
        per_group: true,
        secret: false,
        check: |all, text| put(&mut all.policy.drift_steps, unsigned(text, 480)),
        show: |all| all.policy.drift_steps.to_string(),
    },
    Setting {
        name: "look_ahead",
        takes: "a number from 1 to 100",
        about: "counters ahead of the expected one whose codes are accepted",
        per_group: true,
        secret: false,
        check: |all, text| put(&mut all.policy.look_ahead, unsigned(text, 100).filter(|n| *n >= 1)),
        show: |all| all.policy.look_ahead.to_string(),
    },
    Setting {
        name: "quick_failures",
        takes: "a number from 1 to 100",
        about: "wrong codes in a row before delays begin, which double from 30 seconds to an hour",
        per_group: true,
        secret: false,
        check: |all, text| put(&mut all.policy.quick_failures, number(text, 1, MOST_FAILURES)),
        show: |all| all.policy.quick_failures.to_string(),
    },
    Setting {
        name: "max_failures",
        takes: "a number from 1 to 100",
        about: "wrong codes in a row that lock the second factor until `user unlock`",
        per_group: true,
        secret: false,
        check: |all, text| put(&mut all.policy.max_failures, number(text, 1, MOST_FAILURES)),
        show: |all| all.policy.max_failures.to_string(),
    },
    Setting {
        name: "allowed_kinds",
        takes: "totp, hotp or both with a comma between",
        about: "kinds of tokens that users may be given",
        per_group: true,
        secret: false,
        check: |all, text| {
            let kinds: Option<_> = text.split(',').map(|kind| TokenKind::named(kind.trim())).collect();
            put(&mut all.policy.allowed_kinds, kinds)
        },
        show: |all| all.policy.allowed_kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(","),
    },
    Setting {
        name: "first_kind",
        takes: "totp, hotp or any",
        about: "the kind that a user's first token must be of",
        per_group: true,
        secret: false,
        check: |all, text| {
            let kind = if text == "any" { None } else { Some(TokenKind::named(text)?) };
            put(&mut all.policy.first_kind, Some(kind))
        },
        show: |all| all.policy.first_kind.map_or("any", TokenKind::name).to_owned(),
    },
    Setting {
        name: "strength_order",
        takes: "totp,hotp or hotp,totp",
        about: "kinds of tokens, strongest first: of two that a code is right for, the stronger one counts",
        per_group: true,
        secret: false,
        check: |all, text| {
            let kinds: Option<Vec<_>> = text.split(',').map(|kind| TokenKind::named(kind.trim())).collect();
            put(&mut all.policy.strength_order, kinds.filter(|kinds| kinds.len() == 2 && kinds[0] != kinds[1]))
        },
        show: |all| all.policy.strength_order.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(","),
    },
    Setting {
        name: "require_second_factor",
        takes: "true or false",
        about: "whether a sign-in always asks for the second factor, also of who has none yet and must register one first",
        per_group: true,
        secret: false,
        check: |all, text| put(&mut all.policy.require_second_factor, text.parse().ok()),
        show: |all| all.policy.require_second_factor.to_string(),
    },
    Setting {
        name: "min_credentials",
        takes: "a number from 1 to 10",
        about: "where it is not required: from how many tokens on a sign-in asks for the second factor",
        per_group: true,
        secret: false,
        check: |all, text| put(&mut all.policy.min_credentials, number(text, 1, 10)),
        show: |all| all.policy.min_credentials.to_string(),
    },
    Setting {
        name: "session_before_first",
        takes: "a number of seconds from 60 to 86400",
        about: "seconds within which a session must be used for the first time",
        per_group: true,
        secret: false,
        check: |all, text| put(&mut all.policy.session_before_first, number(text, 60, 86_400)),
        show: |all| all.policy.session_before_first.to_string(),
    },
    Setting {
        name: "session_after_first",
        takes: "a number of minutes from 1 to 43200",
        about: "minutes for which a session is open from its first use on",
        per_group: true,
        secret: false,
        check: |all, text| put(&mut all.policy.session_after_first, number(text, 1, 43_200)),
        show: |all| all.policy.session_after_first.to_string(),
    },
    Setting {
        name: "self_enrollment",
        takes: "true or false",
        about: "whether users register an app with the password alone, without a link",
        per_group: true,
        secret: false,
        check: |all, text| put(&mut all.policy.self_enrollment, text.parse().ok()),
        show: |all| all.policy.self_enrollment.to_string(),
    },
    Setting {
        name: "other_apps",
        takes: "true or false",
        about: "whether a link also shows a secret for other authenticators, which are bound to nothing",
        per_group: true,
        secret: false,
        check: |all, text| put(&mut all.policy.other_apps, text.parse().ok()),
        show: |all| all.policy.other_apps.to_string(),
    },
    Setting {
        name: "exportable",
        takes: "true or false",
        about: "whether the app may show or export the secret of a registered token",
        per_group: true,
        secret: false,
        check: |all, text| put(&mut all.policy.exportable, text.parse().ok()),
        show: |all| all.policy.exportable.to_string(),
    },
    Setting {
        name: "language",
        takes: "en, de or tr",
        about: "the language of SMS and mail",
        per_group: true,
        secret: false,
        check: |all, text| put(&mut all.policy.language, text.parse().ok()),
        show: |all| all.policy.language.code().to_owned(),
    },
    Setting {
        name: "address_attempts",
        takes: "a number from 1 to 1000000",
        about: "attempts that one client address has in ten minutes: codes, passwords and registrations",
        per_group: false,
        secret: false,
        check: |all, text| put(&mut all.address_attempts, number(text, 1, 1_000_000)),
        show: |all| all.address_attempts.to_string(),
    },
    Setting {
        name: "trusted_proxies",
        takes: "addresses and networks separated by commas, as in 10.0.0.0/8, 192.0.2.1",
        about: "proxies whose X-Forwarded-For says which address asks",
        per_group: false,
        secret: false,
        check: |all, text| {
            let networks: Option<_> = text.split(',').map(|network| network.trim().parse().ok()).collect();
            put(&mut all.trusted_proxies, networks)
        },
        show: |all| all.trusted_proxies.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    },
    Setting {
        name: "validate_requires_key",
        takes: "true or false",
        about: "whether /validate/check wants an API key",
        per_group: false,
        secret: false,
        check: |all, text| put(&mut all.validate_requires_key, text.parse().ok()),
        show: |all| all.validate_requires_key.to_string(),
    },
    Setting {
        name: "public_url",
        takes: "an address as in https://pam.example.org, perhaps with a port and a path, without a / at its end",
        about: "the address that apps know the server by; it stands in what they sign",
        per_group: false,
        secret: false,
        check: |all, text| put(&mut all.public_url, senders::public(text)),
        show: |all| all.public_url.clone(),
    },
    Setting {
        name: "sms_template",
        takes: "a text of at most 160 characters with %CODE% in it, and %ISSUER% if you like",
        about: "the text of an SMS; %ISSUER% stands for the issuer",
        per_group: false,
        secret: false,
        check: |all, text| {
            let whole = text.contains("%CODE%")
                && stray(text, &["CODE", "ISSUER"]).is_none()
                && text.chars().count() <= 160
                && !text.chars().any(char::is_control);
            put(&mut all.sms_template, whole.then(|| text.to_owned()))
        },
        show: |all| all.sms_template.clone(),
    },
    Setting {
        name: "sms_per_prefix",
        takes: "a number from 1 to 1000000",
        about: "SMS that go to numbers with the same first five characters in an hour",
        per_group: false,
        secret: false,
        check: |all, text| put(&mut all.sms_per_prefix, number(text, 1, 1_000_000)),
        show: |all| all.sms_per_prefix.to_string(),
    },
    Setting {
        name: "sms_per_hour",
        takes: "a number from 1 to 1000000",
        about: "SMS that go out in an hour",
        per_group: false,
        secret: false,
        check: |all, text| put(&mut all.sms_per_hour, number(text, 1, 1_000_000)),
        show: |all| all.sms_per_hour.to_string(),
    },
    Setting {
        name: "outbox_tries",
        takes: "a number from 1 to 100",
        about: "tries that a message has before it counts as failed",
        per_group: false,
        secret: false,
        check: |all, text| put(&mut all.outbox_tries, number(text, 1, 100)),
        show: |all| all.outbox_tries.to_string(),
    },
    Setting {
        name: "sms_sender",
        takes: "console, twilio or http",
        about: "how SMS go out",
        per_group: false,
        secret: false,
        check: |all, text| put(&mut all.senders.sms, senders::SmsKind::named(text)),
        show: |all| all.senders.sms.name().to_owned(),
    },
    Setting {
        name: "twilio_account",
        takes: "AC and 32 hexadecimal digits",
        about: "Twilio: the account's SID",
        per_group: false,
        secret: false,
        check: |all, text| put(&mut all.senders.twilio_account, senders::sid(text, &["AC"])),
        show: |all| all.senders.twilio_account.clone(),
    },
    Setting {
        name: "twilio_key",
        takes: "SK and 32 hexadecimal digits",
        about: "Twilio: an API key's SID, where one is used; twilio_token is its secret then",
        per_group: false,
        secret: false,
        check: |all, text| put(&mut all.senders.twilio_key, senders::sid(text, &["SK"])),
        show: |all| all.senders.twilio_key.clone(),
    },
    Setting {
        name: "twilio_token",
        takes: "a text of at most 256 characters",
        about: "Twilio: the authentication token",
        per_group: false,
        secret: true,
        check: |all, text| senders::secret(all, "twilio_token", text),
        show: |all| senders::shown(all, "twilio_token"),
    },
    Setting {
        name: "twilio_from",
        takes: "a number as in +15005550006, a name of up to 11 letters and digits, or MG and 32 hexadecimal digits",
        about: "Twilio: the sender, or the messaging service that chooses it",
        per_group: false,
        secret: false,
        check: |all, text| put(&mut all.senders.twilio_from, senders::from(text)),
        show: |all| all.senders.twilio_from.clone(),
    },
    Setting {
        name: "twilio_url",
        takes: "an https address as in https://api.dublin.ie1.twilio.com, or an http address of this machine",
        about: "Twilio: the region's address",
        per_group: false,
        secret: false,
        check: |all, text| put(&mut all.senders.twilio_url, senders::base(text)),
        show: |all| all.senders.twilio_url.clone(),
    },
    Setting {
        name: "http_method",
        takes: "GET, POST or PUT",
        about: "gateway: the method",
        per_group: false,
        secret: false,
        check: |all, text| put(&mut all.senders.http_method, senders::method(text)),
        show: |all| all.senders.http_method.clone(),
    },
    Setting {
        name: "http_url",
        takes: "an address; %TO%, %TEXT%, %ID%, %SECRET% may stand after its host",
        about: "gateway: the address",
        per_group: false,
        secret: false,
        check: |all, text| put(&mut all.senders.http_url, senders::gateway_url(text)),
        show: |all| all.senders.http_url.clone(),
    },
    Setting {
        name: "http_headers",
        takes: "lines as in Content-Type: application/json, separated by \\n; %TO%, %ID%, %SECRET% may stand in their values",
        about: "gateway: the headers",
        per_group: false,
        secret: false,
        check: |all, text| put(&mut all.senders.http_headers, senders::headers(text)),
        show: |all| all.senders.http_headers.clone(),
    },
    Setting {
        name: "http_body",
        takes: "a text of at most 4096 characters; %TO%, %TEXT%, %ID%, %SECRET% are escaped as its Content-Type asks for",
        about: "gateway: the body",
        per_group: false,
        secret: false,
        check: |all, text| put(&mut all.senders.http_body, senders::body(text)),
        show: |all| all.senders.http_body.clone(),
    },
    Setting {
        name: "http_secret",
        takes: "a text of at most 256 characters",
        about: "gateway: what %SECRET% stands for",
        per_group: false,
        secret: true,
        check: |all, text| senders::secret(all, "http_secret", text),
        show: |all| senders::shown(all, "http_secret"),
    },
    Setting {
        name: "mail_sender",
        takes: "console or smtp",
        about: "how mail goes out",
        per_group: false,
        secret: false,
        check: |all, text| put(&mut all.senders.mail, senders::MailKind::named(text)),
        show: |all| all.senders.mail.name().to_owned(),
    },
    Setting {
        name: "mail_from",
        takes: "an address as in Corp PAM <pam@example.org>",
        about: "mail: the sender",
        per_group: false,
        secret: false,
        check: |all, text| put(&mut all.senders.mail_from, senders::mailbox(text)),
        show: |all| all.senders.mail_from.clone(),
    },
    Setting {
        name: "smtp_host",
        takes: "a host's name",
        about: "mail: the server",
        per_group: false,
        secret: false,
        check: |all, text| put(&mut all.senders.smtp_host, senders::host(text)),
        show: |all| all.senders.smtp_host.clone(),
    },
    Setting {
        name: "smtp_port",
        takes: "a number from 1 to 65535",
        about: "mail: the server's port",
        per_group: false,
        secret: false,
        check: |all, text| {
            put(&mut all.senders.smtp_port, number(text, 1, 65535).and_then(|port| u16::try_from(port).ok()))
        },
        show: |all| all.senders.smtp_port.to_string(),
    },
    Setting {
        name: "smtp_tls",
        takes: "starttls, tls or none",
        about: "mail: TLS after the greeting, from the beginning, or none",
        per_group: false,
        secret: false,
        check: |all, text| put(&mut all.senders.smtp_tls, senders::SmtpTls::named(text)),
        show: |all| all.senders.smtp_tls.name().to_owned(),
    },
    Setting {
        name: "smtp_user",
        takes: "a text of at most 256 characters",
        about: "mail: the user, where the server wants one",
        per_group: false,
        secret: false,
        check: |all, text| put(&mut all.senders.smtp_user, senders::line(text)),
        show: |all| all.senders.smtp_user.clone(),
    },
    Setting {
        name: "smtp_password",
        takes: "a text of at most 256 characters",
        about: "mail: the user's password",
        per_group: false,
        secret: true,
        check: |all, text| senders::secret(all, "smtp_password", text),
        show: |all| senders::shown(all, "smtp_password"),
    },
];
