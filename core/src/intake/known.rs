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
    /// A payment: a bank transfer to be filled in, an address of a currency.
    #[error("a payment, not a token")]
    Payment,
    /// A profile for a telephone's built-in SIM.
    #[error("a telephone's eSIM, not a token: the telephone's settings take it")]
    Esim,
    /// The setup code of a device for the home (Matter, HomeKit).
    #[error("the setup code of a device for the home, not a token")]
    SmartHome,
    /// A sign-in or an enrollment that only the app named here can take.
    #[error("it is for the app {0} alone: where that is about codes, ask for a code for another authenticator")]
    OtherApp(&'static str),
    /// A frame of a transfer between two Countersigns, which has a door of its own.
    #[error("a transfer from another Countersign, which is received and not added")]
    Transfer,
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
const WHOLE: [(&str, KnownThing); 14] = [
    ("BEGIN:VCARD", KnownThing::Contact),
    ("MECARD:", KnownThing::Contact),
    ("BIZCARD:", KnownThing::Contact),
    ("BEGIN:VCALENDAR", KnownThing::Calendar),
    ("BEGIN:VEVENT", KnownThing::Calendar),
    ("WIFI:", KnownThing::Wifi),
    // Wi-Fi Easy Connect.
    ("DPP:", KnownThing::Wifi),
    ("MATMSG:", KnownThing::Mail),
    ("MEBKM:", KnownThing::WebAddress),
    // GSMA SGP.22.
    ("LPA:1$", KnownThing::Esim),
    ("X-HM://", KnownThing::SmartHome),
    // EPC069-12 of the European Payments Council, the Swiss QR-bill, EMVCo's merchant codes.
    ("BCD\n", KnownThing::Payment),
    ("SPC\n", KnownThing::Payment),
    ("000201", KnownThing::Payment),
];

/// What a line starts with.
const SCHEMES: [(&str, KnownThing); 27] = [
    ("countersign:", KnownThing::Enrollment),
    // Before web addresses: sign-ins that a browser cannot answer.
    ("https://s.team/q/", KnownThing::OtherApp("Steam")),
    ("https://discord.com/ra/", KnownThing::OtherApp("Discord")),
    ("http://", KnownThing::WebAddress),
    ("https://", KnownThing::WebAddress),
    ("www.", KnownThing::WebAddress),
    ("URLTO:", KnownThing::WebAddress),
    ("mailto:", KnownThing::Mail),
    ("tel:", KnownThing::Telephone),
    ("sms:", KnownThing::Telephone),
    ("smsto:", KnownThing::Telephone),
    ("mmsto:", KnownThing::Telephone),
    ("facetime:", KnownThing::Telephone),
    ("geo:", KnownThing::Location),
    ("fido:/", KnownThing::Passkey),
    ("wifi:", KnownThing::Wifi),
    ("duo://", KnownThing::OtherApp("Duo Mobile")),
    ("oktaverify://", KnownThing::OtherApp("Okta Verify")),
    ("sgnl://", KnownThing::OtherApp("Signal")),
    ("tg://", KnownThing::OtherApp("Telegram")),
    ("weixin://", KnownThing::OtherApp("WeChat")),
    ("bitcoin:", KnownThing::Payment),
    ("ethereum:", KnownThing::Payment),
    ("lightning:", KnownThing::Payment),
    ("litecoin:", KnownThing::Payment),
    ("monero:", KnownThing::Payment),
    ("upi://pay", KnownThing::Payment),
];

/// Names a text as a whole.
pub(super) fn whole(text: &str) -> Option<KnownThing> {
    if is_backup(text) {
        return Some(KnownThing::Backup);
    }
    if text.starts_with('{') && text.contains("countersign-vault") {
        return Some(KnownThing::Vault);
    }
    if crate::transfer::is_frame(text) {
        return Some(KnownThing::Transfer);
    }
    if is_matter(text) {
        return Some(KnownThing::SmartHome);
    }
    let text = text.replace("\r\n", "\n");
    WHOLE
        .into_iter()
        .find(|(start, _)| starts_with(&text, start))
        // A number of many digits may start so; a payment has its checksum's mark near the end.
        .filter(|(start, _)| *start != "000201" || has_emv_checksum(text.trim_end()))
        .map(|(_, thing)| thing)
}

/// EMVCo: the last field is 63, of four characters.
fn has_emv_checksum(text: &str) -> bool {
    text.len().checked_sub(8).and_then(|at| text.get(at..)).is_some_and(|tail| tail.starts_with("6304"))
}

/// A Matter setup code: `MT:` and characters of its own alphabet (section 5.1.3), no words.
fn is_matter(text: &str) -> bool {
    text.trim_end().strip_prefix("MT:").is_some_and(|code| {
        code.len() >= 19 && code.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase() || b"-.".contains(&b))
    })
}

/// Names one line.
pub(super) fn line(line: &str) -> Option<KnownThing> {
    let (start, thing) = SCHEMES.into_iter().find(|(start, _)| starts_with(line, start))?;
    // "Bitcoin: see the note" names no address.
    if thing == KnownThing::Payment && line[start.len()..].starts_with(char::is_whitespace) {
        return None;
    }
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
            ("www.example.org", KnownThing::WebAddress),
            ("MMSTO:+49123:hello", KnownThing::Telephone),
            ("https://s.team/q/1/123456", KnownThing::OtherApp("Steam")),
            ("duo://abcdefgh-YXBpLmV4YW1wbGU", KnownThing::OtherApp("Duo Mobile")),
            ("oktaverify://email/?t=abc&f=00&s=https://example.org", KnownThing::OtherApp("Okta Verify")),
            ("sgnl://linkdevice?uuid=1&pub_key=2", KnownThing::OtherApp("Signal")),
            ("bitcoin:1BoatSLRHtKNngkdXEeobR76b53LETtpyT?amount=1", KnownThing::Payment),
            ("UPI://pay?pa=a@b", KnownThing::Payment),
        ] {
            assert_eq!(line(text), Some(thing), "{text}");
        }
        for (text, thing) in [
            ("WIFI:S:net;T:WPA;P:pass;;", KnownThing::Wifi),
            ("BEGIN:VCARD\nFN:A\nEND:VCARD", KnownThing::Contact),
            ("> -----begin countersign backup-----", KnownThing::Backup),
            ("{\"format\":\"countersign-vault\"}", KnownThing::Vault),
            ("CSX1:AEAAA", KnownThing::Transfer),
            ("csx2:aeaaa", KnownThing::Transfer),
            ("DPP:C:81/1;M:525400123456;K:MDkw;;", KnownThing::Wifi),
            ("MEBKM:TITLE:A;URL:https://example.org;;", KnownThing::WebAddress),
            ("LPA:1$smdp.example.org$ABC-123", KnownThing::Esim),
            ("MT:Y.K9042C00KA0648G00", KnownThing::SmartHome),
            ("X-HM://0023ISYWYABCD", KnownThing::SmartHome),
            ("BCD\r\n002\n1\nSCT\nBIC\nName\nDE02\nEUR1", KnownThing::Payment),
            ("SPC\n0200\n1\nCH44", KnownThing::Payment),
            ("00020101021126580014A0000006150001520400005303986540510.005802BR63041D3D", KnownThing::Payment),
        ] {
            assert_eq!(whole(text), Some(thing), "{text}");
        }
        let words = ["BCD and more", "MT: mount", "000201123456789", "Bitcoin: see the note", "CSX:A", "wwwü"];
        for text in ["", "ü", "httpsü", "GEZDGNBVGY3TQOJQ"].into_iter().chain(words) {
            assert_eq!((whole(text), line(text)), (None, None), "{text}");
        }
    }
}
