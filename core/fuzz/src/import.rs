//! Files of other apps, as far as they are read without a password.

use countersign_core::{
    import::{self, MAX_TOKENS, Outcome, Unlock},
    secret::SecretText,
    vault::Content,
};

use super::{check_codes, database::sealed};

const NOW: u64 = 1_700_000_000;
const PASSWORD: &str = "fuzz";

/// What a file of a format without text begins with: an archive, a database, KeePass, Java, OTPClient, Stratum.
const MAGICS: [&[u8]; 7] = [
    b"",
    b"PK\x03\x04",
    b"SQLite format 3\0",
    b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5",
    b"\xac\xed\x00\x05",
    b"OTPClient",
    b"AUTHENTICATORPRO",
];

/// JSON of any app: read as what it looks like, and its fields one by one.
pub fn import_json(data: &[u8]) {
    look(data);
}

/// Links, tables, XML and pages.
pub fn import_text(data: &[u8]) {
    look(data);
}

/// Everything else, as it is and behind each beginning that a format has.
pub fn import_binary(data: &[u8]) {
    for magic in MAGICS {
        look(&[magic, data].concat());
    }
}

/// The content of a KeePass database, as it is and within what every database has around it.
pub fn import_database(data: &[u8]) {
    let (head, tail) = (b"<KeePassFile><Root><Group>", b"</Group></Root></KeePassFile>");
    for content in [data, &[&head[..], data, tail].concat()] {
        look_with(&sealed(content, false, PASSWORD), Some(PASSWORD));
    }
}

/// A file without a password.
fn look(data: &[u8]) {
    look_with(data, None);
}

/// Every record has one fate, every token a code, and a second import of the same file brings nothing.
fn look_with(data: &[u8], password: Option<&str>) {
    let password = password.map(|password| SecretText::new(password.to_owned()));
    let unlock = Unlock { password: password.as_ref(), allow_costly: false };
    let Ok(source) = import::read(data, None, unlock) else { return };
    assert!(source.records.len() <= MAX_TOKENS);
    for record in &source.records {
        if let Outcome::Token(draft) = &record.outcome {
            check_codes(&draft.spec);
        }
    }
    let mut vault = Content::default();
    let mut rng = Counting(0);
    let plan = source.merge_into(&mut vault, &mut rng, NOW);
    assert_eq!(plan.counts.sum(), source.count(), "every record has one fate");
    assert_eq!(vault.tokens().len(), plan.counts.new_tokens());
    let again = source.merge_into(&mut vault, &mut rng, NOW);
    assert_eq!(again.counts.new_tokens(), 0, "what is there already is not added again");
    vault.undo_import(NOW);
    assert!(vault.tokens().is_empty() && vault.unreadable().is_empty(), "one step takes it back");
}

/// Identifiers that differ and repeat.
struct Counting(u64);

impl rand_core::TryRng for Counting {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        self.try_next_u64().map(|number| number as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.0 += 1;
        Ok(self.0)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        for chunk in bytes.chunks_mut(8) {
            let number = self.try_next_u64()?.to_le_bytes();
            chunk.copy_from_slice(&number[..chunk.len()]);
        }
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Counting {}
