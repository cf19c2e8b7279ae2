//! What a QR code or a text can hold that is no token.

/// Something that is no token, named for what it is, so that a person knows where it belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KnownThing {
    /// A web address.
    #[error("a web address, not a token")]
    WebAddress,
    /// A network's name and password.
    #[error("the access to a Wi-Fi network, not a token")]
    Wifi,
    /// A mail address or a mail to be sent.
    #[error("a mail address, not a token")]
    Mail,
    /// A telephone number or a text message.
    #[error("a telephone number, not a token")]
    Telephone,
    /// A person's address card.
    #[error("an address card, not a token")]
    Contact,
    /// A date for a calendar.
    #[error("a calendar entry, not a token")]
    Calendar,
    /// A place on a map.
    #[error("a place on a map, not a token")]
    Location,
    /// A sign-in with a passkey from another device.
    #[error("a passkey sign-in, which only the system's camera can answer")]
    Passkey,
    /// An enrollment at a Countersign server, which has a door of its own.
    #[error("an enrollment at a Countersign server, not a token yet")]
    Enrollment,
    /// A Countersign backup text, which has a door of its own.
    #[error("a Countersign backup: restore it instead of adding it")]
    Backup,
    /// A Countersign vault file.
    #[error("a Countersign vault: open it as a vault instead of adding it")]
    Vault,
    /// The whole text could be a secret; it can be used as one, with a name.
    #[error("this could be a secret without a name: add it by hand with its issuer")]
    BareSecret,
}

/// What a text starts with when it is known as a whole.
const WHOLE: [(&str, KnownThing); 6] = [
    ("BEGIN:VCARD", KnownThing::Contact),
    ("MECARD:", KnownThing::Contact),
    ("BEGIN:VCALENDAR", KnownThing::Calendar),
    ("BEGIN:VEVENT", KnownThing::Calendar),
    ("WIFI:", KnownThing::Wifi),
    ("MATMSG:", KnownThing::Mail),
];

/// What a line starts with.
const SCHEMES: [(&str, KnownThing); 10] = [
    ("countersign:", KnownThing::Enrollment),
    ("http://", KnownThing::WebAddress),
    ("https://", KnownThing::WebAddress),
    ("mailto:", KnownThing::Mail),
    ("tel:", KnownThing::Telephone),
    ("sms:", KnownThing::Telephone),
    ("smsto:", KnownThing::Telephone),
    ("geo:", KnownThing::Location),
    ("fido:/", KnownThing::Passkey),
    ("wifi:", KnownThing::Wifi),
];

/// Names a text as a whole.
pub(super) fn whole(text: &str) -> Option<KnownThing> {
    if is_backup(text) {
        return Some(KnownThing::Backup);
    }
    if text.starts_with('{') && text.contains("countersign-vault") {
        return Some(KnownThing::Vault);
    }
    WHOLE.into_iter().find(|(start, _)| starts_with(text, start)).map(|(_, thing)| thing)
}

/// Names one line.
pub(super) fn line(line: &str) -> Option<KnownThing> {
    let (_, thing) = SCHEMES.into_iter().find(|(start, _)| starts_with(line, start))?;
    let path = line.split_once("://").map_or(line, |(_, rest)| rest).split(['?', '#']).next().unwrap_or_default();
    let enrolls = line.contains('?') && path.trim_end_matches('/').ends_with("/enroll");
    Some(if thing == KnownThing::WebAddress && enrolls { KnownThing::Enrollment } else { thing })
}

/// The armour's words, in any case, or its first characters: `CSB1` and version 1 in Base64.
fn is_backup(text: &str) -> bool {
    const WORDS: &[u8] = b"COUNTERSIGN BACKUP-";
    text.contains("Q1NCMQ") || text.as_bytes().windows(WORDS.len()).any(|window| window.eq_ignore_ascii_case(WORDS))
}

fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_named() {
        for (text, thing) in [
            ("https://example.org/login?next=/enroll", KnownThing::WebAddress),
            ("HTTPS://EXAMPLE.ORG", KnownThing::WebAddress),
            ("https://mfa.example.org/enroll?code=1", KnownThing::Enrollment),
            ("https://mfa.example.org/a/enroll/?code=1#x", KnownThing::Enrollment),
            ("https://mfa.example.org/enroll", KnownThing::WebAddress),
            ("countersign://enroll?code=1", KnownThing::Enrollment),
            ("mailto:a@example.org", KnownThing::Mail),
            ("tel:+49123", KnownThing::Telephone),
            ("FIDO:/123", KnownThing::Passkey),
        ] {
            assert_eq!(line(text), Some(thing), "{text}");
        }
        for (text, thing) in [
            ("WIFI:S:net;T:WPA;P:pass;;", KnownThing::Wifi),
            ("BEGIN:VCARD\nFN:A\nEND:VCARD", KnownThing::Contact),
            ("> -----begin countersign backup-----", KnownThing::Backup),
            ("{\"format\":\"countersign-vault\"}", KnownThing::Vault),
        ] {
            assert_eq!(whole(text), Some(thing), "{text}");
        }
        for text in ["", "ü", "httpsü", "GEZDGNBVGY3TQOJQ"] {
            assert_eq!((whole(text), line(text)), (None, None), "{text}");
        }
    }
}
